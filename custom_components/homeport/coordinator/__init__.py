"""Where the rooms come together: a coordinator for the line, for each port and hostname."""

from .base import HomeportCoordinator, Sessions
from .data import HomeportConfigEntry, HomeportData
from .events import AddressEvent
from .hostname import HostnameCoordinator
from .line import LineCoordinator
from .port import PortCoordinator, PortReport
from .table import TableCoordinator, TableEvent, TableRow

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
    "TableCoordinator",
    "TableEvent",
    "TableRow",
]
