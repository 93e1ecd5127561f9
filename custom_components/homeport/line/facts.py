"""What the pieces of evidence amount to, before anything is decided. Pure: no I/O, no clock."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from operator import itemgetter

from ..host import HostState
from .address import AddressKind, Stability, address_kind, stability
from .carriers import ReverseKind, by_reverse_name
from .evidence import Evidence, GatewayEvidence
from .mape import MapE, MapERule
from .portset import Inference, infer
from .report import Reason

# What container engines hand out by default to networks of their own.
_BRIDGES = IPv4Network("172.16.0.0/12")
_LOCALLY_ADMINISTERED = 0x02  # IEEE 802 section 8.2, in the first octet of a MAC address


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The evidence, cleaned of what is void.

    - `gateway`: the gateway's word, if it speaks for this line
    - `wan`: its WAN address; None when it names none that can be meant
    - `vpn`: this machine reaches the IPv4 internet through a tunnel of its own
    - `echo`, `stun`: what the outside sees of the line; None where void, unknown or contradictory
    - `ipv6`: the global IPv6 addresses of this home, those that last longest first
    - `computed`: what MAP-E makes of the IPv6 addresses; `match`: the one that the outside sees
    - `ports`: what the mapped ports say of a port set
    - `name_kind`: what the reverse name of `echo` is
    - `bridge`: this machine looks like a container behind a bridge of its own
    - `notes`: what was found out on the way
    """

    evidence: Evidence
    gateway: GatewayEvidence | None
    wan: IPv4Address | None
    wan_kind: AddressKind | None
    vpn: bool
    echo: IPv4Address | None
    stun: IPv4Address | None
    ipv6: tuple[IPv6Address, ...]
    computed: tuple[MapE, ...]
    match: MapE | None
    ports: Inference
    name_kind: ReverseKind | None
    bridge: bool
    notes: tuple[Reason, ...]

    @property
    def asked_in_vain(self) -> int:
        """The number of kinds of outside services for IPv4 that were asked and did not answer."""
        outside = (self.evidence.echo4, self.evidence.stun4)
        return sum(1 for each in outside if each and not each.answered)

    @property
    def ipv4_answers(self) -> bool:
        """Whether anything outside answered over IPv4."""
        outside = (self.evidence.echo4, self.evidence.stun4)
        return any(each.answered for each in outside if each)

    @property
    def ipv6_answers(self) -> bool | None:
        """Whether anything outside answered over IPv6; None when nothing was asked."""
        outside = [each for each in (self.evidence.echo6, self.evidence.stun6) if each]
        return any(each.answered for each in outside) if outside else None


def gather(evidence: Evidence) -> Facts:
    """Return what the evidence amounts to."""
    notes: list[Reason] = []
    host, echo4, stun4 = evidence.host, evidence.echo4, evidence.stun4
    vpn = bool(host and host.ipv4_route and host.ipv4_route.tunnel)
    echo = echo4.address if echo4 else None
    stun = stun4.address if stun4 else None
    if vpn:
        notes.append(Reason.VPN_ON_HOST)
        echo = stun = None
    elif echo and stun and echo != stun:
        notes.append(Reason.STUN_DISAGREES)
        echo = stun = None
    elif echo4 and echo4.answered and echo is None:
        notes.append(Reason.ECHOES_DISAGREE)
        stun = None
    gateway, wan = _wan(evidence, echo or stun, notes)
    ipv6 = _usable_ipv6(evidence)
    computed = _computed(ipv6, evidence.own_rule)
    reverse_name = evidence.reverse_name if echo else None
    named = by_reverse_name(reverse_name) if reverse_name else None
    return Facts(
        evidence=evidence,
        gateway=gateway,
        wan=wan,
        wan_kind=address_kind(wan) if gateway else None,
        vpn=vpn,
        echo=echo,
        stun=stun,
        ipv6=ipv6,
        computed=computed,
        match=next((each for each in computed if echo and each.ipv4 == echo), None),
        ports=infer(stun4.ports if stun4 and stun else ()),
        name_kind=named[1] if named else None,
        bridge=_is_bridge(host, evidence.gateway),
        notes=tuple(notes),
    )


def _wan(
    evidence: Evidence, public: IPv4Address | None, notes: list[Reason]
) -> tuple[GatewayEvidence | None, IPv4Address | None]:
    """Return the gateway, if its word counts, and its WAN address put right."""
    gateway = evidence.gateway
    if gateway is None:
        return None, None
    wan = gateway.address
    if wan and wan == gateway.lan:
        notes.append(Reason.WAN_IS_OWN_LAN_ADDRESS)
        wan = None
    if wan and public and wan != public and wan.packed[::-1] == public.packed:
        notes.append(Reason.OCTETS_REVERSED)
        wan = public
    if gateway.default_router is False and (wan is None or wan != public):
        notes.append(Reason.GATEWAY_NOT_DEFAULT_ROUTER)
        return None, None
    return gateway, wan


def _computed(ipv6: tuple[IPv6Address, ...], own: MapERule | None) -> tuple[MapE, ...]:
    """Return what MAP-E makes of the IPv6 addresses, each result once, a rule of the user first."""
    found: dict[tuple[IPv4Address, int], MapE] = {}
    for ip in ipv6:
        if result := MapE.from_ipv6(ip, own):
            found.setdefault((result.ipv4, result.psid), result)
    return tuple(sorted(found.values(), key=lambda result: result.rule is not own))


def _usable_ipv6(evidence: Evidence) -> tuple[IPv6Address, ...]:
    host, echo6 = evidence.host, evidence.echo6
    order = {Stability.STABLE: 0, Stability.TEMPORARY: 1}
    ranked = [
        (order[lasting], address.ip)
        for address in (host.addresses if host else ())
        if isinstance(address.ip, IPv6Address)
        and address_kind(address.ip) is AddressKind.GLOBAL
        and (lasting := stability(address.flags)) in order
    ]
    found = [ip for _, ip in sorted(ranked, key=itemgetter(0))]
    # Without a look at this machine nobody knows whether it went through a tunnel to another home.
    direct = host and not (host.ipv6_route and host.ipv6_route.tunnel)
    if direct and echo6 and address_kind(echo6.address) is AddressKind.GLOBAL and echo6.address:
        found.append(echo6.address)
    return tuple(found)


def _is_bridge(host: HostState | None, gateway: GatewayEvidence | None) -> bool:
    """Say whether this machine looks like a container behind a bridge.

    Its router is then software on the same machine: from a container engine's block, with a made-up
    MAC address, and it is not the gateway at home.
    """
    route = host.ipv4_route if host else None
    if not host or not route or not isinstance(route.gateway, IPv4Address):
        return False
    if route.gateway not in _BRIDGES or (gateway and gateway.lan == route.gateway):
        return False
    macs = [each.mac for each in host.neighbours if each.ip == route.gateway]
    return any(int(mac[:2], 16) & _LOCALLY_ADMINISTERED for mac in macs)
