"""Putting evidence together, and taking out what is of the past."""

from dataclasses import fields, replace
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from custom_components.homeport.coordinator.merge import (
    gateway_evidence,
    held,
    host_moved,
    unseen,
)
from custom_components.homeport.gateway import WanStatus
from custom_components.homeport.host import AddressFlag, HostState, Neighbour, Route
from custom_components.homeport.line import (
    Confidence,
    Ipv6Mode,
    LineMode,
    LineReport,
    Openable,
    PortSet,
    Reason,
    StunEvidence,
)
from tests.line.evidence import (
    ROUTER,
    behind,
    echo4,
    echo6,
    evidence,
    host,
    ipv6,
    mtu,
    proof,
    stun4,
)

MAC, OTHER_MAC = "00:11:22:33:44:55", "00:11:22:33:44:66"
SECOND = "192.168.1.254"


def neighbours(state: HostState, **macs: str) -> HostState:
    """Return the state with neighbours at these host parts of the LAN."""
    found = [Neighbour(ip_address(f"192.168.1.{at[1:]}"), mac, "eth0") for at, mac in macs.items()]
    return replace(state, neighbours=tuple(found))


WAY_OUT = {
    "the router is the way out": (ROUTER, host(), True),
    "nothing is known of this machine": (ROUTER, None, None),
    "it is not known where the gateway is asked": (None, host(), None),
    "there is no way out": (ROUTER, host(router=None), None),
    "the way out names no router": (ROUTER, host(tunnel=True), None),
    "another address of the same router": (SECOND, neighbours(host(), _1=MAC, _254=MAC), True),
    "another router on the link": (SECOND, neighbours(host(), _1=MAC, _254=OTHER_MAC), False),
    "it is not on the link": (SECOND, neighbours(host(), _1=MAC), None),
    "netlink is missing": (
        ROUTER,
        HostState(ipv4_route=Route(None, ""), complete=False),
        None,
    ),
}


@pytest.mark.parametrize("situation", WAY_OUT)
def test_gateway_is_the_way_out(situation: str) -> None:
    lan, state, expected = WAY_OUT[situation]
    wan = IPv4Address("11.22.33.44")
    found = gateway_evidence(
        WanStatus(connected=True, address=wan), IPv4Address(lan) if lan else None, state, ppp=True
    )
    assert found.default_router is expected
    assert (found.connected, found.address, found.ppp) == (True, wan, True)


A6, B6 = "2a00:77:77:1::10", "2a00:77:77:2::10"
TEMPORARY, OTHER_TEMPORARY = (
    ipv6(f"2a00:77:77:1::{last}", AddressFlag.TEMPORARY) for last in ("abc", "def")
)
MOVES = {
    "nothing changes": (host(A6), host(A6), False),
    "another prefix": (host(A6), host(B6), True),
    "one more prefix": (host(A6), host(A6, B6), True),
    "a prefix is gone": (host(A6, B6), host(A6), True),
    "IPv6 comes": (host(), host(A6), True),
    "another temporary address": (host(A6, TEMPORARY), host(A6, OTHER_TEMPORARY), False),
    "one more temporary address": (host(A6), host(A6, TEMPORARY), False),
    "a prefix is deprecated": (
        host(A6, B6),
        host(ipv6(A6, AddressFlag.DEPRECATED), B6),
        True,
    ),
    "an address that may be a duplicate": (
        host(A6),
        host(A6, ipv6(B6, AddressFlag.TENTATIVE)),
        False,
    ),
    "addresses for the home alone": (host(A6), host(A6, "fd00::10"), False),
    "addresses of an access network": (host(A6), host(A6, "2408:10::10"), True),
    "another address at home": (host(A6), host(A6, own="192.168.1.77"), False),
    "another router": (host(A6), host(A6, router=SECOND), True),
    "no router": (host(A6), host(A6, router=None), True),
    "a VPN": (host(A6), host(A6, tunnel=True), True),
    "a VPN for IPv6": (host(A6), host(A6, tunnel6=True), True),
    "another machine on the link": (host(A6), neighbours(host(A6), _9=OTHER_MAC), False),
    "a name server": (
        host(A6),
        replace(host(A6), name_servers=(IPv6Address("2a00:77:77:1::1"),)),
        False,
    ),
}


@pytest.mark.parametrize("situation", MOVES)
def test_host_moved(situation: str) -> None:
    before, after, expected = MOVES[situation]
    assert host_moved(before, after) is expected


ALL = evidence(
    host=host(A6),
    echo4=echo4("11.22.33.44"),
    echo6=echo6(A6),
    stun4=stun4("11.22.33.44"),
    stun6=StunEvidence(IPv6Address(A6), answered=True),
    mtu=mtu(1500, 1500),
    reverse_name="home.example",
    second_hop=behind("192.168.1.1"),
    proof=proof("11.22.33.44"),
    gateway_trusted=True,
)
SEEN4 = {"echo4", "stun4", "reverse_name", "second_hop", "proof"}
SEEN6 = {"echo6", "stun6"}


@pytest.mark.parametrize(
    ("families", "gone"),
    [
        ({"ipv4": True}, SEEN4),
        ({"ipv6": True}, SEEN6),
        ({"ipv4": True, "ipv6": True}, SEEN4 | SEEN6),
        ({}, set()),
    ],
)
def test_unseen(families: dict[str, bool], gone: set[str]) -> None:
    left = unseen(ALL, **families)
    names = [each.name for each in fields(ALL)]
    changed = {name for name in names if getattr(left, name) != getattr(ALL, name)}
    assert changed == gone
    assert all(getattr(left, name) is None for name in gone)


PUBLIC = LineReport(
    mode=LineMode.PUBLIC,
    confidence=Confidence.LIKELY,
    ipv6_mode=Ipv6Mode.NATIVE,
    ipv4_openable=Openable.ALL,
    reasons=(Reason.WAN_MATCHES,),
)
MAP_E = LineReport(
    mode=LineMode.MAP_E,
    confidence=Confidence.CERTAIN,
    ipv4_openable=Openable.PORT_SET,
    port_set=PortSet(4, 8, 58),
    reasons=(Reason.COMPUTED_MATCHES,),
)
ADDRESS = IPv4Address("11.22.33.44")
NOTHING = LineReport(public_ipv4=ADDRESS)
GUESS = LineReport(
    mode=LineMode.IPIP_FIXED,
    confidence=Confidence.POSSIBLE,
    reasons=(Reason.MTU_OF_TUNNEL,),
    public_ipv4=ADDRESS,
)
SAME_GUESS = replace(GUESS, mode=LineMode.PUBLIC)
SURE = replace(PUBLIC, mode=LineMode.CGNAT, ipv4_openable=Openable.NONE, public_ipv4=ADDRESS)

HELD = {
    "sure, before anything was known": (SURE, None, (None, "unknown", "unknown")),
    "a guess, before anything was known": (GUESS, None, (None, "unknown", "unknown")),
    "sure": (SURE, PUBLIC, ("cgnat", "likely", "none")),
    "sure, with other ports": (
        replace(MAP_E, public_ipv4=ADDRESS, port_set=PortSet(4, 8, 59)),
        MAP_E,
        ("map_e", "certain", "port_set"),
    ),
    "nothing speaks against what was": (NOTHING, PUBLIC, ("public", "likely", "all")),
    "a guess that is what was": (SAME_GUESS, PUBLIC, ("public", "likely", "all")),
    "a guess that is something else": (GUESS, PUBLIC, ("ipip_fixed", "possible", "unknown")),
    # A port set that is of the past opens another home's ports.
    "a port set of which nothing is left": (NOTHING, MAP_E, ("map_e", "possible", "unknown")),
    "a guess instead of a port set": (GUESS, MAP_E, ("map_e", "possible", "unknown")),
    "one more guess": (
        GUESS,
        LineReport(mode=LineMode.A_PLUS_P, confidence=Confidence.POSSIBLE),
        ("a_plus_p", "possible", "unknown"),
    ),
}


@pytest.mark.parametrize("situation", HELD)
def test_held(situation: str) -> None:
    report, before, expected = HELD[situation]
    shown = held(report, before)
    mode = shown.mode.value if shown.mode else None
    assert (mode, shown.confidence.value, shown.ipv4_openable.value) == expected
    assert shown.public_ipv4 == ADDRESS
    # Ports are shown as the home's only where that is so now.
    assert shown.port_set == (report.port_set if before else None)
