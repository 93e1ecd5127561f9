"""How much anybody may ask for."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

REMEMBERED: Final = 10_000
"""Callers; who has not been seen for longest is forgotten, and begins anew."""


class Buckets:
    """For each key `burst` requests at once, and then one in every `seconds`.

    Times are seconds of a clock that is never set.
    """

    def __init__(self, burst: int, seconds: float, remembered: int = REMEMBERED) -> None:
        """Begin with everybody's bucket full."""
        self._burst = burst
        self._seconds = seconds
        self._remembered = remembered
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, key: Hashable, now: float) -> float:
        """Count a request and return 0, or return the seconds until there may be one."""
        left, since = self._left.pop(key, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) / self._seconds)
        wait = max(0.0, (1.0 - left) * self._seconds)
        self._left[key] = (left if wait else left - 1.0, now)
        if len(self._left) > self._remembered:
            self._left.popitem(last=False)
        return wait
