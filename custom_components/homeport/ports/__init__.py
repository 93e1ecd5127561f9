"""Wanted openings and actual ones."""

from .keeper import Keeper, Kept, NotDeleted
from .pinhole_keeper import KeptPinhole, PinholeKeeper
from .pinhole_plan import PinholeState, by_hand_only
from .plan import MappingState
from .reach import NotProbed, Reachability, address_to_probe, reachability

__all__ = [
    "Keeper",
    "Kept",
    "KeptPinhole",
    "MappingState",
    "NotDeleted",
    "NotProbed",
    "PinholeKeeper",
    "PinholeState",
    "Reachability",
    "address_to_probe",
    "by_hand_only",
    "reachability",
]
