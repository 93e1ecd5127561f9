"""A MAP-E rule: how an IPv6 prefix tells the IPv4 address and the ports of a home."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

from .carriers import Carrier

_IPV4_BITS = 32
_PORT_BITS = 16
_SUBNET_BITS = 64
_LARGEST_OFFSET = 15  # RFC 7598 section 4.5


class InvalidRule(ValueError):
    """A rule that cannot be one; `translation_key` names the part that is wrong."""

    def __init__(self, translation_key: str, message: str) -> None:
        """Take the key of the text for users, and words for the log."""
        super().__init__(message)
        self.translation_key = translation_key


class RuleConfidence(StrEnum):
    """How well a rule is founded; a user's own counts as high."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class MapERule:
    """A basic mapping rule (RFC 7597 section 5).

    `ea_length` are the bits behind the IPv6 prefix that hold the IPv4 suffix and then the PSID,
    `offset` are the PSID offset bits. Raises InvalidRule for one that gives no home a port.
    """

    ipv6: IPv6Network
    ipv4: IPv4Network
    ea_length: int
    offset: int
    carrier: Carrier | None = None
    confidence: RuleConfidence = RuleConfidence.HIGH

    def __post_init__(self) -> None:
        """Refuse what no home behind the line could make use of."""
        # What a home sees of its own address tells the first 64 bits of its prefix, not more.
        if self.ipv6.prefixlen > _SUBNET_BITS:
            raise InvalidRule("invalid_ipv6_prefix", f"{self.ipv6} is longer than /64")
        if not 0 <= self.ea_length <= _SUBNET_BITS - self.ipv6.prefixlen:
            raise InvalidRule("invalid_ea_length", f"{self.ea_length} EA bits behind {self.ipv6}")
        # With fewer bits a home has an IPv4 prefix (section 5.2), and no line like that is known.
        if not 0 <= self.psid_length < _PORT_BITS:
            raise InvalidRule("invalid_ea_length", f"{self.ea_length} EA bits with {self.ipv4}")
        if not 0 <= self.offset <= min(_LARGEST_OFFSET, _PORT_BITS - self.psid_length):
            raise InvalidRule(
                "invalid_psid_offset",
                f"an offset of {self.offset} bits with a PSID of {self.psid_length}",
            )

    @classmethod
    def parse(cls, ipv6: str, ipv4: str, ea_length: int, offset: int) -> MapERule:
        """Return the rule that a user states, both prefixes as "address/length"."""
        return cls(
            _network(IPv6Network, ipv6, "invalid_ipv6_prefix"),
            _network(IPv4Network, ipv4, "invalid_ipv4_prefix"),
            ea_length,
            offset,
        )

    @property
    def suffix_length(self) -> int:
        """Return how many bits of the IPv4 address come from the IPv6 prefix."""
        return _IPV4_BITS - self.ipv4.prefixlen

    @property
    def psid_length(self) -> int:
        """Return the length of the PSID in bits; 0 if the address is not shared."""
        return self.ea_length - self.suffix_length

    @property
    def end_user_length(self) -> int:
        """Return the length of the prefix that a home has."""
        return self.ipv6.prefixlen + self.ea_length


def _network[NetworkT: (IPv4Network, IPv6Network)](
    kind: type[NetworkT], text: str, translation_key: str
) -> NetworkT:
    text = text.strip()
    _, slash, length = text.partition("/")
    # Also the zone of a link-local address is no part of a prefix.
    if not slash or not length.isdecimal() or "%" in text:
        raise InvalidRule(translation_key, f"{text!r} is not of the form address/length")
    try:
        return kind(text)
    except ValueError as err:
        raise InvalidRule(translation_key, str(err)) from err
