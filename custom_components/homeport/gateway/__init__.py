"""Asking and telling the router."""

from .announcements import Announcement, Announcements, Announcer
from .chain import Chain
from .datagram import IPAddress
from .description import parse_location
from .discover import find_location
from .epoch import Epoch, natpmp_lost_state, pcp_lost_state
from .errors import (
    ActionRefused,
    GatewayError,
    GatewayNotFound,
    GatewayUnreachable,
    NoPublicAddress,
    NotPermitted,
    PcpRefused,
    PortTaken,
    SamePortRequired,
    UpnpCode,
)
from .firewall import Firewall, FirewallPlace, PinholeUnsupported
from .hole import Hole, hole_from_dict, hole_to_dict
from .igd import Igd
from .link import Link, Peer
from .mapper import Mappers
from .memory import Memory, Second, opening_from_dict, opening_to_dict
from .model import (
    UNKNOWN_LEASE,
    Gateway,
    GatewayInfo,
    Granted,
    MappingKey,
    Opening,
    PortMapping,
    Transport,
    WanStatus,
)
from .pcp_message import PcpResult
from .pinhole import Pinhole, PinholeForbidden
from .pinhole_way import FirewallOff, PinholeWay
from .resolve import resolve

__all__ = [
    "UNKNOWN_LEASE",
    "ActionRefused",
    "Announcement",
    "Announcements",
    "Announcer",
    "Chain",
    "Epoch",
    "Firewall",
    "FirewallOff",
    "FirewallPlace",
    "Gateway",
    "GatewayError",
    "GatewayInfo",
    "GatewayNotFound",
    "GatewayUnreachable",
    "Granted",
    "Hole",
    "IPAddress",
    "Igd",
    "Link",
    "Mappers",
    "MappingKey",
    "Memory",
    "NoPublicAddress",
    "NotPermitted",
    "Opening",
    "PcpRefused",
    "PcpResult",
    "Peer",
    "Pinhole",
    "PinholeForbidden",
    "PinholeUnsupported",
    "PinholeWay",
    "PortMapping",
    "PortTaken",
    "SamePortRequired",
    "Second",
    "Transport",
    "UpnpCode",
    "WanStatus",
    "find_location",
    "hole_from_dict",
    "hole_to_dict",
    "natpmp_lost_state",
    "opening_from_dict",
    "opening_to_dict",
    "parse_location",
    "pcp_lost_state",
    "resolve",
]
