"""The IPv6 addresses of devices that ports lead to."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from homeassistant.core import HomeAssistant
import pytest

from custom_components.homeport.host import HostAddress
from tests.fakes.demo import DemoHome
from tests.integration.conftest import Machine, SetUp
from tests.integration.lan import MAC, NAS, Names, neighbours
from tests.integration.steps import later, port, until

PREFIX = "2400:1:2:3"


@pytest.mark.parametrize("client", [MAC, "192.168.77.20", NAS])
async def test_ipv6_address_of_another_device(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    machine: Machine,
    names: Names,
    *,
    client: str,
) -> None:
    own = HostAddress(IPv6Address(f"{PREFIX}::10"), 64, "eth0")
    machine.state = replace(machine.state, addresses=(*machine.state.addresses, own))
    fixed = f"{PREFIX}:5054:ff:fe12:3456"
    names.known[NAS] = ["192.168.77.20"]
    neighbours(machine, "192.168.77.20", f"{PREFIX}:8d1f:62aa:91c0:77e1", fixed, "fd00::5")
    game = port(home, internal_client=client, families=["ipv4", "ipv6"])
    entry = await set_up(game)
    target = entry.runtime_data.ports[game.subentry_id].target
    await until(lambda: target.ipv6 == IPv6Address(fixed))
    assert target.ipv4 == IPv4Address("192.168.77.20")


async def test_name_with_an_ipv6_address(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, machine: Machine, names: Names
) -> None:
    own = HostAddress(IPv6Address(f"{PREFIX}::10"), 64, "eth0")
    machine.state = replace(machine.state, addresses=(*machine.state.addresses, own))
    names.known[NAS] = ["2400:9::1", f"{PREFIX}::20"]
    game = port(home, internal_client=NAS, families=["ipv6"])
    entry = await set_up(game)
    target = entry.runtime_data.ports[game.subentry_id].target
    await until(lambda: target.ipv6 == IPv6Address(f"{PREFIX}::20"))
    assert target.ipv4 is None
    # Another network from now on: what was known is of no use.
    machine.state = replace(machine.state, addresses=machine.state.addresses[:1])
    await later(hass, seconds=61)
    await until(lambda: target.ipv6 is None)
