"""Which of the addresses that were found is a device's. Pure: no I/O, no clock."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_network

from ..host import HostState, IPAddress
from ..lan_target import may_be_device
from ..line import AddressKind, Stability, address_kind, stability

_PREFIX_LENGTH = 64  # RFC 4291 section 2.5.1: of every network that devices give addresses in
_IPV4_BITS = 32


def believable(address: IPAddress, host: HostState) -> bool:
    """Say whether an address that somebody named can be a device's at home.

    Of IPv4: a private one, or one on a network of this machine's own. Of IPv6: a global one on such
    a network that is still in use.
    """
    if isinstance(address, IPv6Address):
        return address_kind(address) is AddressKind.GLOBAL and any(
            isinstance(each.ip, IPv6Address)
            and stability(each.flags) in {Stability.STABLE, Stability.TEMPORARY}
            and address in ip_network((each.ip, _PREFIX_LENGTH), strict=False)
            for each in host.addresses
        )
    if not may_be_device(address):
        return False
    return address_kind(address) is AddressKind.PRIVATE or any(
        isinstance(each.ip, IPv4Address)
        and each.prefix_length < _IPV4_BITS
        and address in ip_network((each.ip, each.prefix_length), strict=False)
        for each in host.addresses
    )


def choose_ipv4(
    found: Mapping[IPv4Address, float], before: IPv4Address | None
) -> IPv4Address | None:
    """Return the address that came up last; of several the one before, or the first.

    `found` has the times since when each has been found. Where there is none it stays as it was:
    devices sleep, and come back where they were.
    """
    if not found:
        return before
    newest = [each for each, since in found.items() if since == max(found.values())]
    return before if before in newest else newest[0]


def choose_ipv6(
    found: Mapping[IPv6Address, float], before: IPv6Address | None, mac: str | None
) -> IPv6Address | None:
    """Return the address that will last, which a temporary one (RFC 8981) does not.

    That is the one with the MAC address in it, else the one that has been there for longest.
    """
    if not found:
        return before
    if mac and (fixed := [each for each in found if each.packed[8:] == interface_id(mac)]):
        return fixed[0]
    oldest = [each for each, since in found.items() if since == min(found.values())]
    return before if before in oldest else oldest[0]


def interface_id(mac: str) -> bytes:
    """Return the last 64 bits of an address with a MAC address in it (RFC 4291 appendix A)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return bytes([octets[0] ^ 0x02, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
