"""Short ways to write down evidence."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from custom_components.homeport.host import AddressFlag, HostAddress, HostState, Neighbour, Route
from custom_components.homeport.line import (
    EchoEvidence,
    Evidence,
    GatewayEvidence,
    HomeGatewayEvidence,
    MtuEvidence,
    NamesEvidence,
    Proof,
    SecondHopEvidence,
    StunEvidence,
)
from custom_components.homeport.line.portset import PortSet

ROUTER, LAN = "192.168.1.1", "192.168.1.10"

# Where a NAT without a port set puts the flows from sixteen local ports, and where a carrier does
# that gives each customer a block.
LOCAL = tuple(1500 + 4000 * number + 37 * number * number % 1000 for number in range(16))
SPREAD = tuple((port, 1024 + (port * 40503 + 12345) % 64512) for port in LOCAL)
KEPT = tuple((port, port) for port in LOCAL)
BLOCK = tuple((port, 10240 + (port * 40503) % 1024) for port in LOCAL)
SEQUENTIAL = tuple((port, 62000 + number) for number, port in enumerate(LOCAL))


def within(port_set: PortSet) -> tuple[tuple[int, int], ...]:
    """Return where a NAT with a port set puts the flows."""
    ranges = port_set.ranges()
    found = []
    for number, port in enumerate(LOCAL):
        first, last = ranges[(number * len(ranges)) // len(LOCAL)]
        found.append((port, first + port * 7919 % (last - first + 1)))
    return tuple(found)


def gateway(
    address: str | None,
    *,
    connected: bool | None = True,
    default: bool | None = True,
    ppp: bool = False,
    lan: str = ROUTER,
) -> GatewayEvidence:
    """Return what a router said."""
    wan = IPv4Address(address) if address else None
    return GatewayEvidence(connected, wan, IPv4Address(lan), default, ppp)


def echo4(address: str | None, *, secure: bool = True, agreed: bool = True) -> Any:
    """Return what the IPv4 echoes agreed on; None for no answer."""
    if address is None:
        return EchoEvidence[IPv4Address](None, answered=False)
    return EchoEvidence(IPv4Address(address), answered=True, agreed=agreed, secure=secure)


def echo6(address: str | None) -> Any:
    """Return what the IPv6 echoes agreed on; None for no answer."""
    if address is None:
        return EchoEvidence[IPv6Address](None, answered=False)
    return EchoEvidence(IPv6Address(address), answered=True, agreed=True, secure=True)


CONTRADICTION = EchoEvidence[IPv4Address](None, answered=True)


def stun4(address: str | None, ports: tuple[tuple[int, int], ...] = SPREAD) -> Any:
    """Return what STUN over IPv4 said; None for no answer."""
    if address is None:
        return StunEvidence[IPv4Address](None, answered=False)
    return StunEvidence(IPv4Address(address), answered=True, ports=ports)


NO_FLAGS = AddressFlag(0)


def ipv6(address: str, flags: AddressFlag = NO_FLAGS, interface: str = "eth0") -> HostAddress:
    """Return an address of this machine."""
    return HostAddress(IPv6Address(address), 64, interface, flags)


def host(
    *addresses: str | HostAddress,
    own: str = LAN,
    router: str | None = ROUTER,
    router6: bool | None = None,
    tunnel: bool = False,
    tunnel6: bool = False,
    mac: str = "00:11:22:33:44:55",
    complete: bool = True,
) -> HostState:
    """Return this machine's network; an IPv6 route is there when there are IPv6 addresses."""
    given = [ipv6(each) if isinstance(each, str) else each for each in addresses]
    link_local = ipv6("fe80::10") if complete else None
    route4 = Route(ip_address(router), "eth0", ip_address(own), tunnel) if router else None
    if tunnel:
        route4 = Route(None, "wg0", ip_address("10.9.0.2"), tunnel=True)
    has6 = bool(given) if router6 is None else router6
    route6 = Route(ip_address("fe80::1"), "eth0", tunnel=tunnel6) if has6 else None
    return HostState(
        addresses=(
            HostAddress(IPv4Address(own), 24, "eth0"),
            *([link_local] if link_local else []),
            *given,
        ),
        ipv4_route=route4,
        ipv6_route=route6,
        neighbours=(Neighbour(ip_address(router or ROUTER), mac, "eth0"),),
        complete=complete,
    )


def names(*aftr: str, txt: str | None = None, nat64: str | None = None) -> NamesEvidence:
    """Return what name servers said."""
    return NamesEvidence(frozenset(aftr), txt, IPv6Network(nat64) if nat64 else None)


def behind(
    *hops: str | None, router: str | None = None, address: str | None = None
) -> SecondHopEvidence:
    """Return what was found behind the gateway."""
    return SecondHopEvidence(
        tuple(ip_address(hop) if hop else None for hop in hops),
        IPv4Address(router) if router else None,
        IPv4Address(address) if address else None,
    )


def mtu(ipv4: int | None = None, ipv6: int | None = None) -> MtuEvidence:
    """Return measured path MTUs."""
    return MtuEvidence(ipv4, ipv6)


def proof(address: str, port: int = 18080) -> Proof:
    """Return a port that was seen working."""
    return Proof(IPv4Address(address), port)


def home_gateway(*, on: bool) -> HomeGatewayEvidence:
    """Return what an NTT home gateway says."""
    return HomeGatewayEvidence(on, "v6plus")


def evidence(**pieces: Any) -> Evidence:
    """Return evidence of these pieces."""
    return Evidence(**pieces)
