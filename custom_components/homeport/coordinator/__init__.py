"""Where the rooms come together: a coordinator for the line, for each port and hostname."""

from .automatic import foreign_ports
from .base import HomeportCoordinator, Sessions
from .check import Check
from .data import HomeportConfigEntry, HomeportData
from .events import AddressEvent
from .exposure import Exposure
from .hostname import HostnameCoordinator
from .line import LineCoordinator
from .pinhole import PinholeReport, close_all_pinholes
from .port import PortCoordinator
from .port_report import PortReport
from .table import TableCoordinator, TableEvent, TableRow

__all__ = [
    "AddressEvent",
    "Check",
    "Exposure",
    "HomeportConfigEntry",
    "HomeportCoordinator",
    "HomeportData",
    "HostnameCoordinator",
    "LineCoordinator",
    "PinholeReport",
    "PortCoordinator",
    "PortReport",
    "Sessions",
    "TableCoordinator",
    "TableEvent",
    "TableRow",
    "close_all_pinholes",
    "foreign_ports",
]
