"""Asking and telling the router."""

from .announcements import Announcement, Announcements, Announcer
from .datagram import IPAddress
from .discover import find_location
from .epoch import Epoch, natpmp_lost_state, pcp_lost_state
from .errors import (
    ActionRefused,
    GatewayError,
    GatewayNotFound,
    GatewayUnreachable,
    NoPublicAddress,
    NotPermitted,
    PortTaken,
    SamePortRequired,
    UpnpCode,
)
from .igd import Igd
from .link import Link, Peer
from .mapper import Mappers
from .memory import Memory, opening_from_dict, opening_to_dict
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
from .resolve import resolve

__all__ = [
    "UNKNOWN_LEASE",
    "ActionRefused",
    "Announcement",
    "Announcements",
    "Announcer",
    "Epoch",
    "Gateway",
    "GatewayError",
    "GatewayInfo",
    "GatewayNotFound",
    "GatewayUnreachable",
    "Granted",
    "IPAddress",
    "Igd",
    "Link",
    "Mappers",
    "MappingKey",
    "Memory",
    "NoPublicAddress",
    "NotPermitted",
    "Opening",
    "Peer",
    "PortMapping",
    "PortTaken",
    "SamePortRequired",
    "Transport",
    "UpnpCode",
    "WanStatus",
    "find_location",
    "natpmp_lost_state",
    "opening_from_dict",
    "opening_to_dict",
    "pcp_lost_state",
    "resolve",
]
