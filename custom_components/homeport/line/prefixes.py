"""What belongs to the longest prefix that an address lies in."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network


class PrefixTable[NetworkT: (IPv4Network, IPv6Network), ValueT]:
    """Values by the network of one family that they hold for; made once, then only asked."""

    def __init__(self, entries: Iterable[tuple[NetworkT, ValueT]]) -> None:
        """Take each network with its value; the last one counts if a network comes twice."""
        by_shift: dict[int, dict[int, ValueT]] = {}
        for network, value in entries:
            shift = network.max_prefixlen - network.prefixlen
            by_shift.setdefault(shift, {})[int(network.network_address) >> shift] = value
        # The fewer bits are shifted out, the longer is the prefix.
        self._by_shift = sorted(by_shift.items(), key=lambda item: item[0])

    def find(self, ip: IPv4Address | IPv6Address) -> ValueT | None:
        """Return the value of the longest prefix that holds an address of this family."""
        number = int(ip)
        for shift, values in self._by_shift:
            if (value := values.get(number >> shift)) is not None:
                return value
        return None
