"""Homes, each with all that can be observed of it, and what is true of its line."""

from .homes import Truth
from .scenarios_closed import CLOSED
from .scenarios_odd import ODD
from .scenarios_own import OWN
from .scenarios_ports import PORTS

__all__ = ["SCENARIOS", "Truth"]

SCENARIOS = OWN | PORTS | CLOSED | ODD
