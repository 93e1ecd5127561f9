"""From evidence to the line mode. Pure: no I/O, no clock."""

from ipaddress import IPv4Address

from .address import AddressKind, address_kind
from .evidence import EchoEvidence, Evidence, GatewayEvidence
from .report import Confidence, LineMode, LineReport, Openable

_OPENABLE = {
    LineMode.PUBLIC: Openable.ALL,
    LineMode.DOUBLE_NAT: Openable.AFTER_SECOND_ROUTER,
    LineMode.CGNAT: Openable.NONE,
    LineMode.DS_LITE: Openable.NONE,
}
# The provider's address, which other homes have as well.
_SHARED = frozenset({LineMode.CGNAT, LineMode.DS_LITE})
_SHARED_KINDS = frozenset({AddressKind.SHARED, AddressKind.SERVICE_CONTINUITY})


def classify(evidence: Evidence) -> LineReport:
    """Return what follows from the evidence; what does not follow stays unknown."""
    gateway, echo = evidence.gateway, _fresh_echo(evidence)
    public = echo.address if echo else None
    wan = gateway.address if gateway else None
    kind = address_kind(wan) if gateway else None
    mode, confidence = _mode(gateway, kind, echo)
    return LineReport(
        mode=mode,
        confidence=confidence,
        ipv4_openable=_OPENABLE.get(mode, Openable.UNKNOWN) if mode else Openable.UNKNOWN,
        internet=_internet(gateway, echo),
        wan_ipv4=wan,
        wan_kind=kind,
        public_ipv4=public,
        confirmed_ipv4=_confirmed(mode, evidence, echo),
    )


def _fresh_echo(evidence: Evidence) -> EchoEvidence | None:
    """Return the echo, unless it is older than the address that the gateway has now."""
    gateway, echo = evidence.gateway, evidence.echo
    if gateway and echo and echo.time < gateway.since:
        return None
    return echo


def _mode(
    gateway: GatewayEvidence | None, kind: AddressKind | None, echo: EchoEvidence | None
) -> tuple[LineMode | None, Confidence]:
    public = echo.address if echo else None
    unknown = None, Confidence.UNKNOWN
    if public is None:
        if gateway and gateway.connected is False:
            return LineMode.OFFLINE, Confidence.LIKELY
        if gateway is None:
            # A single outside service that does not answer may be down itself.
            return (LineMode.OFFLINE, Confidence.POSSIBLE) if echo else unknown
    match kind:
        case AddressKind.SERVICE_CONTINUITY:
            # Also the address of a CLAT (RFC 6877); ports cannot be opened there either.
            return LineMode.DS_LITE, Confidence.LIKELY
        case AddressKind.SHARED:
            return LineMode.CGNAT, Confidence.CERTAIN if public else Confidence.LIKELY
        case AddressKind.PRIVATE:
            # Never sure: a provider may map a public address one to one.
            return LineMode.DOUBLE_NAT, Confidence.LIKELY if public else Confidence.POSSIBLE
        case AddressKind.GLOBAL if gateway and public in {None, gateway.address}:
            # An address that is shared by port sets (MAP-E) looks the same from here.
            return LineMode.PUBLIC, Confidence.POSSIBLE
    return unknown


def _internet(gateway: GatewayEvidence | None, echo: EchoEvidence | None) -> bool | None:
    if echo is None:
        return False if gateway and gateway.connected is False else None
    if echo.address:
        return True
    # The gateway says connected and the echo is silent: one of them is wrong.
    return None if gateway and gateway.connected else False


def _confirmed(
    mode: LineMode | None, evidence: Evidence, echo: EchoEvidence | None
) -> IPv4Address | None:
    """Return the address that the router, or an answer over HTTPS, confirms to be this home's."""
    if evidence.gateway_pending or mode in _SHARED or mode is LineMode.OFFLINE:
        return None
    if evidence.silent_gateway and address_kind(evidence.silent_gateway.address) in _SHARED_KINDS:
        return None
    wan = evidence.gateway.address if evidence.gateway else None
    if address_kind(wan) is AddressKind.GLOBAL:
        # Where the outside sees another address, nothing shows yet which one leads home.
        return wan if echo is None or echo.address in {None, wan} else None
    public = echo.address if echo and echo.secure else None
    return public if address_kind(public) is AddressKind.GLOBAL else None
