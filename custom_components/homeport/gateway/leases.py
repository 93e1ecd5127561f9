"""For how long gateways keep a mapping, which each of them sees in its own way. Pure: no I/O."""

from typing import Final

from .errors import UpnpCode

PERMANENT: Final = 0
_HOUR = 3600
_WEEK = 604_800  # the longest lease of WANIPConnection:2 (section 2.3.24)
_WRONG_LEASE = frozenset(
    {
        UpnpCode.INVALID_ARGS,
        UpnpCode.ARGUMENT_VALUE_INVALID,
        UpnpCode.ARGUMENT_VALUE_OUT_OF_RANGE,
    }
)


def ladder(wanted: int, rule: int | None) -> list[int]:
    """Return the leases to try, in order and in seconds; a mapping for ever is the last resort.

    `rule` is the lease that this gateway took before instead of what was wanted: it comes first.
    """
    rungs = (wanted, _HOUR, _WEEK, PERMANENT)
    return list(dict.fromkeys(rungs if rule is None else (rule, *rungs)))


def after_refusal(code: int, rungs: list[int]) -> list[int]:
    """Return which of the leases that are left are worth trying after a refusal with this code."""
    if code == UpnpCode.ONLY_PERMANENT_LEASES:
        return [rung for rung in rungs if rung == PERMANENT]
    return rungs if code in _WRONG_LEASE else []
