"""Wanted openings and actual ones."""

from .keeper import Keeper, Kept, NotDeleted
from .plan import MappingState
from .reach import NotProbed, Reachability, address_to_probe, reachability

__all__ = [
    "Keeper",
    "Kept",
    "MappingState",
    "NotDeleted",
    "NotProbed",
    "Reachability",
    "address_to_probe",
    "reachability",
]
