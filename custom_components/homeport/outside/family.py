"""The two families of addresses, as everything that asks the outside tells them apart."""

from ipaddress import IPv4Address, IPv6Address
import socket
from typing import Final, Literal

type IPAddress = IPv4Address | IPv6Address
type Family = Literal[4, 6]
"""The IP version. A question goes out over it, and the answer has to be an address of it."""

SOCKET_FAMILY: Final[dict[Family, socket.AddressFamily]] = {
    4: socket.AF_INET,
    6: socket.AF_INET6,
}


def is_public(address: IPAddress, family: Family) -> bool:
    """Say whether somebody on the internet can see us at this address over this family.

    An IPv4 address written inside IPv6 and an address with a zone are what no packet comes from.
    """
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address.scope_id):
        return False
    return address.version == family and address.is_global and not address.is_multicast
