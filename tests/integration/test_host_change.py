"""This machine's network changes: what follows, and what does not matter."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.host import AddressFlag, HostAddress, HostState, Route
from custom_components.homeport.line import MapE
from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import GATEWAY, Machine, SetUp
from tests.integration.steps import entity_of, state_of, until
from tests.line.homes import V6PLUS, computed

LATER = "240b:12:a1b2:c300::10"
"""By the rule 240b:12::/31 for 14.8.0.0/15."""


def with_ipv6(*addresses: str, temporary: str = "", tunnel: bool = False) -> HostState:
    """Return the machine's network with these addresses, the way out perhaps through a VPN."""
    given = [HostAddress(IPv6Address(each), 64, "eth0") for each in addresses]
    if temporary:
        given.append(HostAddress(IPv6Address(temporary), 64, "eth0", AddressFlag.TEMPORARY))
    own = IPv4Address("192.168.77.10")
    return HostState(
        addresses=(HostAddress(own, 24, "eth0"), *given),
        ipv4_route=(
            Route(None, "wg0", IPv4Address("10.9.0.2"), tunnel=True)
            if tunnel
            else Route(IPv4Address(GATEWAY), "eth0", own)
        ),
        ipv6_route=Route(IPv6Address("fe80::1"), "eth0") if given else None,
    )


async def become(home: DemoHome, line: MapE) -> None:
    """Let the outside see the home at the address and ports of a MAP-E line."""
    blocks = line.port_set.ranges()
    home.stun.map_port = lambda port: blocks[port % len(blocks)][0]
    await home.set_wan_address(str(line.ipv4))


async def map_e(
    hass: HomeAssistant, home: DemoHome, machine: Machine, set_up: SetUp, state: HostState
) -> MockConfigEntry:
    """Return an entry on the MAP-E line that follows from V6PLUS."""
    machine.state, machine.mtu = state, {4: 1460, 6: 1500}
    await become(home, computed(V6PLUS))
    entry = await set_up(wait=False)
    await until(lambda: home.igd.subscriptions == 1)
    await until(lambda: entry.runtime_data.line.surveyed)
    await until(lambda: not entry.runtime_data.line._lookout.busy)
    assert state_of(hass, entry, "line_mode") == "map_e"
    assert entry.runtime_data.line.data.port_set == computed(V6PLUS).port_set
    return entry


type Told = Callable[[MockConfigEntry], list[tuple[str, str, str]]]


@pytest.fixture
def told(hass: HomeAssistant) -> Told:
    """Return what begins to note the events of a line: kind, old and new."""

    def listen(entry: MockConfigEntry) -> list[tuple[str, str, str]]:
        events: list[tuple[str, str, str]] = []
        line = entry.runtime_data.line
        line.async_add_address_listener(
            lambda event: events.append((event.kind, event.old, event.new))
        )
        return events

    return listen


async def test_new_prefix_tells_address_and_ports(
    hass: HomeAssistant,
    home: DemoHome,
    machine: Machine,
    set_up: SetUp,
    told: Told,
) -> None:
    entry = await map_e(hass, home, machine, set_up, with_ipv6(V6PLUS))
    events, line, later = told(entry), entry.runtime_data.line, computed(LATER)
    # The outside says nothing for now: the router and the kernel are enough.
    home.outside.echo = Reply(hang=True)
    home.stun.down = True
    await home.igd.set_wan_address(str(later.ipv4))
    machine.change(with_ipv6(LATER))
    await until(lambda: line.data.port_set == later.port_set)
    assert line._lookout.busy
    assert (state_of(hass, entry, "line_mode"), line.data.confidence) == ("map_e", "likely")
    assert int(state_of(hass, entry, "openable_ports")) == len(later.port_set)
    home.outside.echo = None
    await become(home, later)
    home.stun.down = False
    await line.async_detect()
    assert line.data.confidence == "certain"
    assert state_of(hass, entry, "public_ipv4") == str(later.ipv4)
    assert ("ipv4_changed", str(computed(V6PLUS).ipv4), str(later.ipv4)) in events
    assert [kind for kind, _, _ in events].count("ipv4_changed") == 1
    event = hass.states.get(entity_of(hass, entry, "address"))
    assert event
    assert event.attributes["event_type"] == "ipv4_changed"


async def test_new_prefix_leaves_an_address_that_has_nothing_to_do_with_it(
    hass: HomeAssistant,
    home: DemoHome,
    machine: Machine,
    set_up: SetUp,
    told: Told,
) -> None:
    machine.state = with_ipv6("2a00:77:77:1::10")
    entry = await set_up()
    line = entry.runtime_data.line
    await until(lambda: not line._lookout.busy)
    events, asked = told(entry), len(home.outside.requests)
    shown: set[str] = set()
    line.async_add_listener(lambda: shown.add(state_of(hass, entry, "public_ipv4")))
    machine.change(with_ipv6("2a00:77:77:2::10"))
    await until(lambda: len(home.outside.requests) > asked)
    await until(lambda: not line._lookout.busy)
    assert shown == {"11.22.33.44"}
    assert events == []


@pytest.mark.parametrize(
    "after",
    [
        with_ipv6(V6PLUS, temporary="240b:10:3f6c:d400::beef"),
        with_ipv6(V6PLUS),
        replace(with_ipv6(V6PLUS), name_servers=(IPv6Address("240b:10:3f6c:d400::1"),)),
        with_ipv6(V6PLUS, "fd00::10"),
    ],
    ids=["another temporary address", "it expires", "a name server", "an address at home"],
)
async def test_what_does_not_matter(
    hass: HomeAssistant,
    home: DemoHome,
    machine: Machine,
    set_up: SetUp,
    told: Told,
    *,
    after: HostState,
) -> None:
    before = with_ipv6(V6PLUS, temporary="240b:10:3f6c:d400::cafe")
    entry = await map_e(hass, home, machine, set_up, before)
    line, events = entry.runtime_data.line, told(entry)
    asked = len(home.outside.requests), len(home.stun.requests)
    report, reads = line.data, line.reads
    machine.change(after)
    await until(lambda: line.evidence.host.addresses == after.addresses)
    await hass.async_block_till_done()
    assert not line._lookout.busy
    assert (line.data, line.reads) == (report, reads)
    assert (len(home.outside.requests), len(home.stun.requests)) == asked
    assert events == []


async def test_vpn_comes_and_goes(
    hass: HomeAssistant,
    home: DemoHome,
    machine: Machine,
    set_up: SetUp,
    told: Told,
) -> None:
    entry = await map_e(hass, home, machine, set_up, with_ipv6(V6PLUS))
    line, events, own = entry.runtime_data.line, told(entry), str(computed(V6PLUS).ipv4)
    home.outside.ip = home.stun.address = "99.88.77.66"
    machine.change(with_ipv6(V6PLUS, tunnel=True))
    await until(lambda: state_of(hass, entry, "public_ipv4") == "unknown")
    await until(lambda: not line._lookout.busy)
    # The address of the VPN's other end is nobody's here, nor is it told of.
    assert state_of(hass, entry, "public_ipv4") == "unknown"
    assert "vpn_on_host" in line.data.reasons
    assert str(line.data.confirmed_ipv4) in {own, "None"}
    home.outside.ip = home.stun.address = own
    machine.change(with_ipv6(V6PLUS))
    await until(lambda: state_of(hass, entry, "public_ipv4") == own)
    await until(lambda: not line._lookout.busy)
    assert state_of(hass, entry, "line_mode") == "map_e"
    assert events == []
