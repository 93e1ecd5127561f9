"""Asking the outside."""

from .bucket import TokenBucket
from .echo import public_ipv4
from .errors import OtherAddress, OutsideError, OutsideInvalid, OutsideUnreachable
from .prober import EchoipProber

__all__ = [
    "EchoipProber",
    "OtherAddress",
    "OutsideError",
    "OutsideInvalid",
    "OutsideUnreachable",
    "TokenBucket",
    "public_ipv4",
]
