"""When an address is sent: the state machine over random histories."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv6Address
from typing import Any

from hypothesis import given, settings, strategies as st

from custom_components.homeport.ddns import (
    HALTED,
    Answer,
    AuthRefused,
    Blocked,
    ConfigRefused,
    DdnsError,
    State,
    Status,
    Target,
    Unavailable,
)
from custom_components.homeport.ddns.updater import (
    BACKOFF_FIRST,
    WAIT_LIMIT,
    Answered,
    Event,
    Failed,
    Forced,
    Send,
    Tick,
    Wait,
    Wanted,
    transition,
)

from .story import SIX, A, B, C, T, restarted

TARGETS = st.builds(
    Target,
    ipv4=st.sampled_from([None, A.ipv4, B.ipv4, C.ipv4]),
    ipv6=st.sampled_from([None, SIX.ipv6, IPv6Address("2001:db8::7")]),
)
ERRORS = st.sampled_from(
    [
        Unavailable("TimeoutError"),
        Unavailable("911", retry_after=1800),
        Unavailable("TimeoutError"),
        AuthRefused("badauth"),
        ConfigRefused("nohost"),
        Blocked("abuse"),
    ]
)


class History:
    """A machine and what the world knows about it; checks every step."""

    def __init__(self, jitter: float) -> None:
        self.state = State()
        self.now = T
        self.jitter = jitter
        self.wanted = Target()  # what was said last, since the last start
        self.acknowledged = Target()
        self.last_send = -BACKOFF_FIRST
        self.free = True  # the next attempt may follow at once: the last one succeeded
        self.certain = True  # nothing was attempted since the last acknowledgement

    def tell(self, event: Event) -> None:
        before = self.state
        self.state, action = transition(before, event, self.now, lambda: self.jitter)
        match action:
            case Send(target):
                self.check_send(before, event, target)
                self.last_send, self.free, self.certain = self.now, False, False
            case Wait(until):
                assert self.now < until <= self.now + WAIT_LIMIT
            case _ if self.state.sending is None and self.state.status not in HALTED:
                assert self.state.wanted == self.state.sent  # else it would wait for ever
        assert restarted(self.state) == replace(self.state, wanted=self.state.sent, sending=None)

    def check_send(self, before: State, event: Event, target: Target) -> None:
        assert before.sending is None or isinstance(event, (Answered, Failed))
        assert target == self.state.sending == self.state.wanted
        assert target.known
        assert self.state.last_attempt == self.now
        if not isinstance(event, Forced):
            assert before.status not in HALTED or isinstance(event, Answered)
            assert target != self.acknowledged or not self.certain
            assert self.free or self.now - self.last_send >= BACKOFF_FIRST

    def want(self, target: Target) -> None:
        self.wanted = self.wanted.updated(target)
        self.tell(Wanted(target))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.tell(Tick())

    def force(self, _: None = None) -> None:
        self.tell(Forced())

    def answer(self, _: None = None) -> None:
        if (sending := self.state.sending) is not None:
            self.acknowledged = self.acknowledged.updated(sending)
            self.free = self.certain = True
            self.tell(Answered(Answer(changed=True, reply="good"), sending))

    def fail(self, error: DdnsError) -> None:
        if self.state.sending is not None:
            self.tell(Failed(error))

    def restart(self, _: None = None) -> None:
        self.state, self.wanted = restarted(self.state), self.acknowledged
        self.tell(Wanted(Target()))


STEPS = st.one_of(
    st.tuples(st.just(History.want), TARGETS),
    st.tuples(st.just(History.pass_time), st.floats(0, 3600)),
    st.tuples(st.just(History.pass_time), st.floats(0, 10)),
    st.tuples(st.just(History.force), st.none()),
    st.tuples(st.just(History.answer), st.none()),
    st.tuples(st.just(History.fail), ERRORS),
    st.tuples(st.just(History.fail), st.just(Unavailable("TimeoutError"))),
    st.tuples(st.just(History.restart), st.none()),
)


@settings(max_examples=300)
@given(st.lists(STEPS, max_size=60), st.floats(0, 1, exclude_max=True))
def test_any_history(steps: list[tuple[Callable[..., None], Any]], jitter: float) -> None:
    history = History(jitter)
    for step, argument in steps:
        step(history, argument)
        assert history.state.wanted == history.wanted
        assert history.state.sent == history.acknowledged
    # In the end the newest address is there, unless somebody has to act first.
    for _ in range(3):
        history.answer()
        history.pass_time(WAIT_LIMIT)
    if history.state.status not in HALTED:
        assert history.acknowledged == history.wanted
        assert history.state.status is (Status.OK if history.wanted.known else Status.NO_ADDRESS)
