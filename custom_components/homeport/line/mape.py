"""From the IPv6 address of a home to its IPv4 address and its ports (MAP-E, RFC 7597)."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from .carriers import Carrier
from .portset import PortSet
from .rule import InvalidRule, MapERule, RuleConfidence
from .rules import RuleTable, find_rule, find_rule_by_ipv4, load

__all__ = [
    "InvalidRule",
    "MapE",
    "MapERule",
    "RuleConfidence",
    "RuleTable",
    "find_rule",
    "find_rule_by_ipv4",
    "load",
]

_BITS = 128


@dataclass(frozen=True, slots=True)
class MapE:
    """What a rule makes of a home's prefix (RFC 7597 section 5.2).

    - `prefix`: the end-user IPv6 prefix, which is the home's own
    - `ipv4`, `psid`: the shared address, and the home's part of its ports
    """

    rule: MapERule
    prefix: IPv6Network
    ipv4: IPv4Address
    psid: int

    @classmethod
    def from_ipv6(cls, ipv6: IPv6Address, rule: MapERule | None = None) -> MapE | None:
        """Return what follows from any address of a home; None if there is no rule for it.

        `rule` is the user's own. It wins over the table where the address lies in it.
        """
        if rule is None or ipv6 not in rule.ipv6:
            rule = find_rule(ipv6)
        if rule is None:
            return None
        host_bits = _BITS - rule.end_user_length
        prefix = int(ipv6) >> host_bits
        ea = prefix & ((1 << rule.ea_length) - 1)
        return cls(
            rule,
            IPv6Network((prefix << host_bits, rule.end_user_length)),
            IPv4Address(int(rule.ipv4.network_address) | ea >> rule.psid_length),
            ea & ((1 << rule.psid_length) - 1),
        )

    @classmethod
    def from_ce_address(cls, ipv6: IPv6Address, rule: MapERule | None = None) -> MapE | None:
        """Return what a tunnel address that the user has read off the router says.

        None unless it is the one that its own prefix has, in either form.
        """
        found = cls.from_ipv6(ipv6, rule)
        if found is None or ipv6 not in {found.ce_address, found.ce_address_rfc7597}:
            return None
        return found

    @property
    def carrier(self) -> Carrier | None:
        """Return whose rule it is; None for one of the user's own."""
        return self.rule.carrier

    @property
    def port_set(self) -> PortSet:
        """Return the ports of the home."""
        return PortSet(self.rule.offset, self.rule.psid_length, self.psid)

    @property
    def ce_address(self) -> IPv6Address:
        """Return the router's end of the tunnel, in the form that is used in Japan.

        draft-ietf-softwire-map-03 section 6: the interface identifier is 8 bits of zero, the IPv4
        address, the PSID in 16 bits, and 8 bits of zero.
        """
        return self._address(int(self.ipv4) << 24 | self.psid << 8)

    @property
    def ce_address_rfc7597(self) -> IPv6Address:
        """Return the router's end of the tunnel, in the form of the standard.

        RFC 7597 section 6: the interface identifier is 16 bits of zero, the IPv4 address, and the
        PSID in 16 bits.
        """
        return self._address(int(self.ipv4) << 16 | self.psid)

    def _address(self, interface_id: int) -> IPv6Address:
        """Return an address in the first subnet, which is the one that MAP uses (section 5.2)."""
        return IPv6Address(int(self.prefix.network_address) | interface_id)
