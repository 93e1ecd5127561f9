"""Asking the outside."""

from .bound_session import OpenSession, bound_session
from .bucket import TokenBucket
from .check_host import CheckHostProber
from .echo import Seen, public_address
from .echoip import EchoipProber
from .errors import (
    OtherAddress,
    OutsideBusy,
    OutsideDisagree,
    OutsideError,
    OutsideInvalid,
    OutsideRefused,
    OutsideUnreachable,
)
from .family import Family, IPAddress
from .from_outside import IsOutside, outside_of
from .globalping import GlobalpingProber
from .home_gateway import NAME as HOME_GATEWAY_NAME, home_gateway
from .listener import NonceListener, listen
from .names import LineNames
from .natpmp_probe import ask_natpmp
from .own_port import AddressNotOwn, CannotListen, PortInUse
from .own_prober import OwnProber
from .portchecker import PortcheckerProber
from .prober import Abilities, Answer, Limit, Outcome, Prober, ProbeTransport, Question
from .refused import ProberRefused
from .response_port import StunProber
from .second_hop import trace
from .stun import Binding, Sampled, StunServer, binding, parse_server, sample

__all__ = [
    "HOME_GATEWAY_NAME",
    "Abilities",
    "AddressNotOwn",
    "Answer",
    "Binding",
    "CannotListen",
    "CheckHostProber",
    "EchoipProber",
    "Family",
    "GlobalpingProber",
    "IPAddress",
    "IsOutside",
    "Limit",
    "LineNames",
    "NonceListener",
    "OpenSession",
    "OtherAddress",
    "Outcome",
    "OutsideBusy",
    "OutsideDisagree",
    "OutsideError",
    "OutsideInvalid",
    "OutsideRefused",
    "OutsideUnreachable",
    "OwnProber",
    "PortInUse",
    "PortcheckerProber",
    "ProbeTransport",
    "Prober",
    "ProberRefused",
    "Question",
    "Sampled",
    "Seen",
    "StunProber",
    "StunServer",
    "TokenBucket",
    "ask_natpmp",
    "binding",
    "bound_session",
    "home_gateway",
    "listen",
    "outside_of",
    "parse_server",
    "public_address",
    "sample",
    "trace",
]
