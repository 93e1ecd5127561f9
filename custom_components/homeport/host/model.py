"""What this machine knows of its own network."""

from dataclasses import dataclass
from enum import IntFlag
from ipaddress import IPv4Address, IPv6Address
from typing import Final

type IPAddress = IPv4Address | IPv6Address


class AddressFlag(IntFlag):
    """What the kernel says of an address (linux/if_addr.h, IFA_F_*)."""

    TEMPORARY = 0x01  # IFA_F_SECONDARY for IPv4
    NODAD = 0x02
    OPTIMISTIC = 0x04
    DAD_FAILED = 0x08
    HOME_ADDRESS = 0x10
    DEPRECATED = 0x20
    TENTATIVE = 0x40
    PERMANENT = 0x80
    MANAGE_TEMPORARY = 0x100
    NO_PREFIX_ROUTE = 0x200
    MULTICAST_AUTO_JOIN = 0x400
    STABLE_PRIVACY = 0x800


_NO_FLAGS: Final = AddressFlag(0)


@dataclass(frozen=True, slots=True)
class HostAddress:
    """An address of this machine.

    `preferred` and `valid` are the seconds left when it was read; None for ever.
    """

    ip: IPAddress
    prefix_length: int
    interface: str
    flags: AddressFlag = _NO_FLAGS
    preferred: int | None = None
    valid: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """The way that a packet to the internet takes.

    `gateway` is None on a link that needs none (PPP, a tunnel). `tunnel` says that the interface is
    no Ethernet: a VPN, PPP, or another tunnel of this machine's own.
    """

    gateway: IPAddress | None
    interface: str
    source: IPAddress | None = None
    tunnel: bool = False


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another machine on the same link, as the kernel knows it; `mac` is lower case with colons."""

    ip: IPAddress
    mac: str
    interface: str
    router: bool = False


@dataclass(frozen=True, slots=True)
class HostState:
    """This machine's network at one moment.

    - `ipv4_route`, `ipv6_route`: the way to the internet; None where there is none
    - `name_servers`: what routers have announced (RFC 8106), as far as it was heard
    - `complete`: False where netlink is missing, so that `addresses` holds only the sources that
      the kernel would use, without flags, `neighbours` nothing, and the routes neither gateway nor
      interface (an empty name)
    """

    addresses: tuple[HostAddress, ...] = ()
    ipv4_route: Route | None = None
    ipv6_route: Route | None = None
    neighbours: tuple[Neighbour, ...] = ()
    name_servers: tuple[IPv6Address, ...] = ()
    complete: bool = True
