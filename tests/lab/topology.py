"""A network as data: what `build` makes of namespaces, cables, addresses, rules and daemons.

Addresses, routes and rules are written the way ip(8) takes them behind `address add`, `route add`
and `rule add`, so whatever that program can do needs no field of its own here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .daemon import Daemon


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """One machine: a host or a router."""

    name: str
    forwarding: bool = False
    """Whether it passes on packets of others, in both IP families, by whatever way they come."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    """Settings below /proc/sys/net, such as {"ipv4/conf/default/rp_filter": "1"}.

    They are made before the interfaces are, so "default" holds for all of them.
    """
    routes: tuple[str, ...] = ()
    """Such as "default via 192.168.77.1". IPv6 is known by its colons: "::/0 dev tun0"."""
    rules: tuple[str, ...] = ()
    """Such as "fwmark 7 table 7", or "from ::/0 fwmark 7 table 7" for IPv6."""
    nft: str = ""
    """Rule set for `nft -f`."""
    nameservers: tuple[str, ...] = ()
    """What programs in here find in /etc/resolv.conf; empty leaves the file as it is outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface: one end of a `Link`, or a device without a cable."""

    namespace: str
    name: str
    addresses: tuple[str, ...] = ()
    """Such as "192.168.77.1/24" or "11.22.40.77 peer 11.22.40.1/32"."""
    bridge: str = ""
    """The bridge in the same namespace that this is plugged into."""
    made_by: str = ""
    """For a device: the ip(8) command that makes it, "tuntap add dev tun0 mode tun"."""


@dataclass(frozen=True, slots=True)
class Link:
    """A cable. A tunnel is one as well, with the tunnel's MTU: its user sees no difference."""

    a: Interface
    b: Interface
    mtu: int = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The whole lab."""

    name: str
    namespaces: tuple[Namespace, ...]
    links: tuple[Link, ...]
    devices: tuple[Interface, ...] = ()
    daemons: tuple[Daemon, ...] = ()
    wan: Interface | None = None
    """The home router's way out, whose address `Lab.change_wan` changes."""


def bridge(namespace: str, name: str, *addresses: str) -> Interface:
    """Return a switch that forwards from the first moment on, multicast included."""
    made_by = f"link add {name} type bridge forward_delay 0 mcast_snooping 0"
    return Interface(namespace=namespace, name=name, addresses=addresses, made_by=made_by)
