"""A hostname follows the line's address, and halts where it must."""

from homeassistant.core import HomeAssistant
import pytest

from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.steps import entity_of, hostname, later, press, readings, state_of, until


async def test_follows_the_address(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    site = hostname(home)
    entry = await set_up(site)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    assert state_of(hass, entry, "published_ipv4", site) == "11.22.33.44"
    for address in "11.22.33.55", "11.22.33.66":
        await home.set_wan_address(address)
        await until(lambda at=address: home.dyndns2.records[site.title] == {"A": at})
        await until(lambda at=address: state_of(hass, entry, "published_ipv4", site) == at)
    assert [update.myip for update in home.dyndns2.requests] == [
        "11.22.33.44",
        "11.22.33.55",
        "11.22.33.66",
    ]


async def test_is_not_sent_again_without_a_change(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    site = hostname(home)
    entry = await set_up(site)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    await readings(hass, entry, home)
    await later(hass, hours=6)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: entry.runtime_data.line.gateway_answers)
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
    assert state_of(hass, entry, "status", site) == "ok"
    assert state_of(hass, entry, "published_ipv4", site) == "11.22.33.44"
    assert len(home.dyndns2.requests) == 1


@pytest.mark.parametrize("address", ["192.168.0.2", "100.64.0.9", "192.0.0.2", "", "198.51.100.1"])
async def test_nothing_but_a_confirmed_public_address_is_published(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, address: str
) -> None:
    await home.igd.set_wan_address(address)
    site = hostname(home)
    entry = await set_up(site)
    await readings(hass, entry, home)
    assert state_of(hass, entry, "status", site) == "no_address"
    assert not home.dyndns2.requests


async def test_outage_takes_nothing_back(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    site = hostname(home)
    entry = await set_up(site)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    await home.igd.set_connection_status("Disconnected")
    await home.set_wan_address("")
    await until(lambda: state_of(hass, entry, "internet") != "on")
    await readings(hass, entry, home)
    assert home.dyndns2.records == {site.title: {"A": "11.22.33.44"}}
    assert len(home.dyndns2.requests) == 1


async def test_disagreeing_echo_is_not_published(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    home.outside.ip = home.stun.address = "66.66.66.66"
    site = hostname(home)
    entry = await set_up(site, wait=False)
    await until(lambda: state_of(hass, entry, "public_ipv4") == "66.66.66.66")
    await until(lambda: home.igd.subscriptions == 1)
    await readings(hass, entry, home)
    assert "66.66.66.66" not in {update.myip for update in home.dyndns2.requests}


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("badauth", "wrong_credentials"),
        ("abuse", "blocked_by_provider"),
        ("nohost", "rejected"),
        ("!yours", "rejected"),
    ],
)
async def test_halt(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, reply: str, status: str
) -> None:
    home.dyndns2.always = reply
    site = hostname(home)
    entry = await set_up(site)
    await until(lambda: state_of(hass, entry, "status", site) == status)
    for address in "11.22.33.55", "11.22.33.66":
        await home.set_wan_address(address)
        await until(
            lambda at=address: str(entry.runtime_data.line.data.confirmed_ipv4) == at,
        )
        await later(hass, hours=1)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: str(entry.runtime_data.line.data.confirmed_ipv4) == "11.22.33.66")
    await readings(hass, entry, home)
    assert len(home.dyndns2.requests) == 1
    assert state_of(hass, entry, "status", site) == status
    assert state_of(hass, entry, "published_ipv4", site) == "unknown"


@pytest.mark.parametrize("reply", ["911", "dnserr", "", "<html>"])
async def test_fault_of_the_provider_is_waited_out(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, reply: str
) -> None:
    home.dyndns2.script = [reply]
    site = hostname(home)
    entry = await set_up(site)
    await until(lambda: state_of(hass, entry, "status", site) == "waiting_for_provider")
    await readings(hass, entry, home)
    assert len(home.dyndns2.requests) == 1

    await press(hass, entry, "update", site)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    assert home.dyndns2.records == {site.title: {"A": "11.22.33.44"}}


async def test_one_provider_does_not_hold_up_another(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    other = "two.homeport.example"
    home.dyndns2.hostnames[other] = home.facts.username
    bad, good = hostname(home, password="wrong"), hostname(home, hostname=other)
    entry = await set_up(bad, good)
    await until(lambda: state_of(hass, entry, "status", bad) == "wrong_credentials")
    await until(lambda: state_of(hass, entry, "status", good) == "ok")
    await home.set_wan_address("11.22.33.55")
    await until(lambda: home.dyndns2.records == {other: {"A": "11.22.33.55"}})


async def test_removed_hostname_is_told_nothing_more(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    site = hostname(home)
    entry = await set_up(site)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    entity = entity_of(hass, entry, "status", site)
    assert hass.config_entries.async_remove_subentry(entry, site.subentry_id)
    await hass.async_block_till_done()
    assert hass.states.get(entity) is None
    await home.set_wan_address("11.22.33.55")
    await until(lambda: str(entry.runtime_data.line.data.confirmed_ipv4) == "11.22.33.55")
    await hass.async_block_till_done()
    assert len(home.dyndns2.requests) == 1
    assert home.dyndns2.records == {site.title: {"A": "11.22.33.44"}}
