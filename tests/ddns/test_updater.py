"""When an address is sent: the state machine, by examples."""

import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.ddns import (
    AuthRefused,
    Blocked,
    ConfigRefused,
    DdnsError,
    State,
    Status,
    Target,
    Unavailable,
    fingerprint,
)
from custom_components.homeport.ddns.updater import (
    BACKOFF_LAST,
    WAIT_LIMIT,
    Forced,
    Idle,
    Send,
    Tick,
    Wait,
    Wanted,
    transition,
)

from .story import SIX, A, B, C, Story, T, restarted


def test_the_first_address_goes_at_once() -> None:
    story = Story()
    assert story.state.status is Status.NO_ADDRESS
    assert story.tell(Wanted(A)) == Send(A)
    assert story.state.status is Status.PENDING
    assert story.state.sent == Target()
    assert story.answer() == Idle()
    assert story.state.status is Status.OK
    assert story.state.sent == A
    assert story.state.reply == "good"
    assert story.state.last_attempt == story.state.last_success == T
    assert story.state.failures == 0


def test_an_unchanged_address_is_not_sent_again() -> None:
    story = Story().published()
    story.now += 1e6
    assert story.tell(Wanted(A), Tick(), Wanted(Target()), Tick()) == Idle()
    assert story.state.status is Status.OK


def test_a_changed_address_goes_at_once_after_a_success() -> None:
    story = Story().published()
    story.now += 0.1
    assert story.tell(Wanted(B)) == Send(B)


def test_what_is_unknown_keeps_what_is_published() -> None:
    story = Story()
    assert story.tell(Wanted(Target())) == Idle()
    assert story.state.status is Status.NO_ADDRESS
    story.published(A)
    assert story.tell(Wanted(SIX)) == Send(Target(ipv4=A.ipv4, ipv6=SIX.ipv6))
    story.answer()
    assert story.tell(Wanted(Target())) == Idle()
    assert story.state.status is Status.OK
    assert story.state.sent == Target(ipv4=A.ipv4, ipv6=SIX.ipv6)


def test_while_sending_only_the_newest_target_is_remembered() -> None:
    story = Story()
    story.tell(Wanted(A))
    assert story.tell(Wanted(B)) == Idle()
    assert story.tell(Tick(), Forced()) == Idle()
    assert story.tell(Wanted(C)) == Idle()
    assert story.answer() == Send(C)
    assert story.answer() == Idle()
    assert story.state.sent == C


def test_back_to_the_old_address_while_the_new_one_is_being_sent() -> None:
    story = Story().published(A)
    story.tell(Wanted(B))
    assert story.tell(Wanted(A)) == Idle()
    assert story.answer() == Send(A)


def test_after_a_failure_nobody_knows_what_is_published() -> None:
    story = Story().published(A)
    story.tell(Wanted(B))
    story.fail()
    assert isinstance(story.tell(Wanted(A)), Wait)
    story.now += BACKOFF_LAST
    assert story.tell(Tick()) == Send(A)


@pytest.mark.parametrize(
    ("jitter", "waits"),
    [
        (0.0, [5.0] * 12),
        (
            1.0,
            [10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800, 1800, 1800],
        ),
    ],
)
def test_the_back_off_doubles_up_to_half_an_hour(jitter: float, waits: list[float]) -> None:
    story = Story(jitter=jitter)
    story.tell(Wanted(A))
    seen = []
    for _ in waits:
        action = story.fail()
        assert isinstance(action, Wait)
        assert story.state.status is Status.WAITING
        seen.append(action.until - story.now)
        story.now = action.until - 0.01
        assert story.tell(Tick()) == action
        story.now = action.until
        assert story.tell(Tick()) == Send(A)
        # Trying again is no change that anybody needs to see.
        assert story.state.status is Status.WAITING
    assert seen == waits
    story.answer()
    assert story.state.status is Status.OK


@pytest.mark.parametrize(
    ("asked", "wait"), [(1, 7.5), (1800, 1800), (WAIT_LIMIT, WAIT_LIMIT), (1e12, WAIT_LIMIT)]
)
def test_the_provider_may_ask_for_a_longer_wait(asked: float, wait: float) -> None:
    story = Story()
    story.tell(Wanted(A))
    assert story.fail(Unavailable("911", retry_after=asked)) == Wait(T + wait)
    assert story.tell(Wanted(B)) == Wait(T + wait)  # also for a new address
    assert Story(restarted(story.state)).tell(Wanted(C)) == Wait(T + wait)
    story.now = T + wait
    assert story.tell(Tick()) == Send(B)


def test_a_new_address_cuts_a_short_back_off() -> None:
    story = Story(jitter=1.0)
    story.tell(Wanted(A))
    story.fail()
    story.now += 1
    assert story.tell(Wanted(A)) == Wait(T + 10)
    assert story.tell(Wanted(B)) == Wait(T + 5)
    assert story.tell(Wanted(C)) == Wait(T + 5)
    story.now = T + 5
    assert story.tell(Tick()) == Send(C)
    story.tell(Wanted(A))
    assert story.fail() == Wait(T + 10)  # it came in during the attempt
    story.now = T + 10
    story.tell(Tick())
    assert story.fail() == Wait(T + 10 + 40)
    assert story.tell(Wanted(B)) == Wait(T + 10 + 40)  # by now it is an outage


HALTS = [
    (AuthRefused("badauth"), Status.WRONG_CREDENTIALS),
    (ConfigRefused("nohost"), Status.REJECTED),
    (Blocked("abuse"), Status.BLOCKED),
]


@pytest.mark.parametrize(("error", "status"), HALTS)
def test_a_halt_ends_by_new_credentials_alone(error: DdnsError, status: Status) -> None:
    story = Story().halted(error)
    assert story.state.status is status
    assert story.state.reply == error.reply
    story.now += 1e7
    assert story.tell(Tick(), Wanted(B), Tick()) == Idle()
    again = Story(restarted(story.state).for_fingerprint(""))
    assert again.tell(Wanted(C), Tick()) == Idle()
    assert again.state.status is status
    fresh = Story(restarted(story.state).for_fingerprint("other"))
    assert fresh.tell(Wanted(C)) == Send(C)
    assert restarted(fresh.state).fingerprint == "other"


@pytest.mark.parametrize(("error", "status"), HALTS)
def test_force_tries_once_in_a_halt(error: DdnsError, status: Status) -> None:
    story = Story().halted(error)
    story.tell(Wanted(B))
    for failure in (error, Unavailable("TimeoutError")):
        assert story.tell(Forced()) == Send(B)
        # What is stored before the attempt is still the halt.
        assert restarted(story.state).status is status
        assert story.fail(failure) == Idle()
        assert story.state.status is status
        assert story.tell(Wanted(C), Wanted(B), Tick()) == Idle()
    assert story.tell(Forced()) == Send(B)
    assert story.answer() == Idle()
    assert story.state.status is Status.OK


def test_a_forced_attempt_may_end_in_another_halt() -> None:
    story = Story().halted(AuthRefused("badauth"))
    story.tell(Forced())
    story.fail(Blocked("abuse"))
    assert story.state.status is Status.BLOCKED


def test_force_sends_what_is_unchanged_and_does_not_wait() -> None:
    story = Story().published()
    assert story.tell(Forced()) == Send(A)
    story.fail(Unavailable("911", retry_after=1800))
    assert story.tell(Forced()) == Send(A)
    assert story.tell(Forced()) == Idle()  # it is under way


def test_force_without_an_address_does_nothing() -> None:
    story = Story()
    assert story.tell(Forced()) == Idle()
    assert story.state.status is Status.NO_ADDRESS


def test_a_restart_sends_nothing_that_was_acknowledged() -> None:
    story = Story(restarted(Story().published().state))
    assert story.state.sent == A
    assert story.tell(Tick(), Wanted(A)) == Idle()
    assert story.tell(Wanted(B)) == Send(B)


def test_a_restart_does_not_send_an_address_of_yesterday() -> None:
    story = Story().published(A)
    story.tell(Wanted(B))
    story.fail()
    again = Story(restarted(story.state))
    again.now += 1e6
    assert again.tell(Wanted(SIX)) == Send(Target(ipv4=A.ipv4, ipv6=SIX.ipv6))


def test_a_restart_during_an_attempt_sends_again_but_not_at_once() -> None:
    story = Story().published(A)
    story.now += 100
    story.tell(Wanted(B))
    again = Story(restarted(story.state))  # as it was stored before sending
    again.now = story.now + 1
    assert again.tell(Wanted(B)) == Wait(story.now + 5)
    again.now = story.now + 5
    assert again.tell(Tick()) == Send(B)
    assert again.answer() == Idle()


def test_a_machine_that_restarts_in_a_loop_does_not_hammer() -> None:
    state, now, sends = State(), T, []
    for _ in range(5000):
        now += 1
        state = restarted(state)
        state, action = transition(state, Wanted(A), now, lambda: 0.5)
        if isinstance(action, Send):
            sends.append(now)
    assert 5 <= len(sends) <= 15


def test_a_clock_that_was_set_back_does_not_stop_everything() -> None:
    story = Story()
    story.tell(Wanted(A))
    story.fail()
    story.now = 1000.0
    assert story.tell(Tick()) == Wait(1000.0 + BACKOFF_LAST)
    assert story.tell(Tick()) == Wait(1000.0 + BACKOFF_LAST)
    story.now += BACKOFF_LAST
    assert story.tell(Tick()) == Send(A)


def test_new_credentials_make_a_new_start() -> None:
    state = Story().published().state
    assert state.for_fingerprint("") is state
    story = Story(state.for_fingerprint("new"))
    assert story.state.status is Status.PENDING
    assert story.tell(Wanted(A)) == Send(A)


def test_fingerprints_differ_with_everything_that_is_configured() -> None:
    values = {"username": "u", "password": "hunter2"}
    one = fingerprint("dyndns2", "home.example.org", values)
    assert one == fingerprint("dyndns2", "home.example.org", dict(reversed(values.items())))
    others = [
        fingerprint("rfc2136", "home.example.org", values),
        fingerprint("dyndns2", "away.example.org", values),
        fingerprint("dyndns2", "home.example.org", {**values, "password": "hunter3"}),
        fingerprint("dyndns2", "home.example.org", {"username": "u"}),
    ]
    assert len({one, *others}) == 5
    assert "hunter2" not in one


GOOD = Story().published().state.as_dict()


@pytest.mark.parametrize(
    "damage",
    [
        {"status": "great"},
        {"status": None},
        {"status": ["ok"]},
        {"sent_ipv4": "192.0.2.256"},
        {"sent_ipv4": 3221225985},
        {"sent_ipv6": "192.0.2.1"},
        {"failures": -1},
        {"failures": "1"},
        {"failures": True},
        {"not_before": float("nan")},
        {"not_before": "soon"},
        {"not_before": 10**400},
        {"last_attempt": float("inf")},
        {"last_success": []},
        {"reply": 5},
        {"fingerprint": None},
    ],
)
def test_a_damaged_store_is_a_fresh_start(damage: dict[str, Any]) -> None:
    assert State.from_dict({**GOOD, **damage}) == State()
    assert State.from_dict(GOOD).sent == A


@pytest.mark.parametrize("key", sorted(GOOD))
def test_a_store_that_lacks_something_is_a_fresh_start(key: str) -> None:
    assert State.from_dict({k: v for k, v in GOOD.items() if k != key}) == State()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), JSON))
def test_no_store_stops_the_machine(damage: dict[str, Any]) -> None:
    state = State.from_dict({**GOOD, **damage})
    state, action = transition(state, Wanted(B), T, lambda: 0.5)
    assert isinstance(action, (Send, Wait, Idle))
    assert State.from_dict(json.loads(json.dumps(state.as_dict()))) is not None


@pytest.mark.parametrize("junk", [None, [], "text", 5])
def test_a_store_of_another_shape_is_a_fresh_start(junk: Any) -> None:
    assert State.from_dict(junk) == State()
