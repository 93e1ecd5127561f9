"""Where this home is met from the internet, and who is outside of it."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network

from ..host import HostState
from ..line import LineMode, LineReport, on_same_network
from ..outside import Family, IPAddress, IsOutside, outside_of
from .line import LineCoordinator


@dataclass(frozen=True, slots=True)
class Place:
    """From where to ask, and where to listen: the same address, or the one behind the NAT."""

    address: IPAddress
    at_home: IPAddress
    is_outside: IsOutside


def is_outside(line: LineCoordinator) -> IsOutside:
    """Return what says whether an address is somebody's outside of this home, and of its network.

    It goes on saying so as the line was when it was made.
    """
    host = line.evidence.host or HostState()
    own: list[IPv4Network | IPv6Network] = [
        ip_network((each.ip, each.prefix_length), strict=False) for each in host.addresses
    ]
    own.extend(IPv4Network(each) for each in {line.data.public_ipv4, met_at(line.data)} if each)
    if line.data.ipv6_prefix:
        own.append(line.data.ipv6_prefix)
    report, of_home = line.data, outside_of(own)
    return lambda address: of_home(address) and not on_same_network(report, address)


def own_place(line: LineCoordinator, family: Family) -> Place | None:
    """Return where this machine is met from outside; None where that is not known."""
    if family == 6:
        ipv6 = line.data.public_ipv6
        return Place(ipv6, ipv6, is_outside(line)) if ipv6 else None
    address, at_home = met_at(line.data), own_ipv4(line)
    if address is None or at_home is None:
        return None
    return Place(address, at_home, is_outside(line))


def met_at(line: LineReport) -> IPv4Address | None:
    """Return where the internet meets this home over IPv4: of two exits, the router's own."""
    return line.wan_ipv4 if line.mode is LineMode.TWO_EXITS else line.public_ipv4


def own_ipv4(line: LineCoordinator) -> IPv4Address | None:
    """Return this machine's address in the LAN: the one that the router sees, or the route has."""
    host = line.evidence.host
    source = host.ipv4_route.source if host and host.ipv4_route else None
    return line.own_address or (source if isinstance(source, IPv4Address) else None)
