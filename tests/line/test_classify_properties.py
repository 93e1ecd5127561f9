"""What holds for every evidence, however odd."""

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given, settings, strategies as st

from custom_components.homeport.host import AddressFlag
from custom_components.homeport.line import (
    AddressKind,
    Confidence,
    EchoEvidence,
    Evidence,
    GatewayEvidence,
    HomeGatewayEvidence,
    LineMode,
    MtuEvidence,
    Openable,
    Proof,
    SecondHopEvidence,
    StunEvidence,
    address_kind,
    classify,
)
from custom_components.homeport.line.portset import PortSet

from .evidence import BLOCK, KEPT, SEQUENTIAL, SPREAD, host, ipv6, names, within

# Few addresses, so that two of them are often the same; one or more of each kind.
IPV4 = st.sampled_from(
    [
        *("61.22.33.44", "61.22.33.99", "44.33.22.61", "10.0.0.2", "192.168.0.2", "192.168.1.1"),
        *("100.64.0.2", "192.0.0.2", "25.0.0.2", "106.72.63.108", "169.254.0.2", "203.0.113.1"),
        *("224.0.0.1", "127.0.0.1", "0.0.0.0"),
    ]
).map(IPv4Address)
IPV6 = st.sampled_from(
    ["240b:10:3f6c:d400::10", "2a00:77:77:1::10", "2408:10::10", "2002:b16:212c::1", "fd00::1"]
)
PORTS = st.sampled_from(
    [(), SPREAD, KEPT, BLOCK, SEQUENTIAL, within(PortSet(4, 8, 212)), within(PortSet(6, 6, 3))]
)
MTUS = st.sampled_from([None, 1280, 1454, 1460, 1492, 1500])
BOOLS = st.sampled_from([True, False, None])
FLAGS = st.sampled_from([AddressFlag(0), AddressFlag.TEMPORARY, AddressFlag.DEPRECATED])
HOSTS = st.builds(
    lambda addresses, router, tunnel, tunnel6, complete: host(
        *addresses,
        router=router,
        tunnel=tunnel,
        tunnel6=tunnel6,
        complete=complete,
    ),
    addresses=st.lists(st.builds(ipv6, IPV6, FLAGS), max_size=2),
    router=st.sampled_from([None, "192.168.1.1", "172.17.0.1"]),
    tunnel=st.booleans(),
    tunnel6=st.booleans(),
    complete=st.booleans(),
)
GATEWAYS = st.builds(
    GatewayEvidence,
    connected=BOOLS,
    address=st.none() | IPV4,
    lan=st.just(IPv4Address("192.168.1.1")),
    default_router=BOOLS,
    ppp=st.booleans(),
)
REVERSE = st.sampled_from(
    [None, "", "1.50.22.27.shared.user.transix.jp", "p1-ipoefx.ipoe.ocn.ne.jp", "example.com"]
)
NAMES = st.none() | st.builds(
    names, *[st.just("gw.transix.jp")], nat64=st.sampled_from([None, "64:ff9b::/96"])
)


def echoes(addresses: st.SearchStrategy[str] | st.SearchStrategy[IPv4Address]) -> object:
    """Return a strategy for echoes, and one for STUN."""
    return st.none() | st.builds(
        EchoEvidence, st.none() | addresses, st.booleans(), st.booleans(), st.booleans()
    )


EVIDENCE = st.builds(
    Evidence,
    gateway_pending=st.booleans(),
    echo_pending=st.booleans(),
    gateway_trusted=st.booleans(),
    gateway=st.none() | GATEWAYS,
    silent_gateway=st.none() | GATEWAYS,
    host=st.none() | HOSTS,
    echo4=echoes(IPV4),
    echo6=echoes(IPV6.map(IPv6Address)),
    stun4=st.none() | st.builds(StunEvidence, st.none() | IPV4, st.booleans(), PORTS),
    mtu=st.none() | st.builds(MtuEvidence, MTUS, MTUS),
    names=NAMES,
    system_names=NAMES,
    reverse_name=REVERSE,
    second_hop=st.none()
    | st.builds(
        SecondHopEvidence,
        st.lists(st.none() | IPV4, max_size=3).map(tuple),
        st.none() | IPV4,
        st.none() | IPV4,
    ),
    home_gateway=st.none() | st.builds(HomeGatewayEvidence, st.booleans()),
    proof=st.none() | st.builds(Proof, IPV4, st.just(18080)),
    override=st.none() | st.sampled_from(LineMode),
)
WORTHLESS = {
    *(LineMode.CGNAT, LineMode.DS_LITE, LineMode.NAT64, LineMode.NONE, LineMode.OFFLINE),
}
MANY = settings(max_examples=600, deadline=None)


@MANY
@given(EVIDENCE)
def test_a_confirmed_address_is_fit_for_dns(evidence: Evidence) -> None:
    line = classify(evidence)
    if line.confirmed_ipv4 is None:
        return
    assert address_kind(line.confirmed_ipv4) is AddressKind.GLOBAL
    assert line.mode not in WORTHLESS
    assert line.confirmed_ipv4 in {line.wan_ipv4, line.public_ipv4}
    assert not evidence.gateway_pending
    said_by_router = evidence.gateway is not None and line.confirmed_ipv4 == line.wan_ipv4
    assert said_by_router or (evidence.echo4 and evidence.echo4.secure and evidence.echo4.agreed)


@MANY
@given(EVIDENCE)
def test_mode_confidence_and_openable_agree(evidence: Evidence) -> None:
    line = classify(evidence)
    assert (line.mode is None) == (line.confidence is Confidence.UNKNOWN)
    assert (line.ipv6_mode is None) == (line.ipv6_confidence is Confidence.UNKNOWN)
    if line.mode in {None, LineMode.OFFLINE}:
        assert line.ipv4_openable is Openable.UNKNOWN
    if line.ipv4_openable is Openable.PORT_SET:
        assert line.port_set is not None
        assert line.confidence.is_sure
    if line.mode in WORTHLESS - {LineMode.OFFLINE}:
        assert line.ipv4_openable in {Openable.NONE, Openable.UNKNOWN}
    if line.mode is not None:
        assert line.reasons


@MANY
@given(EVIDENCE)
def test_everything_is_openable_only_where_the_address_is_proved_ours(evidence: Evidence) -> None:
    line = classify(evidence)
    if line.ipv4_openable is not Openable.ALL or line.overridden:
        return
    assert line.wan_kind is AddressKind.GLOBAL
    proved = evidence.proof is not None and evidence.proof.address == line.wan_ipv4
    assert proved or line.wan_ipv4 == line.public_ipv4


@MANY
@given(EVIDENCE)
def test_stun_alone_opens_nothing(evidence: Evidence) -> None:
    if evidence.echo4 is None and evidence.proof is None and evidence.override is None:
        line = classify(evidence)
        assert line.ipv4_openable is not Openable.ALL
        assert line.mode is not LineMode.A_PLUS_P or not line.confidence.is_sure
