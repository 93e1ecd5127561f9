"""From where, and where, the gateway's IPv6 firewall is asked. Pure: no I/O, no clock."""

from ipaddress import IPv4Address, IPv6Address

from ..gateway import FirewallPlace
from ..host import HostState
from ..line import AddressKind, Stability, address_kind, stability

_ONCE_OPENED = frozenset({Stability.STABLE, Stability.DEPRECATED})


def own_ipv6(host: HostState | None, seen: IPv6Address | None) -> IPv6Address | None:
    """Return the address of this machine to be opened: global, lasting, and not a VPN's.

    The one that the outside sees (`seen`) where it is such a one.
    """
    lasting = [ip for ip, lasts in _global(host) if lasts is Stability.STABLE] if host else []
    return seen if seen in lasting else next(iter(lasting), None)


def has_global_ipv6(host: HostState | None) -> bool:
    """Say whether this machine has any address at which it could be reached over IPv6."""
    return host is not None and bool(_global(host))


def firewall_place(
    host: HostState | None,
    seen: IPv6Address | None,
    gateway: IPv4Address | None,
    location: str | None,
) -> FirewallPlace:
    """Return where to ask; `gateway` is the router's IPv4 address, if that is known."""
    if host is None:
        return FirewallPlace((), (), location)
    first = own_ipv6(host, seen)
    # From one that is about to go its pinholes can still be closed.
    others = (ip for ip, lasts in _global(host) if lasts in _ONCE_OPENED)
    own = [each for each in (first, *others) if each is not None]
    return FirewallPlace(
        tuple(dict.fromkeys(own)), tuple(dict.fromkeys(_routers(host, gateway))), location
    )


def _global(host: HostState) -> list[tuple[IPv6Address, Stability]]:
    """Return the addresses that can be reached from outside, and how long they last."""
    route = host.ipv6_route
    vpn = route.interface if route and route.tunnel else None
    return [
        (each.ip, stability(each.flags))
        for each in host.addresses
        if isinstance(each.ip, IPv6Address)
        and address_kind(each.ip) is AddressKind.GLOBAL
        and (vpn is None or each.interface != vpn)
    ]


def _routers(host: HostState, gateway: IPv4Address | None) -> list[IPv6Address]:
    """Return the addresses at which the gateway may be asked: that of the default route.

    Where that is none, or leads into a VPN, those of the routers that the kernel knows.
    """
    route = host.ipv6_route
    if route and isinstance(route.gateway, IPv6Address) and not route.tunnel:
        return [_with_zone(route.gateway, route.interface)]
    macs = {each.mac for each in host.neighbours if each.ip == gateway}
    return sorted(
        _with_zone(each.ip, each.interface)
        for each in host.neighbours
        if isinstance(each.ip, IPv6Address) and (each.router or each.mac in macs)
    )


def _with_zone(address: IPv6Address, interface: str) -> IPv6Address:
    return IPv6Address(f"{address}%{interface}") if address.is_link_local else address
