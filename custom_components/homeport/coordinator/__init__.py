"""Where the rooms come together: one coordinator for the line, one for each port and hostname."""

from .base import HomeportCoordinator, Sessions
from .data import HomeportConfigEntry, HomeportData
from .events import AddressEvent
from .hostname import HostnameCoordinator
from .line import LineCoordinator
from .port import PortCoordinator, PortReport

__all__ = [
    "AddressEvent",
    "HomeportConfigEntry",
    "HomeportCoordinator",
    "HomeportData",
    "HostnameCoordinator",
    "LineCoordinator",
    "PortCoordinator",
    "PortReport",
    "Sessions",
]
