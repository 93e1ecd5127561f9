"""Being a modest guest: how often an outside service may be asked."""


class TokenBucket:
    """`burst` requests at once, and then one in every `seconds`."""

    def __init__(self, burst: int, seconds: float) -> None:
        """Begin full."""
        self._burst = burst
        self._seconds = seconds
        self._tokens = float(burst)
        self._time: float | None = None

    def take(self, now: float) -> None:
        """Count a request at the time `now`, in seconds of a clock that is never set."""
        self._tokens = self._filled(now) - 1
        self._time = now

    def wait(self, now: float) -> float:
        """Return the seconds until the next request is allowed."""
        return max(0.0, (1 - self._filled(now)) * self._seconds)

    def _filled(self, now: float) -> float:
        since = 0.0 if self._time is None else now - self._time
        return min(float(self._burst), self._tokens + since / self._seconds)
