"""Whether this machine is open to the whole internet: only who was met from there proves it."""

import asyncio
from contextlib import suppress
from dataclasses import replace
import socket

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.const import DOMAIN
from custom_components.homeport.coordinator import place, port_checks
from custom_components.homeport.line import LineMode
from custom_components.homeport.outside import Limit, echoip, listener
from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import Machine, SetUp
from tests.integration.reported import report
from tests.integration.steps import (
    TEXTS,
    entity_of,
    opened,
    port,
    press,
    state_of,
    until,
)
from tests.ports.port_facts import MAP_E, closed

OUTSIDE, INSIDE = "127.0.0.9", "127.0.0.1"
"""Who is on the internet here, and who is at home."""


@pytest.fixture(autouse=True)
def _internet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be somebody outside on loopback."""
    for module in place, port_checks:
        monkeypatch.setattr(module, "is_outside", lambda _: lambda address: str(address) == OUTSIDE)


class Knocking:
    """The prober of a network where everything is let through to this machine."""

    def __init__(self, caller: str = OUTSIDE) -> None:
        """Take the address to knock from."""
        self.caller = caller
        self.knocked: list[int] = []

    async def __call__(self, _: str, port: int) -> bool:
        self.knocked.append(port)
        with socket.socket() as sock:
            sock.setblocking(False)
            sock.bind((self.caller, 0))
            try:
                await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            except ConnectionRefusedError:
                return False
            # Our listener speaks at once, the game waits to be spoken to.
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await asyncio.get_running_loop().sock_recv(sock, 16)
        return True


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """Return the issue about it, if it is shown."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"exposed_host_{entry.entry_id}")


def asked(home: DemoHome) -> list[str]:
    """Return what the prober was asked, in order."""
    return [seen.path for seen in home.outside.requests if seen.path.startswith("/port/")]


async def settled(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Wait until nobody looks any more."""
    await entry.runtime_data.exposure.look_at_all()
    await hass.async_block_till_done()


async def detect(hass: HomeAssistant, home: DemoHome, entry: MockConfigEntry) -> None:
    """Press "Detect line", and wait until the prober was asked and the answer has come."""
    before = len(asked(home))
    entity = {"entity_id": entity_of(hass, entry, "detect_line")}
    await hass.services.async_call("button", "press", entity, blocking=True)
    await until(lambda: len(asked(home)) > before)
    await settled(hass, entry)


def shown(hass: HomeAssistant, entry: MockConfigEntry) -> tuple[str, object, object]:
    """Return what the sensor shows, and what of it over IPv4 and IPv6."""
    state = hass.states.get(entity_of(hass, entry, "exposed_host"))
    assert state
    return state.state, state.attributes["ipv4"], state.attributes["ipv6"]


async def exposed(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> MockConfigEntry:
    """Return the entry of a machine that is seen to be exposed."""
    home.outside.reachable = Knocking()
    entry = await set_up()
    assert shown(hass, entry) == ("unknown", None, None)
    assert not asked(home)
    await detect(hass, home, entry)
    assert shown(hass, entry) == ("on", True, None)
    return entry


async def test_it_is_said(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await exposed(hass, home, set_up)
    raised = issue(hass, entry)
    assert raised
    assert (raised.severity, raised.is_fixable) == (ir.IssueSeverity.WARNING, False)
    assert raised.translation_placeholders == {"families": "IPv4"}
    told = TEXTS["issues"][raised.translation_key]["description"]
    assert "(IPv4)" in told.format(**raised.translation_placeholders)


async def test_it_is_seen_by_a_prober_that_has_to_be_waited_for(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listener hears nobody for long: it is opened when the prober's turn has come."""
    monkeypatch.setattr(listener, "OPEN_FOR", 0.5)
    monkeypatch.setitem(echoip.STRICT, "127.0.0.1", Limit(burst=1, seconds=1.5))
    home.outside.reachable = Knocking()
    game = port(home)
    entry = await set_up(game)
    await press(hass, entry, "check", game)
    await until(lambda: shown(hass, entry) == ("on", True, None))


@pytest.mark.parametrize(
    "prober",
    [
        pytest.param(False, id="nobody is let in"),
        # As an operator's accelerator does, which accepts everything itself.
        pytest.param(True, id="accepted, and nobody was met here"),
        pytest.param(Knocking(INSIDE), id="accepted, and who was met is at home"),
    ],
)
async def test_without_somebody_from_outside_it_is_not(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, prober: bool | Knocking
) -> None:
    home.outside.reachable = prober
    entry = await set_up()
    await detect(hass, home, entry)
    assert shown(hass, entry) == ("off", False, None)
    assert not issue(hass, entry)


@pytest.mark.parametrize(
    "reply",
    [Reply(drop=True), Reply.html_error(200), Reply(body='{"ip":"11.22.33.44","reachable":true}')],
    ids=["nothing", "a captive portal", "no answer to the question"],
)
async def test_without_an_answer_it_is_not_known(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, reply: Reply
) -> None:
    home.outside.prober = reply
    entry = await set_up()
    await detect(hass, home, entry)
    assert shown(hass, entry) == ("unknown", None, None)
    assert not issue(hass, entry)


@pytest.mark.parametrize("changes", [{"prober_url": ""}, {"echo_urls": [], "stun_servers": []}])
async def test_without_anybody_to_ask_it_is_not_known(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, changes: dict[str, object]
) -> None:
    entry = await set_up(wait=False, **changes)
    await until(lambda: state_of(hass, entry, "line_mode") == "public")
    await entry.runtime_data.async_detect()
    await settled(hass, entry)
    assert shown(hass, entry) == ("unknown", None, None)
    assert not asked(home)


async def test_it_is_gone_when_it_is_cured(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await exposed(hass, home, set_up)
    # While nobody answers it is not known, and what was said of it stays.
    home.outside.prober = Reply(drop=True)
    await detect(hass, home, entry)
    assert shown(hass, entry) == ("unknown", None, None)
    assert issue(hass, entry)
    home.outside.prober, home.outside.reachable = None, False
    await detect(hass, home, entry)
    assert shown(hass, entry) == ("off", False, None)
    assert not issue(hass, entry)


async def test_it_is_gone_with_the_entry(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await exposed(hass, home, set_up)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert not issue(hass, entry)


async def test_another_address_is_looked_at_anew(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    game = port(home)
    home.outside.reachable = knocking = Knocking()
    entry = await set_up(game)
    await opened(hass, entry, game)

    async def check() -> None:
        await press(hass, entry, "check", game)
        await settled(hass, entry)

    # A check of a port finds it out by the way, once for each address.
    await check()
    assert shown(hass, entry) == ("on", True, None)
    looked_at = len(knocking.knocked)
    await check()
    assert len(knocking.knocked) == looked_at + 1
    await home.set_wan_address("11.22.33.55")
    await until(lambda: state_of(hass, entry, "exposed_host") == "unknown")
    assert issue(hass, entry)
    home.outside.reachable = False
    await check()
    assert shown(hass, entry) == ("off", False, None)
    assert not issue(hass, entry)


async def test_port_that_is_in_use_is_not_tried(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that something is opened for, nor one at which something listens."""
    home.outside.reachable = knocking = Knocking()
    wanted, free = 50_001, 50_002
    with socket.create_server(("127.0.0.1", 0)) as busy:
        tried = [wanted, busy.getsockname()[1], free]
        monkeypatch.setattr("random.sample", lambda *_: tried)
        entry = await set_up(port(home, external_port=wanted))
        await detect(hass, home, entry)
    assert knocking.knocked == [free]
    assert shown(hass, entry) == ("on", True, None)


async def test_on_a_shared_address_only_own_ports_are_tried(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.outside.reachable = knocking = Knocking()
    entry = await set_up()
    assert MAP_E.port_set
    await report(hass, entry, monkeypatch, MAP_E)
    for _ in range(5):
        await detect(hass, home, entry)
    assert len(knocking.knocked) == 5
    assert set(knocking.knocked) <= {each for each in range(65_536) if each in MAP_E.port_set}
    assert shown(hass, entry) == ("on", True, None)


async def test_where_nothing_is_open_to_anybody_nobody_is_asked(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.outside.reachable = Knocking()
    entry = await set_up()
    await report(hass, entry, monkeypatch, closed(LineMode.DS_LITE))
    await entry.runtime_data.async_detect()
    await settled(hass, entry)
    assert shown(hass, entry) == ("unknown", None, None)
    assert not asked(home)


async def test_machine_without_a_way_out_is_not_looked_at(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, machine: Machine
) -> None:
    entry = await set_up(gateway=False)
    machine.change(replace(machine.state, ipv4_route=None))
    await entry.runtime_data.async_detect()
    await settled(hass, entry)
    assert shown(hass, entry) == ("unknown", None, None)
    assert not asked(home)
