"""Which addresses there is a home behind."""

import errno
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
import socket
from typing import Final, TypeAlias

IPAddress: TypeAlias = IPv4Address | IPv6Address

# Python's own table calls these global, or did so in some version.
_NOBODYS: Final[tuple[IPv4Network | IPv6Network, ...]] = tuple(
    ip_network(each)
    for each in (
        "192.0.0.0/24",  # protocol assignments: DS-Lite, PCP and TURN anycast (RFC 6890)
        "192.31.196.0/24",  # AS112 (RFC 7535)
        "192.52.193.0/24",  # AMT (RFC 7450)
        "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
        "192.175.48.0/24",  # AS112 (RFC 7534)
        "2001::/23",  # protocol assignments, with Teredo and all the IPv4 in it (RFC 4380)
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4: an IPv4 address in disguise (RFC 3056)
        "2620:4f:8000::/48",  # AS112 (RFC 7534)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
# What is given out to networks (RFC 4291 section 2.4, IANA "IPv6 Global Unicast Address Space").
# IPv4-mapped, NAT64 (RFC 6052, RFC 8215), unique local and link-local addresses are all outside.
_UNICAST: Final = IPv6Network("2000::/3")

_SUBNET: Final = 64
"""Bits of a network with hosts in it (RFC 4291 section 2.5.1)."""
_HOST_BITS: Final = 128 - _SUBNET


def unmapped(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that a socket for both families shows inside an IPv6 one."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def is_global(address: IPAddress) -> bool:
    """Say whether a host on the internet can have this address."""
    if isinstance(address, IPv6Address) and (address.scope_id or address not in _UNICAST):
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in block for block in _NOBODYS)
    )


def is_own(address: IPAddress) -> bool:
    """Say whether an address is this machine's: nobody else's can be bound.

    It needs no list of interfaces, sees them as they are now, and local routes as well.
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind((str(address), 0))
    except OSError as err:
        # A machine without IPv6 has no IPv6 address either.
        return err.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
    return True


def is_allowed(address: IPAddress) -> bool:
    """Say whether an address may be dialled: somebody's on the internet, and not ours."""
    return is_global(address) and not is_own(address)


def network_of(address: IPAddress) -> tuple[int, int]:
    """Return what all addresses of one caller have in common: for IPv6 its /64."""
    return address.version, int(address) >> (_HOST_BITS if address.version == 6 else 0)


def is_of(address: IPAddress, caller: IPAddress) -> bool:
    """Say whether an address is the caller's, or for IPv6 one in the same /64."""
    return network_of(address) == network_of(caller)
