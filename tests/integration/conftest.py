"""A simulated home, and Homeport set up against it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from homeassistant.components.ssdp import SsdpChange
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.const import DOMAIN
from custom_components.homeport.coordinator import line, survey, target
from custom_components.homeport.host import HostAddress, HostState, Route
from tests.fakes.demo import DemoHome
from tests.integration.lan import Names
from tests.integration.shared_line import SharedLine
from tests.integration.steps import state_of, until

GATEWAY = "192.168.77.1"


class Machine:
    """What the kernel tells of this machine: an address at home, an Ethernet way out, no IPv6."""

    def __init__(self) -> None:
        self.state = HostState(
            addresses=(HostAddress(IPv4Address("192.168.77.10"), 24, "eth0"),),
            # The service that a port leads to listens at this machine's loopback.
            ipv4_route=Route(IPv4Address(GATEWAY), "eth0", IPv4Address("127.0.0.1")),
        )
        self.mtu: dict[int, int | None] = {4: 1500, 6: None}
        self.watching = True
        self.searched: list[IPv4Address] = []
        self._on_change: list[Callable[[], None]] = []

    async def read_state(self, name_servers: tuple[IPv6Address, ...] = ()) -> HostState:
        return replace(self.state, name_servers=name_servers)

    async def path_mtu(self, target: str) -> int | None:
        return self.mtu[6 if ":" in target else 4]

    def watch(self, on_change: Callable[[], None]) -> MachineWatch:
        self._on_change.append(on_change)
        return MachineWatch(self)

    def change(self, state: HostState) -> None:
        """Have another state, and tell who watches."""
        self.state = state
        for on_change in self._on_change:
            on_change()


class MachineWatch:
    """Stands in for host.Watch."""

    name_servers = ()

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def start(self) -> bool:
        return self._machine.watching

    async def stop(self) -> None:
        self._machine._on_change.clear()


type Listener = Callable[[SsdpServiceInfo, SsdpChange], None]
type Announce = Listener
type SetUp = Callable[..., Awaitable[MockConfigEntry]]


@pytest.fixture
async def home(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[DemoHome]:
    """Run a router, an outside and a dynamic DNS service; unload what was set up against them."""
    async with DemoHome() as demo:
        yield demo
        for entry in hass.config_entries.async_entries(DOMAIN):
            if entry.state is ConfigEntryState.LOADED and hass.is_running:
                assert await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()


@pytest.fixture
async def shared(home: DemoHome) -> AsyncIterator[SharedLine]:
    """Run what makes the home's address look shared, once it is among the STUN servers."""
    async with SharedLine() as line:
        yield line


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave out what the test package does in this fixture: half of the time would go there."""


@pytest.fixture(autouse=True)
def no_discovery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep Home Assistant's own discovery off the network; Homeport's tests start flows."""

    async def nothing(*_: object) -> bool:
        return True

    monkeypatch.setattr("homeassistant.components.ssdp.async_setup", nothing)


@pytest.fixture(autouse=True)
def announce(monkeypatch: pytest.MonkeyPatch) -> Announce:
    """Return what announces a device to whoever listens."""
    listeners: list[tuple[Listener, dict[str, str]]] = []

    async def register(_: HomeAssistant, listener: Listener, match: dict[str, str]) -> Any:
        listeners.append((listener, match))
        return partial(listeners.remove, (listener, match))

    def announce(info: SsdpServiceInfo, change: SsdpChange) -> None:
        for listener, match in tuple(listeners):
            if match == {"nt": info.ssdp_nt}:
                listener(info, change)

    monkeypatch.setattr("homeassistant.components.ssdp.async_register_callback", register)
    return announce


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Let the machine and its way out be the home's, not those of where the tests run."""
    machine = Machine()
    monkeypatch.setattr(line, "read_state", machine.read_state)
    monkeypatch.setattr(target, "read_state", machine.read_state)
    monkeypatch.setattr(target, "have_found", machine.searched.extend)
    monkeypatch.setattr(line, "Watch", machine.watch)
    monkeypatch.setattr(survey, "path_mtu", machine.path_mtu)
    return machine


@pytest.fixture
def names(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Names:
    """Let names be those that a test says; all others go their way."""
    names, resolve = Names(), hass.loop.getaddrinfo

    async def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        ours = isinstance(host, str) and host.endswith(("nas", ".arpa", ".local"))
        return await (names.getaddrinfo if ours else resolve)(host, *args, **kwargs)

    monkeypatch.setattr(hass.loop, "getaddrinfo", getaddrinfo)
    return names


@pytest.fixture
def set_up(hass: HomeAssistant, home: DemoHome) -> SetUp:
    """Return what sets an entry up and waits for its first readings."""

    async def run(
        *subentries: ConfigSubentry, gateway: bool = True, wait: bool = True, **options: Any
    ) -> MockConfigEntry:
        entry = entry_for(home, *subentries, gateway=gateway, **options)
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        if wait:
            await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
            await until(lambda: not gateway or home.igd.subscriptions == 1)
            await until(lambda: not gateway or entry.runtime_data.line.gateway_answers)
            await until(lambda: entry.runtime_data.line.surveyed)
        return entry

    return run


def entry_for(
    home: DemoHome, *subentries: ConfigSubentry, gateway: bool = True, **options: Any
) -> MockConfigEntry:
    """Return an entry for the home's router, or for none, that is not set up yet."""
    facts = home.facts
    services: dict[str, Any] = {
        "echo_urls": [facts.echo_url],
        "stun_servers": [facts.stun_server],
        "prober_url": facts.prober_url,
    } | options
    return MockConfigEntry(
        domain=DOMAIN,
        title="Demo router",
        unique_id=home.igd.identity.udn if gateway else None,
        data={"location": facts.location} if gateway else {},
        options={key: value for key, value in services.items() if value},
        subentries_data=[subentry.as_dict() for subentry in subentries],
    )
