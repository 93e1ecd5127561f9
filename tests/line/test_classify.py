"""From evidence to the line: one row for each situation that a home can be in."""

from ipaddress import IPv4Address

import pytest

from custom_components.homeport.line import (
    AddressKind,
    Confidence,
    EchoEvidence,
    Evidence,
    GatewayEvidence,
    LineMode,
    LineReport,
    Openable,
    classify,
)

G = "11.22.33.44"
G2 = "11.22.33.99"
CERTAIN, LIKELY, POSSIBLE, UNKNOWN = Confidence


def gateway(
    address: str | None, *, connected: bool | None = True, since: float = 0
) -> GatewayEvidence:
    return GatewayEvidence(connected, IPv4Address(address) if address else None, since)


def echo(address: str | None, *, secure: bool = True, time: float = 1) -> EchoEvidence:
    return EchoEvidence(IPv4Address(address) if address else None, secure, time)


def evidence(
    now: GatewayEvidence | None = None,
    said: EchoEvidence | None = None,
    *,
    silent: GatewayEvidence | None = None,
    pending: bool = False,
) -> Evidence:
    return Evidence(gateway=now, echo=said, silent_gateway=silent, gateway_pending=pending)


type Expected = tuple[LineMode | None, Confidence, Openable, bool | None, str | None]
"""Mode, confidence, what can be opened, internet, confirmed address."""

SITUATIONS: dict[str, tuple[Evidence, Expected]] = {
    "nothing known": (evidence(), (None, UNKNOWN, Openable.UNKNOWN, None, None)),
    "a gateway not asked yet, HTTPS echo": (
        evidence(None, echo(G), pending=True),
        (None, UNKNOWN, Openable.UNKNOWN, True, None),
    ),
    "no gateway, HTTPS echo": (evidence(None, echo(G)), (None, UNKNOWN, Openable.UNKNOWN, True, G)),
    "no gateway, HTTP echo, which anyone on the way can forge": (
        evidence(None, echo(G, secure=False)),
        (None, UNKNOWN, Openable.UNKNOWN, True, None),
    ),
    "no gateway, the echo failed": (
        evidence(None, echo(None)),
        (LineMode.OFFLINE, POSSIBLE, Openable.UNKNOWN, False, None),
    ),
    "WAN global, no echo configured": (
        evidence(gateway(G)),
        (LineMode.PUBLIC, POSSIBLE, Openable.ALL, None, G),
    ),
    "WAN global, the echo agrees": (
        evidence(gateway(G), echo(G)),
        (LineMode.PUBLIC, POSSIBLE, Openable.ALL, True, G),
    ),
    "WAN global, the echo agrees over HTTP": (
        evidence(gateway(G), echo(G, secure=False)),
        (LineMode.PUBLIC, POSSIBLE, Openable.ALL, True, G),
    ),
    "WAN global, the echo failed": (
        evidence(gateway(G), echo(None)),
        (LineMode.PUBLIC, POSSIBLE, Openable.ALL, None, G),
    ),
    "WAN global, the outside sees another address": (
        evidence(gateway(G), echo(G2)),
        (None, UNKNOWN, Openable.UNKNOWN, True, None),
    ),
    "WAN changed after the echo was asked": (
        evidence(gateway(G2, since=5), echo(G, time=4)),
        (LineMode.PUBLIC, POSSIBLE, Openable.ALL, None, G2),
    ),
    "echo asked in the moment of the change": (
        evidence(gateway(G2, since=5), echo(G2, time=5)),
        (LineMode.PUBLIC, POSSIBLE, Openable.ALL, True, G2),
    ),
    "WAN changed to private, stale echo": (
        evidence(gateway("192.168.0.2", since=5), echo(G, time=4)),
        (LineMode.DOUBLE_NAT, POSSIBLE, Openable.AFTER_SECOND_ROUTER, None, None),
    ),
    "WAN private, HTTPS echo": (
        evidence(gateway("192.168.0.2"), echo(G)),
        (LineMode.DOUBLE_NAT, LIKELY, Openable.AFTER_SECOND_ROUTER, True, G),
    ),
    "WAN private, HTTP echo": (
        evidence(gateway("192.168.0.2"), echo(G, secure=False)),
        (LineMode.DOUBLE_NAT, LIKELY, Openable.AFTER_SECOND_ROUTER, True, None),
    ),
    "WAN private, no echo": (
        evidence(gateway("172.31.0.2")),
        (LineMode.DOUBLE_NAT, POSSIBLE, Openable.AFTER_SECOND_ROUTER, None, None),
    ),
    "WAN shared, echo": (
        evidence(gateway("100.64.0.2"), echo(G)),
        (LineMode.CGNAT, CERTAIN, Openable.NONE, True, None),
    ),
    "WAN shared, no echo": (
        evidence(gateway("100.127.0.2")),
        (LineMode.CGNAT, LIKELY, Openable.NONE, None, None),
    ),
    "WAN of DS-Lite, echo": (
        evidence(gateway("192.0.0.2"), echo(G)),
        (LineMode.DS_LITE, LIKELY, Openable.NONE, True, None),
    ),
    "WAN of DS-Lite, no echo": (
        evidence(gateway("192.0.0.2")),
        (LineMode.DS_LITE, LIKELY, Openable.NONE, None, None),
    ),
    "WAN empty, HTTPS echo": (
        evidence(gateway(None), echo(G)),
        (None, UNKNOWN, Openable.UNKNOWN, True, G),
    ),
    "WAN empty, no echo": (evidence(gateway(None)), (None, UNKNOWN, Openable.UNKNOWN, None, None)),
    "WAN is nobody's (a documentation address)": (
        evidence(gateway("192.0.2.1")),
        (None, UNKNOWN, Openable.UNKNOWN, None, None),
    ),
    "disconnected, no echo": (
        evidence(gateway(None, connected=False)),
        (LineMode.OFFLINE, LIKELY, Openable.UNKNOWN, False, None),
    ),
    "disconnected, the echo failed": (
        evidence(gateway(G, connected=False), echo(None)),
        (LineMode.OFFLINE, LIKELY, Openable.UNKNOWN, False, None),
    ),
    "says disconnected, but the echo answers": (
        evidence(gateway(G, connected=False), echo(G)),
        (LineMode.PUBLIC, POSSIBLE, Openable.ALL, True, G),
    ),
    "disconnected, the echo is from before": (
        evidence(gateway(None, connected=False, since=5), echo(G, time=4)),
        (LineMode.OFFLINE, LIKELY, Openable.UNKNOWN, False, None),
    ),
    "does not say whether it is connected, the echo failed": (
        evidence(gateway(G, connected=None), echo(None)),
        (LineMode.PUBLIC, POSSIBLE, Openable.ALL, False, G),
    ),
    "gateway silent, it was shared": (
        evidence(None, echo(G), silent=gateway("100.64.0.2")),
        (None, UNKNOWN, Openable.UNKNOWN, True, None),
    ),
    "gateway silent, it was DS-Lite": (
        evidence(None, echo(G), silent=gateway("192.0.0.2")),
        (None, UNKNOWN, Openable.UNKNOWN, True, None),
    ),
    "gateway silent, it was global": (
        evidence(None, echo(G2), silent=gateway(G)),
        (None, UNKNOWN, Openable.UNKNOWN, True, G2),
    ),
    "gateway silent, the echo failed": (
        evidence(None, echo(None), silent=gateway(G)),
        (LineMode.OFFLINE, POSSIBLE, Openable.UNKNOWN, False, None),
    ),
    "no gateway, the echo says what is no home's address": (
        evidence(None, echo("192.88.99.1")),
        (None, UNKNOWN, Openable.UNKNOWN, True, None),
    ),
}


@pytest.mark.parametrize(
    ("known", "expected"), [pytest.param(*row, id=name) for name, row in SITUATIONS.items()]
)
def test_what_follows(known: Evidence, expected: Expected) -> None:
    line = classify(known)
    confirmed = str(line.confirmed_ipv4) if line.confirmed_ipv4 else None
    shown = line.mode, line.confidence, line.ipv4_openable, line.internet, confirmed
    assert shown == expected


@pytest.mark.parametrize(
    ("known", "wan", "kind", "public"),
    [
        pytest.param(
            *(evidence(gateway("10.0.0.2"), echo(G)), "10.0.0.2", AddressKind.PRIVATE, G),
            id="both are shown, though they differ",
        ),
        pytest.param(
            *(evidence(gateway(None)), None, AddressKind.NONE, None),
            id="a gateway without an address has the kind none",
        ),
        pytest.param(
            *(evidence(None, echo(G), silent=gateway(G)), None, None, G),
            id="a silent gateway has no kind",
        ),
        pytest.param(
            *(evidence(gateway(G2, since=5), echo(G, time=4)), G2, AddressKind.GLOBAL, None),
            id="a stale echo is not shown",
        ),
    ],
)
def test_the_addresses_are_shown_as_they_were_told(
    known: Evidence, wan: str | None, kind: AddressKind | None, public: str | None
) -> None:
    line = classify(known)
    assert line.wan_ipv4 == (IPv4Address(wan) if wan else None)
    assert line.wan_kind is kind
    assert line.public_ipv4 == (IPv4Address(public) if public else None)


def test_nothing_known_is_what_a_report_says_by_itself() -> None:
    assert classify(evidence()) == LineReport()


@pytest.mark.parametrize(
    ("confidence", "sure"), [(CERTAIN, True), (LIKELY, True), (POSSIBLE, False), (UNKNOWN, False)]
)
def test_only_likely_and_certain_are_acted_on(confidence: Confidence, sure: bool) -> None:
    assert confidence.is_sure is sure
