"""How often others are asked on a day on which nothing happens."""

import asyncio
import socket
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.coordinator import lookout
from tests.fakes.demo import DemoHome
from tests.integration.conftest import Machine, SetUp
from tests.integration.steps import port, sent, state_of, until

DAY = 24 * 3600
STEP = 60
"""Seconds. A timer ends late by as much at most."""
MOST = 10
"""Requests on a day on which the router and the kernel would tell of a change."""


class Clock:
    """Lets time pass in the event loop, when nothing is under way that would run out of it."""

    def __init__(self, hass: HomeAssistant, patch: pytest.MonkeyPatch) -> None:
        self.waits_for_stun = True
        """Whether STUN servers have all the time that they want for an answer."""
        self._passed = 0.0
        self._asking = 0
        real_time, real_binding = hass.loop.time, lookout.binding
        patch.setattr(hass.loop, "time", lambda: real_time() + self._passed)

        async def binding(*what: Any) -> Any:
            self._asking += 1
            try:
                return await real_binding(*what)
            finally:
                self._asking -= 1

        patch.setattr(lookout, "binding", binding)
        self._connectors = [
            async_get_clientsession(hass, family=family).connector
            for family in (socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6)
        ]

    async def advance(self, entry: MockConfigEntry, seconds: float) -> None:
        """Let time pass in steps."""
        for _ in range(round(seconds / STEP)):
            await until(lambda: not self._busy(entry))
            self._passed += STEP
            for _ in range(10):  # what is due begins
                await asyncio.sleep(0)
        await until(lambda: not self._busy(entry))

    def _busy(self, entry: MockConfigEntry) -> bool:
        connected = any(connector._acquired for connector in self._connectors if connector)
        asking = self.waits_for_stun and self._asking > 0
        return connected or asking or entry.runtime_data.line._lookout.busy


@pytest.fixture
async def clock(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock of the event loop."""
    return Clock(hass, monkeypatch)


def asked(home: DemoHome) -> int:
    """Return how many requests went outside so far, to all services."""
    return len(home.outside.requests) + len(home.stun.requests)


async def quiet(entry: MockConfigEntry) -> None:
    """Wait until the line has been looked at."""
    await until(lambda: not entry.runtime_data.line._lookout.busy)


async def test_day_on_which_a_change_would_be_told(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, clock: Clock
) -> None:
    game = port(home)
    entry = await set_up(game)
    await quiet(entry)
    before, read = asked(home), len(sent(home, "GetExternalIPAddress"))
    await clock.advance(entry, DAY)
    number = asked(home) - before
    assert 0 < number <= MOST
    print(f"\n{number} requests to the outside in a day")  # noqa: T201
    # The day did pass: the router was asked every ten minutes or so.
    assert len(sent(home, "GetExternalIPAddress")) - read > 120
    assert state_of(hass, entry, "public_ipv4") == "11.22.33.44"
    assert state_of(hass, entry, "line_mode") == "public"


async def test_day_without_a_gateway(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, clock: Clock
) -> None:
    entry = await set_up(gateway=False)
    await quiet(entry)
    echoed, bound = len(home.outside.requests), len(home.stun.requests)
    await clock.advance(entry, DAY)
    # Every five minutes, a little later to be out of step with others.
    assert DAY / 400 < len(home.stun.requests) - bound <= DAY / 300
    assert len(home.outside.requests) == echoed

    await home.set_wan_address("11.22.33.55")
    await clock.advance(entry, 7 * 60)
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.55")
    assert len(home.outside.requests) > echoed


async def test_day_without_a_gateway_and_stun(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, clock: Clock
) -> None:
    entry = await set_up(gateway=False)
    options = {**entry.options, "echo_urls": [], "stun_minutes": 0}
    hass.config_entries.async_update_entry(entry, options=options)
    await quiet(entry)
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
    before = asked(home)
    await clock.advance(entry, DAY)
    assert asked(home) == before


@pytest.mark.parametrize("gateway", [True, False])
async def test_nobody_is_asked_who_may_not_be(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, clock: Clock, *, gateway: bool
) -> None:
    nobody = {"echo_urls": [], "stun_servers": [], "prober_url": None}
    entry = await set_up(port(home), gateway=gateway, wait=False, **nobody)
    await until(lambda: entry.runtime_data.line.surveyed)
    await clock.advance(entry, DAY)
    if gateway:
        await home.igd.set_wan_address("11.22.33.55")
        await until(lambda: str(entry.runtime_data.line.data.wan_ipv4) == "11.22.33.55")
    await entry.runtime_data.line.async_detect()
    assert asked(home) == 0
    assert state_of(hass, entry, "public_ipv4") == "unknown"


async def test_day_on_which_the_kernel_cannot_be_listened_to(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, machine: Machine, clock: Clock
) -> None:
    machine.watching = False
    entry = await set_up()
    await quiet(entry)
    echoed, bound = len(home.outside.requests), len(home.stun.requests)
    await clock.advance(entry, DAY / 4)
    assert DAY / 4 / 400 < len(home.stun.requests) - bound <= DAY / 4 / 300
    assert len(home.outside.requests) == echoed


async def test_stun_that_stays_silent_is_not_asked_more(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, clock: Clock
) -> None:
    home.stun.down = True
    entry = await set_up(gateway=False)
    await quiet(entry)
    echoed, bound = len(home.outside.requests), len(home.stun.requests)
    clock.waits_for_stun = False
    await clock.advance(entry, DAY / 4)
    assert len(home.stun.requests) > bound
    assert len(home.outside.requests) == echoed
