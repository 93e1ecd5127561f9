"""The NAT64 prefix of a line, hidden in addresses that its resolver makes up (RFC 7050)."""

from collections import defaultdict
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from itertools import islice
from typing import Final

WELL_KNOWN_NAME: Final = "ipv4only.arpa"
"""Has IPv4 addresses only, so that an IPv6 one is made from them (RFC 7050 section 3)."""
MAX_ADDRESSES: Final = 16
"""How many records are looked at: two for each prefix, and lines have one prefix or two."""

_WELL_KNOWN: Final = frozenset(
    {IPv4Address("192.0.0.170").packed, IPv4Address("192.0.0.171").packed}
)
# RFC 6052 section 2.2: which octets hold the IPv4 address, by length of the prefix. Octet 8 is 0.
_OCTETS: Final = {
    32: (4, 5, 6, 7),
    40: (5, 6, 7, 9),
    48: (6, 7, 9, 10),
    56: (7, 9, 10, 11),
    64: (9, 10, 11, 12),
    96: (12, 13, 14, 15),
}
_ZERO_OCTET: Final = 8
# Where a prefix can lie. Mapped and compatible addresses (::/96, ::ffff:0:0/96) cross no NAT64.
_BLOCKS: Final = tuple(
    IPv6Network(block)
    for block in (
        "64:ff9b::/96",  # RFC 6052 section 2.1
        "64:ff9b:1::/48",  # RFC 8215
        "2000::/3",  # RFC 4291 section 2.4, global unicast
        "fc00::/7",  # RFC 4193
    )
)


def nat64_prefix(addresses: Iterable[IPv6Address]) -> IPv6Network | None:
    """Return the prefix that the AAAA records of ipv4only.arpa were made with; None without one.

    Of several the lowest, whatever the order of the records. An address that can be read in more
    than one way counts only where the other well-known address stands at the same place
    (RFC 7050 section 3).
    """
    found: set[IPv6Network] = set()
    doubtful: defaultdict[IPv6Network, set[bytes]] = defaultdict(set)
    for address in islice(addresses, MAX_ADDRESSES):
        readings = _readings(address)
        if len(readings) == 1:
            found.update(readings)
        for prefix, ipv4 in readings.items():
            doubtful[prefix].add(ipv4)
    found.update(prefix for prefix, seen in doubtful.items() if seen == _WELL_KNOWN)
    return min(found, default=None)


def _readings(address: IPv6Address) -> dict[IPv6Network, bytes]:
    """Return the prefixes with which an address holds a well-known one, and which it holds."""
    packed = address.packed
    if packed[_ZERO_OCTET]:
        return {}
    return {
        prefix: ipv4
        for length, octets in _OCTETS.items()
        if (ipv4 := bytes(packed[i] for i in octets)) in _WELL_KNOWN
        and any(
            (prefix := IPv6Network((address, length), strict=False)).subnet_of(block)
            for block in _BLOCKS
        )
    }
