"""Asking and telling the router."""

from .discover import find_location
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
from .link import Link
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

__all__ = [
    "UNKNOWN_LEASE",
    "ActionRefused",
    "Gateway",
    "GatewayError",
    "GatewayInfo",
    "GatewayNotFound",
    "GatewayUnreachable",
    "Granted",
    "Igd",
    "Link",
    "MappingKey",
    "NoPublicAddress",
    "NotPermitted",
    "Opening",
    "PortMapping",
    "PortTaken",
    "SamePortRequired",
    "Transport",
    "UpnpCode",
    "WanStatus",
    "find_location",
]
