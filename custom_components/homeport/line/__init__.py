"""From evidence to the line."""

from .address import AddressKind, address_kind
from .classify import classify
from .evidence import EchoEvidence, Evidence, GatewayEvidence
from .report import Confidence, LineMode, LineReport, Openable

__all__ = [
    "AddressKind",
    "Confidence",
    "EchoEvidence",
    "Evidence",
    "GatewayEvidence",
    "LineMode",
    "LineReport",
    "Openable",
    "address_kind",
    "classify",
]
