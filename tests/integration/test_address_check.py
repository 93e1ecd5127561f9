"""An event that was lost is made up for, long before everything is read again."""

from homeassistant.core import HomeAssistant

from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.steps import later, opened, port, sent, state_of, until

ADDRESS = "GetExternalIPAddress"


async def test_another_address_that_nobody_told_is_noticed(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    await until(lambda: entry.runtime_data.line.link.pushes)
    home.igd._router.wan_address = "11.22.33.99"  # and no event
    await later(hass, minutes=11)
    await until(lambda: str(entry.runtime_data.line.data.wan_ipv4) == "11.22.33.99")


async def test_hours_in_peace_cost_few_requests(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    """Without the renewals, which come with the clock of the router."""
    ports = [port(home, f"Port {at}", external_port=at) for at in (40000, 40001, 40002)]
    entry = await set_up(*ports)
    await opened(hass, entry, *ports)
    await until(lambda: entry.runtime_data.line.link.pushes)
    await later(hass, minutes=40)
    before = len(home.igd.requests)
    hours = 4
    for _ in range(hours * 6):
        await later(hass, minutes=10)
        await hass.async_block_till_done()
    assert len(home.igd.requests) - before <= 20 * hours


async def test_the_check_is_over_with_the_entry(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    await until(lambda: entry.runtime_data.line.link.pushes)
    assert await hass.config_entries.async_unload(entry.entry_id)
    asked = len(sent(home, ADDRESS))
    await later(hass, minutes=60)
    assert len(sent(home, ADDRESS)) == asked
    assert state_of(hass, entry, "public_ipv4") == "unavailable"
