"""Which kind of network an address belongs to."""

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from ..host import AddressFlag
from .prefixes import PrefixTable

type IPAddress = IPv4Address | IPv6Address


class AddressKind(StrEnum):
    """What an address says about where it can be reached from."""

    GLOBAL = "global"
    PRIVATE = "private"
    SHARED = "shared"
    SERVICE_CONTINUITY = "service_continuity"
    LINK_LOCAL = "link_local"
    UNIQUE_LOCAL = "unique_local"
    NGN_ONLY = "ngn_only"
    SIX_TO_FOUR = "six_to_four"
    TEREDO = "teredo"
    DOCUMENTATION = "documentation"
    MULTICAST = "multicast"
    SPECIAL = "special"
    NONE = "none"

    @property
    def ipv4(self) -> bool:
        """Say whether an IPv4 address can be of this kind."""
        return self not in {
            AddressKind.UNIQUE_LOCAL,
            AddressKind.NGN_ONLY,
            AddressKind.SIX_TO_FOUR,
            AddressKind.TEREDO,
        }


class Stability(StrEnum):
    """How long an IPv6 address of this machine can be relied on."""

    STABLE = "stable"
    TEMPORARY = "temporary"  # RFC 8981, gone within days
    DEPRECATED = "deprecated"  # RFC 4862 section 5.5.4, not to be used for anything new
    TENTATIVE = "tentative"  # RFC 4862 section 5.4, perhaps another machine's


# Of blocks in each other the narrowest decides.
# Own tables rather than ipaddress.is_global: its answers have changed between Python releases.
_IPV4: Final = (
    ("10.0.0.0/8", AddressKind.PRIVATE),  # RFC 1918
    ("172.16.0.0/12", AddressKind.PRIVATE),  # RFC 1918
    ("192.168.0.0/16", AddressKind.PRIVATE),  # RFC 1918
    ("100.64.0.0/10", AddressKind.SHARED),  # RFC 6598
    ("192.0.0.0/29", AddressKind.SERVICE_CONTINUITY),  # RFC 7335
    ("169.254.0.0/16", AddressKind.LINK_LOCAL),  # RFC 3927
    ("0.0.0.0/8", AddressKind.SPECIAL),  # RFC 791, "this network"
    ("127.0.0.0/8", AddressKind.SPECIAL),  # RFC 1122, loopback
    ("192.0.0.0/24", AddressKind.SPECIAL),  # RFC 6890, protocol assignments
    ("192.0.2.0/24", AddressKind.DOCUMENTATION),  # RFC 5737, documentation
    ("198.51.100.0/24", AddressKind.DOCUMENTATION),  # RFC 5737, documentation
    ("203.0.113.0/24", AddressKind.DOCUMENTATION),  # RFC 5737, documentation
    ("192.88.99.0/24", AddressKind.SPECIAL),  # RFC 7526, former 6to4 relays
    ("198.18.0.0/15", AddressKind.SPECIAL),  # RFC 2544, benchmarking
    ("224.0.0.0/4", AddressKind.MULTICAST),  # RFC 5771, multicast
    ("240.0.0.0/4", AddressKind.SPECIAL),  # RFC 1112, reserved, with the broadcast address
)
_IPV6: Final = (
    ("fe80::/10", AddressKind.LINK_LOCAL),  # RFC 4291
    ("fc00::/7", AddressKind.UNIQUE_LOCAL),  # RFC 4193
    # Look global, but lead into NTT's closed network only.
    ("2001:c90::/32", AddressKind.NGN_ONLY),  # NTT East
    ("2404:1a8::/32", AddressKind.NGN_ONLY),  # NTT East
    ("2408::/22", AddressKind.NGN_ONLY),  # NTT East
    ("2001:d70::/30", AddressKind.NGN_ONLY),  # NTT West
    ("2001:a000::/21", AddressKind.NGN_ONLY),  # NTT West
    ("2001:db8::/32", AddressKind.DOCUMENTATION),  # RFC 3849, documentation
    ("3fff::/20", AddressKind.DOCUMENTATION),  # RFC 9637, documentation
    ("2001::/32", AddressKind.TEREDO),  # RFC 4380
    ("2001::/23", AddressKind.SPECIAL),  # RFC 2928, protocol assignments
    ("2002::/16", AddressKind.SIX_TO_FOUR),  # RFC 3056
    ("2000::/3", AddressKind.GLOBAL),  # RFC 4291, global unicast
    ("ff00::/8", AddressKind.MULTICAST),  # RFC 4291
    # All else is special: loopback, NAT64, the former site-local addresses, what is unassigned.
)
# Public on paper, but large networks without an internet side of their own own them, so providers
# that ran out of addresses use them behind their NAT (blocks of the US Department of Defense in the
# IANA IPv4 address space registry).
_SQUATTED: Final = frozenset({6, 7, 11, 21, 22, 25, 26, 28, 29, 30, 33, 55, 214, 215})
_IPV4_TABLE: Final = PrefixTable((IPv4Network(block), kind) for block, kind in _IPV4)
_IPV6_TABLE: Final = PrefixTable((IPv6Network(block), kind) for block, kind in _IPV6)


def address_kind(ip: IPAddress | None) -> AddressKind:
    """Return the kind of an address; `none` for no address, or for 0.0.0.0 and ::.

    An IPv4 address written inside IPv6 (::ffff:0:0/96) is judged as the IPv4 address it is.
    """
    if ip is None or ip.is_unspecified:
        return AddressKind.NONE
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return address_kind(ip.ipv4_mapped)
        return _IPV6_TABLE.find(ip) or AddressKind.SPECIAL
    return _IPV4_TABLE.find(ip) or AddressKind.GLOBAL


def is_squatted(ip: IPv4Address) -> bool:
    """Say whether providers are known to use an address behind their NAT though it is not theirs.

    A hint and no more: the owners of these blocks may announce any of them some day.
    """
    return ip.packed[0] in _SQUATTED


def stability(flags: AddressFlag) -> Stability:
    """Return how long an address can be relied on, by what the kernel says of it."""
    if flags & (AddressFlag.TENTATIVE | AddressFlag.DAD_FAILED):
        return Stability.TENTATIVE
    if flags & AddressFlag.DEPRECATED:
        return Stability.DEPRECATED
    return Stability.TEMPORARY if flags & AddressFlag.TEMPORARY else Stability.STABLE
