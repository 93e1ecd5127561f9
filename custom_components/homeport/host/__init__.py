"""What this machine knows by itself."""

from .model import AddressFlag, HostAddress, HostState, IPAddress, Neighbour, Route
from .mtu import mtu_from_mss, path_mtu
from .service import SeenService, service_seen
from .source import source_address
from .state import read_state
from .watch import Watch

__all__ = [
    "AddressFlag",
    "HostAddress",
    "HostState",
    "IPAddress",
    "Neighbour",
    "Route",
    "SeenService",
    "Watch",
    "mtu_from_mss",
    "path_mtu",
    "read_state",
    "service_seen",
    "source_address",
]
