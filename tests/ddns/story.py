"""Telling the updater's state machine a story, for its tests."""

from ipaddress import IPv4Address, IPv6Address
import json

from custom_components.homeport.ddns import (
    HALTED,
    Answer,
    DdnsError,
    State,
    Status,
    Target,
    Unavailable,
)
from custom_components.homeport.ddns.updater import (
    Action,
    Answered,
    Event,
    Failed,
    Idle,
    Wanted,
    transition,
)

A = Target(ipv4=IPv4Address("192.0.2.1"))
B = Target(ipv4=IPv4Address("192.0.2.2"))
C = Target(ipv4=IPv4Address("192.0.2.3"))
SIX = Target(ipv6=IPv6Address("2001:db8::6"))
T = 1_800_000_000.0


def restarted(state: State) -> State:
    """Return what comes back from the store."""
    return State.from_dict(json.loads(json.dumps(state.as_dict())))


class Story:
    """A machine with a clock: tells it things, and keeps what it answered."""

    def __init__(self, state: State | None = None, jitter: float = 0.5) -> None:
        self.now = T
        self.state = state or State()
        self.jitter = jitter
        self.action: Action = Idle()

    def tell(self, *events: Event) -> Action:
        for event in events:
            self.state, self.action = transition(self.state, event, self.now, lambda: self.jitter)
        return self.action

    def answer(self) -> Action:
        assert self.state.sending is not None
        return self.tell(Answered(Answer(changed=True, reply="good"), self.state.sending))

    def fail(self, error: DdnsError | None = None) -> Action:
        assert self.state.sending is not None
        return self.tell(Failed(error or Unavailable("TimeoutError")))

    def published(self, target: Target = A) -> Story:
        self.tell(Wanted(target))
        self.answer()
        assert self.state.status is Status.OK
        return self

    def halted(self, error: DdnsError) -> Story:
        self.tell(Wanted(A))
        self.fail(error)
        assert self.state.status in HALTED
        return self
