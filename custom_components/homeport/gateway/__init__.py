"""Asking and telling the router."""

from .discover import find_location
from .errors import (
    ActionRefused,
    GatewayError,
    GatewayNotFound,
    GatewayUnreachable,
)
from .igd import Igd
from .link import Link
from .model import (
    Gateway,
    GatewayInfo,
    MappingKey,
    Opening,
    PortMapping,
    Transport,
    WanStatus,
)

__all__ = [
    "ActionRefused",
    "Gateway",
    "GatewayError",
    "GatewayInfo",
    "GatewayNotFound",
    "GatewayUnreachable",
    "Igd",
    "Link",
    "MappingKey",
    "Opening",
    "PortMapping",
    "Transport",
    "WanStatus",
    "find_location",
]
