"""Being a modest guest: how often an outside service may be asked."""

from collections.abc import Mapping
import math
from typing import Self


class TokenBucket:
    """`burst` requests at once, and then one in every `seconds`.

    Times are seconds of one clock. It had better be one that is never set; where the limit has to
    hold over a restart it is the wall clock, seconds since 1970. One that was set back gives no new
    requests, and makes nobody wait for the time to come again.
    """

    def __init__(self, burst: int, seconds: float) -> None:
        """Begin full."""
        self._burst = burst
        self._seconds = seconds
        self._tokens = float(burst)
        self._time: float | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, object], burst: int, seconds: float) -> Self:
        """Go on from what `to_dict` returned, of a clock that goes on over restarts.

        The next request is at most `burst` times `seconds` away. Raises KeyError, TypeError or
        ValueError for anything else.
        """
        tokens, time = _number(data["tokens"]), data["time"]
        bucket = cls(burst, seconds)
        bucket._tokens = min(max(tokens, 1.0 - burst), float(burst))
        bucket._time = None if time is None else _number(time)
        return bucket

    def to_dict(self) -> dict[str, float | None]:
        """Return what JSON can keep of it."""
        return {"tokens": self._tokens, "time": self._time}

    def take(self, now: float) -> None:
        """Count a request at the time `now`."""
        self._fill(now)
        self._tokens -= 1

    def hold(self, now: float, seconds: float) -> None:
        """Allow no request for `seconds` from the time `now`."""
        self._fill(now)
        self._tokens = min(self._tokens, 1 - seconds / self._seconds)

    def wait(self, now: float, ahead: int = 0) -> float:
        """Return the seconds until the next request is allowed, with so many others before it."""
        self._fill(now)
        return max(0.0, (1 + ahead - self._tokens) * self._seconds)

    def _fill(self, now: float) -> None:
        since = 0.0 if self._time is None else max(0.0, now - self._time)
        self._tokens = min(float(self._burst), self._tokens + since / self._seconds)
        self._time = now


def _number(said: object) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise TypeError("not a number")
    try:
        number = float(said)
    except OverflowError as err:
        raise ValueError("too large a number") from err
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number
