"""Looking at the line from all sides at once, whatever becomes of the single sides."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.homeport.coordinator import survey
from custom_components.homeport.coordinator.base import Sessions
from custom_components.homeport.coordinator.survey import Around, Collector, Found
from custom_components.homeport.host import HostState
from custom_components.homeport.options import LineOptions
from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import entity_of, state_of, until

OLD, NEW = "11.22.33.44", "11.22.33.55"
SLOW = 0.2
"""Seconds, longer than any other collector that ends by itself."""
LIMIT = 0.8
CAP = 1.0

NOBODY: Any = None
AROUND = Around(
    options=LineOptions(),
    sessions=Sessions(NOBODY, NOBODY, NOBODY),
    host=HostState(),
    gateway=None,
)


async def quick(around: Around, found: Found) -> None:
    found({"quick": 1})


async def slow(around: Around, found: Found) -> None:
    await asyncio.sleep(SLOW)
    found({"slow": 2})


async def half(around: Around, found: Found) -> None:
    found({"first": 3})
    raise RuntimeError("no more")


async def fails(around: Around, found: Found) -> None:
    raise OSError


async def hangs(around: Around, found: Found) -> None:
    await asyncio.Event().wait()


async def stubborn(around: Around, found: Found) -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    # Cancelled twice: at its limit and when the survey is over.
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(2 * CAP)
    await asyncio.sleep(0.1)
    found({"stubborn": "of the past"})


def collector(ask: Callable[[Around, Found], Awaitable[None]], *pieces: str) -> Collector:
    """Return a collector that may take longer than the slow one, also on a busy machine."""
    return Collector(pieces or (ask.__name__,), LIMIT, ask)


@pytest.fixture
def collect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Found]:
    """Return what replaces the real collectors."""

    def replace_all(*collectors: Collector) -> None:
        monkeypatch.setattr(survey, "COLLECTORS", collectors)
        monkeypatch.setattr(survey, "CAP", CAP)

    return replace_all


async def look() -> tuple[dict[str, Any], float]:
    """Survey; return what was found, and the seconds that it took."""
    found: dict[str, Any] = {}
    begin = monotonic()
    await survey.survey(AROUND, found.update)
    return found, monotonic() - begin


async def test_collectors_run_side_by_side(collect: Callable[..., None]) -> None:
    together = asyncio.Barrier(21)

    async def waits(around: Around, found: Found) -> None:
        await together.wait()
        found({"waits": 2})

    collect(*(collector(waits, f"waits {number}") for number in range(20)), collector(waits))
    found, _ = await look()
    assert found["waits"] == 2


async def test_what_fails_fails_alone(collect: Callable[..., None]) -> None:
    before = asyncio.all_tasks()
    collect(
        *map(collector, (stubborn, hangs, fails, slow, quick)), collector(half, "first", "second")
    )
    found, took = await look()
    assert found == {
        "quick": 1,
        "slow": 2,
        "first": 3,
        "second": None,
        "fails": None,
        "hangs": None,
        "stubborn": None,
    }
    assert CAP <= took < 2 * CAP
    await until(lambda: asyncio.all_tasks() == before)
    # What was found too late is of the past, and no evidence.
    assert found["stubborn"] is None


async def test_given_up_in_the_middle(collect: Callable[..., None]) -> None:
    before = asyncio.all_tasks()
    collect(*map(collector, (stubborn, hangs, slow, quick)))
    found: dict[str, Any] = {}
    looking = asyncio.create_task(survey.survey(AROUND, found.update))
    await until(lambda: found)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    await until(lambda: asyncio.all_tasks() == before)
    assert found == {"quick": 1}


@pytest.mark.parametrize("real", survey.COLLECTORS, ids=lambda each: each.ask.__name__)
def test_limits_are_within_the_cap(real: Collector) -> None:
    assert real.limit < survey.CAP == 5


async def test_change_in_the_middle_of_a_survey(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    line = entry.runtime_data.line
    shown: list[str] = []
    entity = entity_of(hass, entry, "public_ipv4")
    hass.bus.async_listen(
        "state_changed",
        lambda event: (
            shown.append(event.data["new_state"].state)
            if event.data["entity_id"] == entity
            else None
        ),
    )
    asked = len(home.outside.requests)
    # It was asked before the change, and answers after it.
    home.outside.echo = Reply(body=OLD, delay=0.5)
    detecting = asyncio.create_task(line.async_detect())
    await until(lambda: len(home.outside.requests) > asked)
    home.outside.echo = None
    await home.set_wan_address(NEW)
    report = await detecting
    # Whoever waited for the survey that was given up has the new one's result.
    assert (str(report.public_ipv4), str(report.wan_ipv4)) == (NEW, NEW)
    assert len(home.outside.requests) == asked + 2
    await until(lambda: not line._lookout.busy)
    await asyncio.sleep(0.6)  # the old answer has come by now
    assert state_of(hass, entry, "public_ipv4") == NEW
    assert OLD not in shown
    assert line.evidence.echo4.address == report.public_ipv4
