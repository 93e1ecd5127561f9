"""Asking the outside."""

from .bucket import TokenBucket
from .echo import Seen, public_address
from .errors import (
    OtherAddress,
    OutsideDisagree,
    OutsideError,
    OutsideInvalid,
    OutsideUnreachable,
)
from .home_gateway import NAME as HOME_GATEWAY_NAME, home_gateway
from .names import LineNames
from .natpmp_probe import ask_natpmp
from .prober import EchoipProber
from .second_hop import trace
from .stun import Binding, Sampled, StunServer, binding, parse_server, sample

__all__ = [
    "HOME_GATEWAY_NAME",
    "Binding",
    "EchoipProber",
    "LineNames",
    "OtherAddress",
    "OutsideDisagree",
    "OutsideError",
    "OutsideInvalid",
    "OutsideUnreachable",
    "Sampled",
    "Seen",
    "StunServer",
    "TokenBucket",
    "ask_natpmp",
    "binding",
    "home_gateway",
    "parse_server",
    "public_address",
    "sample",
    "trace",
]
