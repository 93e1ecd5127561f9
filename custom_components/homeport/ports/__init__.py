"""Wanted openings and actual ones, and why one cannot be reached."""

from .curable import is_curable
from .diagnose import diagnose
from .diagnosis import (
    Advice,
    BlockedBy,
    Candidate,
    CertificateSeen,
    CheckedStep,
    Diagnosis,
    NameSeen,
    NextStep,
    OwnUrl,
    PortFacts,
    Reachability,
    ServiceSeen,
    Step,
    StepState,
)
from .keeper import Keeper, Kept, NotDeleted
from .pinhole_keeper import KeptPinhole, PinholeKeeper
from .pinhole_plan import PinholeState, by_hand_only
from .plan import MappingState
from .reach import NotProbed, question_allowed, seen_from_outside

__all__ = [
    "Advice",
    "BlockedBy",
    "Candidate",
    "CertificateSeen",
    "CheckedStep",
    "Diagnosis",
    "Keeper",
    "Kept",
    "KeptPinhole",
    "MappingState",
    "NameSeen",
    "NextStep",
    "NotDeleted",
    "NotProbed",
    "OwnUrl",
    "PinholeKeeper",
    "PinholeState",
    "PortFacts",
    "Reachability",
    "ServiceSeen",
    "Step",
    "StepState",
    "by_hand_only",
    "diagnose",
    "is_curable",
    "question_allowed",
    "seen_from_outside",
]
