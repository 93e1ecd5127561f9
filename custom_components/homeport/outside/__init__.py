"""Asking the outside."""

from .echo import public_ipv4
from .errors import OtherAddress, OutsideError, OutsideInvalid, OutsideUnreachable
from .prober import EchoipProber

__all__ = [
    "EchoipProber",
    "OtherAddress",
    "OutsideError",
    "OutsideInvalid",
    "OutsideUnreachable",
    "public_ipv4",
]
