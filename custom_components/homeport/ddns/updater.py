"""When an address is sent to a DDNS provider: a pure state machine, one per hostname.

Times are Unix times in seconds. Nothing here waits, sends or stores: `driver` does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
import hashlib
from ipaddress import IPv4Address, IPv6Address
import json
import math

from .provider import (
    Answer,
    AuthRefused,
    Blocked,
    ConfigRefused,
    DdnsError,
    Target,
    Unavailable,
    words,
)

BACKOFF_FIRST = 5.0
BACKOFF_LAST = 1800.0
# Longer waits come from a broken provider or a clock that was set back.
WAIT_LIMIT = 86400.0
# A new address may cut the back-off short while failures are this few: later it is an outage.
FEW_FAILURES = 2


class Status(StrEnum):
    """How it stands with a hostname."""

    OK = "ok"
    PENDING = "pending"
    WAITING = "waiting_for_provider"
    WRONG_CREDENTIALS = "wrong_credentials"
    REJECTED = "rejected"
    BLOCKED = "blocked_by_provider"
    NO_ADDRESS = "no_address"


_NOTHING = Target()

HALTED = frozenset({Status.WRONG_CREDENTIALS, Status.REJECTED, Status.BLOCKED})
_HALTS: Mapping[type[DdnsError], Status] = {
    AuthRefused: Status.WRONG_CREDENTIALS,
    ConfigRefused: Status.REJECTED,
    Blocked: Status.BLOCKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is known about one hostname.

    `sent` is what the provider acknowledged last. `failures` counts the attempts since then, the
    one under way (`sending`) included, and `not_before` is when the next may follow; both are set
    before an attempt, so that what is stored then restrains a machine that restarts in a loop.
    `held`: the provider asked for that wait.
    """

    status: Status = Status.NO_ADDRESS
    wanted: Target = _NOTHING
    sent: Target = _NOTHING
    sending: Target | None = None
    reply: str = ""
    failures: int = 0
    not_before: float | None = None
    held: bool = False
    last_attempt: float | None = None
    last_success: float | None = None
    fingerprint: str = ""

    def for_fingerprint(self, fingerprint: str) -> State:
        """Return the state to go on from with this configuration.

        After a change it is a new start: halts and waits end, what was sent counts no more.
        """
        if fingerprint == self.fingerprint:
            return self
        return State(
            status=Status.PENDING if self.wanted.known else Status.NO_ADDRESS,
            wanted=self.wanted,
            last_attempt=self.last_attempt,
            last_success=self.last_success,
            fingerprint=fingerprint,
        )

    def as_dict(self) -> dict[str, object]:
        """Return what outlives a restart, ready for JSON.

        What was wanted does not: the address may be another by then. What was under way does
        not: `failures` says that it was never acknowledged.
        """
        return {
            "status": self.status.value,
            "sent_ipv4": str(self.sent.ipv4 or ""),
            "sent_ipv6": str(self.sent.ipv6 or ""),
            "reply": self.reply,
            "failures": self.failures,
            "not_before": self.not_before,
            "held": self.held,
            "last_attempt": self.last_attempt,
            "last_success": self.last_success,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> State:
        """Return the stored state; a fresh one if the store is damaged."""
        try:
            sent = Target(
                ipv4=IPv4Address(ipv4) if (ipv4 := _text(data["sent_ipv4"])) else None,
                ipv6=IPv6Address(ipv6) if (ipv6 := _text(data["sent_ipv6"])) else None,
            )
            return cls(
                status=Status(_text(data["status"])),
                wanted=sent,
                sent=sent,
                reply=words(_text(data["reply"])),
                failures=_count(data["failures"]),
                not_before=_time(data["not_before"]),
                held=data["held"] is True,
                last_attempt=_time(data["last_attempt"]),
                last_success=_time(data["last_success"]),
                fingerprint=_text(data["fingerprint"]),
            )
        except LookupError, TypeError, ValueError, OverflowError:
            return cls()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("not a count")
    return value


def _time(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError("not a time")
    return float(value)


def fingerprint(provider: str, hostname: str, values: Mapping[str, str]) -> str:
    """Return a text that changes with the configuration and does not show the credentials.

    Keep it out of diagnostics all the same: a weak password can be guessed from it.
    """
    text = json.dumps([provider, hostname, sorted(values.items())])
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The addresses are these now, as far as they are known."""

    target: Target


@dataclass(frozen=True, slots=True)
class Tick:
    """The time to wait for has come, perhaps."""


@dataclass(frozen=True, slots=True)
class Forced:
    """Somebody wants it sent now, changed or not."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The provider acknowledged a target."""

    answer: Answer
    target: Target


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed."""

    error: DdnsError


type Event = Wanted | Tick | Forced | Answered | Failed


@dataclass(frozen=True, slots=True)
class Send:
    """Store the state, then send this."""

    target: Target


@dataclass(frozen=True, slots=True)
class Wait:
    """Come back with a Tick at this time."""

    until: float


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing to do until another event."""


type Action = Send | Wait | Idle


def transition(
    state: State, event: Event, now: float, jitter: Callable[[], float]
) -> tuple[State, Action]:
    """Return the state after an event, and what to do; `jitter` gives random numbers in [0, 1).

    While an attempt is under way, and while halted, new addresses are only remembered.
    """
    match event:
        case Wanted(target):
            wanted = state.wanted.updated(target)
            if wanted != state.wanted:
                state = _hastened(replace(state, wanted=wanted))
        case Forced() if state.sending is None and state.wanted.known:
            return _send(state, now, jitter)
        case Answered(answer, target):
            state = replace(
                state,
                status=Status.OK,
                sent=state.sent.updated(target),
                sending=None,
                reply=answer.reply,
                failures=0,
                not_before=None,
                held=False,
                last_success=now,
            )
        case Failed(error):
            state = _failed(state, error, now, jitter)
    return _next(state, now, jitter)


def _next(state: State, now: float, jitter: Callable[[], float]) -> tuple[State, Action]:
    """Decide what follows from a state alone."""
    if state.sending is not None or state.status in HALTED:
        return state, Idle()
    if not state.wanted.known:
        return replace(state, status=Status.NO_ADDRESS), Idle()
    # After a failure nobody knows what is published, so that even the address last
    # acknowledged has to be sent again.
    if state.wanted == state.sent and not state.failures:
        return replace(state, status=Status.OK), Idle()
    until = state.not_before
    if until is not None and until > now:
        if until > now + WAIT_LIMIT:
            until = now + BACKOFF_LAST
        return replace(state, status=Status.WAITING, not_before=until), Wait(until)
    return _send(state, now, jitter)


def _send(state: State, now: float, jitter: Callable[[], float]) -> tuple[State, Action]:
    """Begin an attempt. A halt or a wait stays visible until the provider has answered."""
    quiet = state.status is Status.WAITING or state.status in HALTED
    failures = state.failures + 1
    state = replace(
        state,
        status=state.status if quiet else Status.PENDING,
        sending=state.wanted,
        failures=failures,
        not_before=now + _backoff(failures, jitter),
        held=False,
        last_attempt=now,
    )
    return state, Send(state.wanted)


def _failed(state: State, error: DdnsError, now: float, jitter: Callable[[], float]) -> State:
    """Take in a failure: halt, or set the next attempt."""
    attempted = state.sending
    state = replace(state, sending=None, reply=error.reply)
    for kind, status in _HALTS.items():
        if isinstance(error, kind):
            return replace(state, status=status, not_before=None, held=False)
    asked = error.retry_after if isinstance(error, Unavailable) else None
    wait = max(_backoff(state.failures, jitter), min(asked or 0.0, WAIT_LIMIT))
    state = replace(state, not_before=now + wait, held=bool(asked))
    return state if attempted == state.wanted else _hastened(state)


def _hastened(state: State) -> State:
    """Let a new address go 5 s after the last attempt, unless the provider asked for more."""
    if state.not_before is None or state.last_attempt is None or state.held:
        return state
    if state.failures > FEW_FAILURES:
        return state
    return replace(state, not_before=min(state.not_before, state.last_attempt + BACKOFF_FIRST))


def _backoff(failures: int, jitter: Callable[[], float]) -> float:
    """Return seconds: from 5 s up to a limit that doubles from 10 s to 30 minutes, full jitter."""
    limit = min(BACKOFF_LAST, BACKOFF_FIRST * 2.0 ** min(failures, 10))
    return BACKOFF_FIRST + jitter() * (limit - BACKOFF_FIRST)
