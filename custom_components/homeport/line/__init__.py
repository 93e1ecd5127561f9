"""From evidence to the line."""

from .address import AddressKind, Stability, address_kind, stability
from .carriers import AFTR_NAMES, Carrier
from .classify import classify
from .evidence import (
    EchoEvidence,
    Evidence,
    GatewayEvidence,
    HomeGatewayEvidence,
    MtuEvidence,
    NamesEvidence,
    Proof,
    SecondHopEvidence,
    StunEvidence,
)
from .mape import MapE, MapERule, load as load_rules
from .portset import PortSet
from .report import Confidence, Ipv6Mode, LineMode, LineReport, Openable, Reason, Remedy
from .same_network import on_same_network

__all__ = [
    "AFTR_NAMES",
    "AddressKind",
    "Carrier",
    "Confidence",
    "EchoEvidence",
    "Evidence",
    "GatewayEvidence",
    "HomeGatewayEvidence",
    "Ipv6Mode",
    "LineMode",
    "LineReport",
    "MapE",
    "MapERule",
    "MtuEvidence",
    "NamesEvidence",
    "Openable",
    "PortSet",
    "Proof",
    "Reason",
    "Remedy",
    "SecondHopEvidence",
    "Stability",
    "StunEvidence",
    "address_kind",
    "classify",
    "load_rules",
    "on_same_network",
    "stability",
]
