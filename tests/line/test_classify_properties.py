"""What holds for every evidence, however odd."""

from dataclasses import replace
from ipaddress import IPv4Address
from itertools import product

from hypothesis import example, given, settings, strategies as st

from custom_components.homeport.line import (
    AddressKind,
    Confidence,
    EchoEvidence,
    Evidence,
    GatewayEvidence,
    LineMode,
    Openable,
    address_kind,
    classify,
)

# Few addresses, so that two of them are often the same; one or more of each kind.
ADDRESSES = st.sampled_from(
    [
        *("11.22.33.44", "11.22.33.99", "10.0.0.2", "192.168.0.2", "100.64.0.2", "192.0.0.2"),
        *("169.254.0.2", "192.88.99.1", "203.0.113.1", "224.0.0.1", "127.0.0.1", "0.0.0.0"),
    ]
).map(IPv4Address)
TIMES = st.sampled_from([0.0, 1.0, 2.0])
GATEWAYS = st.builds(
    GatewayEvidence,
    connected=st.sampled_from([True, False, None]),
    address=st.none() | ADDRESSES,
    since=TIMES,
)
ECHOES = st.builds(EchoEvidence, address=st.none() | ADDRESSES, secure=st.booleans(), time=TIMES)
EVIDENCE = st.builds(
    Evidence,
    gateway_pending=st.booleans(),
    gateway=st.none() | GATEWAYS,
    silent_gateway=st.none() | GATEWAYS,
    echo=st.none() | ECHOES,
)
WORTHLESS = {LineMode.CGNAT, LineMode.DS_LITE, LineMode.OFFLINE}
MANY = settings(max_examples=500, deadline=None)


@MANY
@given(EVIDENCE)
@example(Evidence(echo=EchoEvidence(IPv4Address("192.88.99.1"), secure=True, time=0)))
@example(Evidence(echo=EchoEvidence(IPv4Address("10.0.0.1"), secure=True, time=0)))
def test_a_confirmed_address_is_fit_for_dns(evidence: Evidence) -> None:
    line = classify(evidence)
    if line.confirmed_ipv4 is None:
        return
    assert address_kind(line.confirmed_ipv4) is AddressKind.GLOBAL
    assert line.mode not in WORTHLESS
    assert line.confirmed_ipv4 in {line.wan_ipv4, line.public_ipv4}
    assert not evidence.gateway_pending


@MANY
@given(EVIDENCE)
def test_an_echo_alone_confirms_only_over_https(evidence: Evidence) -> None:
    if evidence.echo and evidence.gateway is None and not evidence.echo.secure:
        assert classify(evidence).confirmed_ipv4 is None


@MANY
@given(EVIDENCE)
def test_mode_confidence_and_openable_agree(evidence: Evidence) -> None:
    line = classify(evidence)
    assert (line.mode is None) == (line.confidence is Confidence.UNKNOWN)
    if line.mode in {None, LineMode.OFFLINE}:
        assert line.ipv4_openable is Openable.UNKNOWN
    else:
        assert line.ipv4_openable is not Openable.UNKNOWN
    if line.ipv4_openable is Openable.ALL:
        assert line.wan_kind is AddressKind.GLOBAL


@MANY
@given(EVIDENCE)
def test_less_evidence_never_makes_surely_something_else(evidence: Evidence) -> None:
    """One exception: where only the router is asked, it is believed that it is disconnected."""
    full = classify(evidence).mode
    word_of_the_router = evidence.gateway is not None and evidence.gateway.connected is False
    for names in product((False, True), repeat=3):
        dropped = {
            name: None
            for name, drop in zip(("gateway", "silent_gateway", "echo"), names, strict=True)
            if drop
        }
        less = classify(replace(evidence, **dropped))
        if less.confidence.is_sure and full is not None and less.mode is not full:
            assert less.mode is LineMode.OFFLINE
            assert word_of_the_router
