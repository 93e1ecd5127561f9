"""What follows about the line."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address

from .address import AddressKind


class LineMode(StrEnum):
    """How IPv4 crosses the line."""

    PUBLIC = "public"
    CGNAT = "cgnat"
    DOUBLE_NAT = "double_nat"
    DS_LITE = "ds_lite"
    OFFLINE = "offline"


class Confidence(StrEnum):
    """How sure the line mode is."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"

    @property
    def is_sure(self) -> bool:
        """Say whether one may act on it."""
        return self in {Confidence.CERTAIN, Confidence.LIKELY}


class Openable(StrEnum):
    """Which ports can be opened on the line."""

    ALL = "all"
    AFTER_SECOND_ROUTER = "after_second_router"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReport:
    """The line, as far as it is known.

    - `internet`: whether something outside was seen to answer; None when not known
    - `wan_ipv4`, `wan_kind`: the gateway's own address; no kind while no gateway answers
    - `public_ipv4`: the address that the outside sees
    - `confirmed_ipv4`: the address under which this home, and no other, can be named in DNS
    """

    mode: LineMode | None = None
    confidence: Confidence = Confidence.UNKNOWN
    ipv4_openable: Openable = Openable.UNKNOWN
    internet: bool | None = None
    wan_ipv4: IPv4Address | None = None
    wan_kind: AddressKind | None = None
    public_ipv4: IPv4Address | None = None
    confirmed_ipv4: IPv4Address | None = None
