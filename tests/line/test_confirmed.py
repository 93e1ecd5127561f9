"""Which address may be put into DNS, and what is said of the internet and of a second NAT."""

from dataclasses import replace

import pytest

from custom_components.homeport.host import AddressFlag
from custom_components.homeport.line import Evidence, LineMode, classify

from .evidence import (
    CONTRADICTION,
    echo4,
    echo6,
    evidence,
    gateway,
    host,
    ipv6,
    mtu,
    names,
    proof,
    stun4,
)
from .homes import G2, POOL, TRANSIX, V6PLUS, V6PLUS_ADDRESS, G, mape_home, plain_home

CONFIRMED: dict[str, tuple[Evidence, str | None]] = {
    "the outside agrees with the router": (plain_home(G), G),
    "over HTTP, the outside agrees with the router": (
        plain_home(G, echo4=echo4(G, secure=False)),
        G,
    ),
    "the router alone, nobody outside is to be asked": (evidence(gateway=gateway(G)), G),
    "the router alone, the outside is still to be asked": (
        evidence(gateway=gateway(G), echo_pending=True),
        None,
    ),
    "the router alone, and it was right before": (
        evidence(gateway=gateway(G), echo_pending=True, gateway_trusted=True),
        G,
    ),
    "the router alone, no echo answers": (plain_home(G, echo4=echo4(None), stun4=None), G),
    "the router alone, an address that providers use behind their NAT": (
        evidence(gateway=gateway("25.0.0.2")),
        None,
    ),
    "the outside sees another one": (plain_home(G, public=G2), None),
    "the outside contradicts itself": (plain_home(G, echo4=CONTRADICTION, stun4=None), None),
    "the echoes contradict each other, STUN agrees with the router": (
        plain_home(G, echo4=CONTRADICTION),
        G,
    ),
    "STUN sees another one, the echo agrees with the router": (
        plain_home(G, stun4=stun4(G2)),
        G,
    ),
    "STUN alone is no confirmation": (
        evidence(gateway=None, stun4=stun4(G), host=host()),
        None,
    ),
    "a gateway that was not asked yet": (
        evidence(gateway_pending=True, echo4=echo4(G), host=host()),
        None,
    ),
    "no gateway, two echoes over HTTPS": (plain_home(G, gateway=None), G),
    "no gateway, echoes over HTTP, which anyone on the way can forge": (
        plain_home(G, gateway=None, echo4=echo4(G, secure=False)),
        None,
    ),
    "no gateway, one echo of two": (
        plain_home(G, gateway=None, echo4=echo4(G, agreed=False)),
        None,
    ),
    "behind a second router": (plain_home("192.168.0.2", public=G), G),
    "MAP-E": (mape_home(V6PLUS), V6PLUS_ADDRESS),
    "MAP-E in a home gateway": (
        mape_home(V6PLUS, gateway=gateway("192.168.0.2")),
        V6PLUS_ADDRESS,
    ),
    "CGNAT": (plain_home("100.64.0.2", public=POOL), None),
    "CGNAT in squatted space": (plain_home("25.0.0.2", public=POOL), None),
    "DS-Lite": (plain_home("192.0.0.2", public=POOL, address=TRANSIX), None),
    "a router that was DS-Lite's and is silent now": (
        plain_home(POOL, gateway=None, silent_gateway=gateway("192.0.0.2")),
        None,
    ),
    "a router that was at home and is silent now": (
        plain_home(G, gateway=None, silent_gateway=gateway(G)),
        G,
    ),
    "two exits": (
        plain_home(G, public=POOL, reverse_name="1.50.22.27.shared.user.transix.jp"),
        None,
    ),
    "two exits, a port was seen working": (
        plain_home(
            G, public=POOL, reverse_name="1.50.22.27.shared.user.transix.jp", proof=proof(G)
        ),
        G,
    ),
    "two exits by the user's word, a port seen working at a private address": (
        evidence(gateway=gateway("10.0.0.2"), proof=proof("10.0.0.2"), override=LineMode.TWO_EXITS),
        None,
    ),
    "a VPN on the host: the router tells": (
        plain_home(G, public=G2, host=host(tunnel=True), gateway_trusted=True),
        G,
    ),
    "the router writes the octets in reverse": (plain_home("44.33.22.61", public=G), G),
    "the router gives its own LAN address": (plain_home("192.168.1.1", public=G), None),
    "a documentation address": (evidence(gateway=gateway("192.0.2.1")), None),
}


@pytest.mark.parametrize("name", CONFIRMED)
def test_confirmed(name: str) -> None:
    seen, expected = CONFIRMED[name]
    confirmed = classify(seen).confirmed_ipv4
    assert (str(confirmed) if confirmed else None) == expected


INTERNET: dict[str, tuple[Evidence, bool | None]] = {
    "nothing was asked": (evidence(gateway=gateway(G)), None),
    "the router says disconnected": (evidence(gateway=gateway(None, connected=False)), False),
    "an echo answers": (plain_home(G), True),
    "echoes that contradict each other answer": (plain_home(G, echo4=CONTRADICTION), True),
    "only IPv6 answers": (plain_home(None, echo4=echo4(None), echo6=echo6("2a00::1")), True),
    "the router says connected, the echoes are silent": (
        evidence(gateway=gateway(G), echo4=echo4(None)),
        None,
    ),
    "the router says connected, echoes and STUN are silent": (
        evidence(gateway=gateway(G), echo4=echo4(None), stun4=stun4(None)),
        False,
    ),
    "no router, the echoes are silent": (evidence(echo4=echo4(None)), False),
}


@pytest.mark.parametrize("name", INTERNET)
def test_internet(name: str) -> None:
    seen, expected = INTERNET[name]
    assert classify(seen).internet is expected


@pytest.mark.parametrize(
    ("wan", "public", "second"),
    [
        (G, G, False),
        ("192.168.0.2", G, True),
        ("100.64.0.2", POOL, True),
        ("25.0.0.2", POOL, True),
        ("192.0.0.2", POOL, None),  # the B4 of DS-Lite translates nothing itself
        (G, G2, None),
    ],
)
def test_second_nat(wan: str, public: str, *, second: bool | None) -> None:
    assert classify(plain_home(wan, public=public)).second_nat is second


def test_the_users_word_wins_and_is_shown_as_such() -> None:
    line = classify(replace(plain_home("192.168.0.2", public=G), override=LineMode.PUBLIC))
    assert (line.mode, line.overridden) == (LineMode.PUBLIC, True)
    assert line.reasons[0].value == "overridden"
    assert classify(plain_home(G)).overridden is False


def test_a_port_set_stays_with_the_users_word() -> None:
    silent = evidence(
        gateway=None, host=host(V6PLUS), mtu=mtu(1460), names=names(), override=LineMode.MAP_E
    )
    line = classify(silent)
    assert line.port_set is not None
    assert 7490 in line.port_set
    assert classify(replace(silent, override=LineMode.PUBLIC)).port_set is None


def test_an_address_that_is_used_for_a_day_is_not_shown_as_the_homes() -> None:
    stable, temporary = "2a00:77:77:1:1::1", "2a00:77:77:1:abcd:1:2:3"
    seen = plain_home(
        G,
        address=None,
        host=host(ipv6(temporary, AddressFlag.TEMPORARY), ipv6(stable)),
        echo6=echo6(temporary),
    )
    line = classify(seen)
    assert str(line.public_ipv6) == stable
    assert str(line.ipv6_prefix) == "2a00:77:77:1::/64"


def test_what_is_left_of_a_prefix_that_is_given_up_is_nobodys_to_be_told() -> None:
    """The kernel deprecates the addresses of a prefix one by one, and the lasting one first."""
    stable, temporary = "2a00:77:77:1:1::1", "2a00:77:77:1:abcd:1:2:3"
    own = host(ipv6(temporary, AddressFlag.TEMPORARY), ipv6(stable, AddressFlag.DEPRECATED))
    line = classify(plain_home(G, address=None, host=own, echo6=echo6(stable)))
    assert (line.public_ipv6, line.ipv6_prefix) == (None, None)
    # A temporary one ends every day, which says nothing of the prefix.
    old = AddressFlag.TEMPORARY | AddressFlag.DEPRECATED
    own = host(ipv6(temporary, old), ipv6(stable))
    line = classify(plain_home(G, address=None, host=own, echo6=echo6(temporary)))
    assert str(line.public_ipv6) == stable
