"""How often a prober may be asked is kept over a restart, and a wrong clock locks nobody out."""

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.outside import Limit, echoip
from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.steps import fails, opened, port, press, state_of, until

MINUTE = 60.0
HOUR = 3600.0


class Clock:
    """The wall clock, as the probers' limits see it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand still at some time."""
        self.now = 1_800_000_000.0
        monkeypatch.setattr("custom_components.homeport.coordinator.probers.time", self)

    def time(self) -> float:
        """Return the seconds since 1970."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let the prober be one that may be asked once a minute, and nobody wait for it."""
    monkeypatch.setitem(echoip.STRICT, "127.0.0.1", Limit(burst=1, seconds=MINUTE))
    monkeypatch.setattr("custom_components.homeport.coordinator.check.PATIENCE", 0.0)
    return Clock(monkeypatch)


def asked(home: DemoHome) -> int:
    """Return how often the prober was asked."""
    return sum(seen.path.startswith("/port/") for seen in home.outside.requests)


def alone(entry: MockConfigEntry) -> None:
    """Let nobody look at whether this machine is exposed: that takes turns as well."""
    entry.runtime_data.exposure._place = lambda _: None


async def restart(hass: HomeAssistant, entry: MockConfigEntry, game: ConfigSubentry) -> None:
    """Unload the entry and set it up again, as a restart of Home Assistant does."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
    await until(lambda: state_of(hass, entry, "open", game) == "on")
    alone(entry)


async def asked_once(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> tuple[MockConfigEntry, ConfigSubentry]:
    """Return a port that has just been looked at."""
    game = port(home)
    entry = await set_up(game)
    alone(entry)
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)
    assert state_of(hass, entry, "reachability", game) == "reachable"
    assert asked(home) == 1
    return entry, game


async def busy(hass: HomeAssistant, entry: MockConfigEntry, game: ConfigSubentry) -> float:
    """Have a port looked at in vain; return how long the prober is to be waited for."""
    with fails("prober_busy"):
        await press(hass, entry, "check", game)
    # Nobody is to look at it later: these clocks stand still.
    checks = entry.runtime_data.ports[game.subentry_id].checks
    seconds: float = checks._seconds(4)
    checks._queue.drop(game.subentry_id, 4)
    return seconds


async def test_limit_is_kept_over_a_restart(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, clock: Clock
) -> None:
    entry, game = await asked_once(hass, home, set_up)
    assert await busy(hass, entry, game) == MINUTE
    for _ in range(2):
        clock.now += 10
        await restart(hass, entry, game)
        assert 0 < await busy(hass, entry, game) < MINUTE
    assert await busy(hass, entry, game) == pytest.approx(MINUTE - 20)
    assert asked(home) == 1
    clock.now += 41
    await restart(hass, entry, game)
    await press(hass, entry, "check", game)
    assert asked(home) == 2
    # And from then on it counts anew.
    await restart(hass, entry, game)
    assert await busy(hass, entry, game) == MINUTE


@pytest.mark.parametrize("restarted", [False, True])
async def test_clock_that_is_set_back_makes_nobody_wait_for_longer(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, clock: Clock, *, restarted: bool
) -> None:
    entry, game = await asked_once(hass, home, set_up)
    # As a machine without a clock of its own begins, until it hears the time.
    clock.now -= 24 * HOUR
    if restarted:
        await restart(hass, entry, game)
    assert await busy(hass, entry, game) == MINUTE
    clock.now += MINUTE + 1
    await press(hass, entry, "check", game)
    assert asked(home) == 2


async def test_clock_that_is_set_forward_gives_one_question_and_no_more(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, clock: Clock
) -> None:
    entry, game = await asked_once(hass, home, set_up)
    clock.now += 24 * HOUR
    await restart(hass, entry, game)
    await press(hass, entry, "check", game)
    assert asked(home) == 2
    assert await busy(hass, entry, game) == MINUTE
    # Back to the right time: it was asked a moment ago all the same.
    clock.now -= 24 * HOUR
    await restart(hass, entry, game)
    assert 0 < await busy(hass, entry, game) <= MINUTE
    assert asked(home) == 2


@pytest.mark.parametrize(
    "stored",
    [
        {"tokens": -1e9, "time": 1_800_000_000.0},
        {"tokens": 0.0, "time": 1e300},
        {"tokens": "many", "time": None},
        {"tokens": float("nan"), "time": 0},
        {},
    ],
)
async def test_damaged_memory_locks_nobody_out(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, clock: Clock, stored: dict[str, object]
) -> None:
    entry, game = await asked_once(hass, home, set_up)
    data = entry.runtime_data
    [service] = data.store.limits
    data.store.limits[service] = stored
    await data.store.save()
    await restart(hass, entry, game)
    assert entry.runtime_data.ports[game.subentry_id].checks._seconds(4) <= MINUTE
    clock.now += MINUTE + 1
    await press(hass, entry, "check", game)
    assert asked(home) == 2


async def test_another_prober_has_a_limit_of_its_own(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, clock: Clock
) -> None:
    entry, game = await asked_once(hass, home, set_up)
    assert await busy(hass, entry, game) == MINUTE
    options = dict(entry.options)
    other = options["prober_url"].replace("127.0.0.1", "localhost")
    await choose(hass, entry, options | {"prober_url": other})
    await press(hass, entry, "check", game)
    assert asked(home) == 2
    # The first one is as busy as it was.
    await choose(hass, entry, options)
    assert await busy(hass, entry, game) == MINUTE


async def choose(hass: HomeAssistant, entry: MockConfigEntry, options: dict[str, object]) -> None:
    """Change the options, and wait until the line is known again."""
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.async_block_till_done()
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
