"""Telling who is outside of the home."""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network

from .family import IPAddress, is_public

type IsOutside = Callable[[IPAddress], bool]
"""Says whether an address is somebody's outside of the home."""


def outside_of(own: Iterable[IPv4Network | IPv6Network]) -> IsOutside:
    """Return what says whether an address is a global one, and in none of the home's networks.

    `own` has to name the home's public IPv4 address as well: a router that sends what comes from
    the LAN back into it (hairpin, RFC 4787 section 6) makes it look as if it came from there.
    """
    networks = tuple(own)

    def is_outside(address: IPAddress) -> bool:
        if not is_public(address, address.version):
            return False
        return not any(address in network for network in networks)

    return is_outside
