"""What a rule of deciding comes to."""

from dataclasses import dataclass

from .portset import PortSet
from .report import Confidence, LineMode, Openable, Reason, Remedy

# Where nothing can be opened whatever is done at home.
CLOSED = frozenset({LineMode.DS_LITE, LineMode.NAT64, LineMode.CGNAT, LineMode.NONE})


@dataclass(frozen=True, slots=True)
class Verdict:
    """How IPv4 crosses the line, as far as it follows.

    `reasons` and `remedies` are in the order of their weight.
    """

    mode: LineMode | None
    confidence: Confidence
    openable: Openable = Openable.UNKNOWN
    reasons: tuple[Reason, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    port_set: PortSet | None = None


def likely(
    mode: LineMode, *reasons: Reason, openable: Openable = Openable.UNKNOWN, **more: PortSet | None
) -> Verdict:
    """Return a verdict that one may act on."""
    return _verdict(mode, Confidence.LIKELY, reasons, openable, **more)


def certain(
    mode: LineMode, *reasons: Reason, openable: Openable = Openable.UNKNOWN, **more: PortSet | None
) -> Verdict:
    """Return a verdict that nothing speaks against."""
    return _verdict(mode, Confidence.CERTAIN, reasons, openable, **more)


def possible(mode: LineMode, *reasons: Reason, remedies: tuple[Remedy, ...] = ()) -> Verdict:
    """Return a guess, on which nothing may be built."""
    return Verdict(mode, Confidence.POSSIBLE, Openable.UNKNOWN, reasons, remedies)


def _verdict(
    mode: LineMode,
    confidence: Confidence,
    reasons: tuple[Reason, ...],
    openable: Openable,
    port_set: PortSet | None = None,
) -> Verdict:
    if mode in CLOSED:
        openable = Openable.NONE
    return Verdict(mode, confidence, openable, reasons, (), port_set)
