"""The updater at work: attempts, timers, storing, stopping; and the whole chain to a real DNS."""

import asyncio
from collections.abc import AsyncIterator, Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import aiohttp
import pytest

from custom_components.homeport.ddns import (
    PROVIDERS,
    Answer,
    AuthRefused,
    DdnsError,
    Provider,
    State,
    Status,
    Target,
    Unavailable,
    Updater,
    updater as machine,
)

from .bind import HOST, KEY, NAMED, SECRET, bind

A = Target(ipv4=IPv4Address("192.0.2.1"))
B = Target(ipv4=IPv4Address("192.0.2.2"))
C = Target(ipv4=IPv4Address("192.0.2.3"))


class Gate:
    """A provider that answers when it is told to, and notices two attempts at once."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[tuple[str, Target]] = asyncio.Queue()
        self.answers: asyncio.Queue[Exception | None] = asyncio.Queue()
        self.made = 0
        self.under_way = 0
        self.cancelled = 0

    async def create(self) -> Provider:
        self.made += 1
        return self

    async def update(self, hostname: str, target: Target) -> Answer:
        assert self.under_way == 0
        self.under_way += 1
        self.asked.put_nowait((hostname, target))
        try:
            error = await self.answers.get()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1
        if error is not None:
            raise error
        return Answer(changed=True, reply="good")

    async def sees(self) -> Target:
        """Return the target of the next attempt."""
        async with asyncio.timeout(5):
            return (await self.asked.get())[1]


class House:
    """An updater with everything around it."""

    def __init__(self, state: State | None = None) -> None:
        self.gate = Gate()
        self.saved: list[State] = []
        self.changes: list[State] = []
        self.updater = Updater(
            self.gate.create,
            HOST,
            state or State(),
            save=self.save,
            on_change=self.changes.append,
            jitter=lambda: 0.0,
        )

    async def save(self, state: State) -> None:
        await asyncio.sleep(0)
        self.saved.append(state)

    async def reaches(self, condition: Callable[[State], bool]) -> State:
        async with asyncio.timeout(5):
            while not condition(self.updater.state):
                await asyncio.sleep(0.005)
        return self.updater.state


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.updater.stop()
    assert not [task for task in asyncio.all_tasks() if "homeport" in task.get_name()]


def ok(target: Target) -> Callable[[State], bool]:
    return lambda state: state.status is Status.OK and state.sent == target


async def test_the_attempt_is_stored_before_it_is_sent(house: House) -> None:
    assert house.gate.made == 0
    house.updater.want(A)
    assert await house.gate.sees() == A
    assert [task for task in asyncio.all_tasks() if "homeport" in task.get_name()]
    (stored,) = house.saved
    assert stored.failures == 1
    assert stored.last_attempt is not None
    assert stored.not_before is not None
    house.gate.answers.put_nowait(None)
    await house.reaches(ok(A))
    await house.updater.stop()
    assert [state.status for state in house.changes] == [Status.PENDING, Status.OK]


async def test_what_was_answered_is_stored(house: House) -> None:
    house.gate.answers.put_nowait(None)
    house.updater.want(A)
    state = await house.updater.force()
    assert house.saved[-1] == state == house.updater.state
    assert State.from_dict(house.saved[-1].as_dict()).sent == A


async def test_the_last_address_wins_and_attempts_never_overlap(house: House) -> None:
    for target in (A, B, C):
        house.updater.want(target)
    assert await house.gate.sees() == A
    house.updater.want(B)
    house.updater.want(C)
    house.gate.answers.put_nowait(None)
    assert await house.gate.sees() == C
    house.gate.answers.put_nowait(None)
    await house.reaches(ok(C))
    assert house.gate.made == 1
    assert house.gate.asked.empty()


async def test_an_address_that_comes_while_the_answer_is_stored(house: House) -> None:
    original = house.save
    wanted = False

    async def save(state: State) -> None:
        nonlocal wanted
        await original(state)
        if state.status is Status.OK and not wanted:
            wanted = True
            house.updater.want(B)

    house.updater._save = save
    house.gate.answers.put_nowait(None)
    house.gate.answers.put_nowait(None)
    house.updater.want(A)
    await house.reaches(ok(B))
    await house.updater.stop()
    assert house.saved[-1].sent == B


async def test_a_failure_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "BACKOFF_FIRST", 0.05)
    house.updater.want(A)
    for _ in range(3):
        assert await house.gate.sees() == A
        house.gate.answers.put_nowait(Unavailable("TimeoutError"))
    state = await house.reaches(lambda state: state.failures == 3 and state.sending is None)
    assert state.status is Status.WAITING
    assert state.reply == "TimeoutError"
    assert await house.gate.sees() == A
    house.gate.answers.put_nowait(None)
    await house.reaches(ok(A))


async def test_a_clock_that_is_set_forward_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.homeport.ddns.driver._LOOK_AGAIN", 0.02)
    now = 1000.0
    gate = Gate()
    updater = Updater(
        gate.create, HOST, State(), save=lambda _: None, on_change=lambda _: None, time=lambda: now
    )
    updater.want(A)
    await gate.sees()
    gate.answers.put_nowait(Unavailable("911", retry_after=1800))
    gate.answers.put_nowait(None)
    async with asyncio.timeout(5):
        while updater.state.sending is not None:
            await asyncio.sleep(0.005)
    assert gate.asked.empty()
    now += 1801
    assert await gate.sees() == A
    await updater.stop()


async def test_force_waits_for_the_answer_and_raises_what_went_wrong(house: House) -> None:
    with pytest.raises(Unavailable) as caught:
        await house.updater.force()
    assert caught.value.translation_key == "no_address"
    house.gate.answers.put_nowait(None)
    house.updater.want(A)
    assert (await house.updater.force()).sent == A
    house.gate.answers.put_nowait(AuthRefused("badauth"))
    with pytest.raises(AuthRefused):
        await house.updater.force()
    assert house.updater.state.status is Status.WRONG_CREDENTIALS
    assert house.saved[-1].status is Status.WRONG_CREDENTIALS
    house.gate.answers.put_nowait(None)
    assert (await house.updater.force()).status is Status.OK


async def test_two_who_force_share_one_attempt_and_one_may_leave(house: House) -> None:
    house.updater.want(A)
    await house.gate.sees()
    first = asyncio.create_task(house.updater.force())
    second = asyncio.create_task(house.updater.force())
    await asyncio.sleep(0)
    first.cancel()
    house.gate.answers.put_nowait(None)
    assert (await second).sent == A
    assert first.cancelled()
    assert house.gate.asked.empty()


async def test_stop_ends_an_attempt_and_whoever_waits_for_it(house: House) -> None:
    house.updater.want(A)
    await house.gate.sees()
    waiting = asyncio.create_task(house.updater.force())
    await asyncio.sleep(0)
    await house.updater.stop()
    assert house.gate.cancelled == 1
    with pytest.raises(Unavailable):
        await waiting
    assert house.updater.state.sending is None
    house.updater.want(B)
    with pytest.raises(Unavailable):
        await house.updater.force()
    assert house.gate.asked.empty()
    await house.updater.stop()


async def test_stop_before_the_attempt_has_begun(house: House) -> None:
    house.updater.want(A)
    await house.updater.stop()
    assert house.gate.asked.empty()
    assert house.updater.state.sending is None


async def test_stop_ends_the_timer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "BACKOFF_FIRST", 0.02)
    house.updater.want(A)
    await house.gate.sees()
    house.gate.answers.put_nowait(Unavailable("TimeoutError"))
    await house.reaches(lambda state: state.status is Status.WAITING and state.sending is None)
    await house.updater.stop()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(house.gate.asked.get(), 0.1)


async def test_a_provider_that_cannot_be_made() -> None:
    errors: list[DdnsError] = [Unavailable("no library")]

    async def create() -> Provider:
        raise errors[0]

    changes: list[State] = []
    updater = Updater(create, HOST, State(), save=lambda _: None, on_change=changes.append)
    updater.want(A)
    with pytest.raises(Unavailable):
        await updater.force()
    assert updater.state.status is Status.WAITING
    await updater.stop()


async def test_a_fault_in_a_provider_is_reported_and_not_hammered(house: House) -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: faults.append(context["exception"])
    )
    house.updater.want(A)
    house.gate.answers.put_nowait(ZeroDivisionError())
    with pytest.raises(Unavailable):
        await house.updater.force()
    assert house.updater.state.status is Status.WAITING
    assert house.updater.state.not_before is not None
    async with asyncio.timeout(5):
        while not faults:
            await asyncio.sleep(0.005)
    assert isinstance(faults[0], ZeroDivisionError)


@pytest.mark.skipif(NAMED is None, reason="BIND's named is not installed")
@pytest.mark.usefixtures("socket_enabled")
async def test_an_address_reaches_a_real_name_server(tmp_path: Path) -> None:
    both = Target(ipv4=IPv4Address("192.0.2.30"), ipv6=IPv6Address("2001:db8::30"))
    values = {"key_name": KEY, "key_secret": SECRET}
    with bind(tmp_path) as server:
        async with aiohttp.ClientSession() as session:
            updater = Updater(
                lambda: PROVIDERS["rfc2136"].create(session, {**values, "server": server.server}),
                HOST,
                State(),
                save=lambda _: None,
                on_change=lambda _: None,
            )
            updater.want(A)
            await updater.force()
            assert server.lookup(HOST, "A") == {"192.0.2.1"}
            updater.want(both)
            await updater.force()
            await updater.stop()
        assert server.lookup(HOST, "A") == {"192.0.2.30"}
        assert server.lookup(HOST, "AAAA") == {"2001:db8::30"}
    assert updater.state.status is Status.OK
