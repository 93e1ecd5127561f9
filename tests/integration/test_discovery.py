"""A router that makes itself known by SSDP."""

from homeassistant.config_entries import SOURCE_SSDP, SOURCE_USER, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo
import pytest

from custom_components.homeport.const import DOMAIN
from tests.fakes.demo import DemoHome
from tests.fakes.igd import FakeIgd
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import TEXTS, sent, state_of, until

IPV6 = "http://[fe80::1]:5000/desc.xml"


async def discover(
    hass: HomeAssistant, home: DemoHome, *locations: str, udn: str | None = None
) -> ConfigFlowResult:
    """Let Home Assistant find the router, at these URLs if any are named."""
    found = locations or (home.facts.location,)
    info = SsdpServiceInfo(
        ssdp_usn=f"{home.igd.identity.udn}::upnp:rootdevice",
        ssdp_st="urn:schemas-upnp-org:device:InternetGatewayDevice:1",
        ssdp_udn=home.igd.identity.udn if udn is None else udn,
        ssdp_location=found[0],
        ssdp_all_locations=set(found),
        upnp={},
    )
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_SSDP}, data=info
    )


async def test_found_router(hass: HomeAssistant, home: DemoHome) -> None:
    result = await discover(hass, home)
    assert (result["type"], result["step_id"]) == ("form", "outside")
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": "Demo router"}
    assert not home.outside.requests
    assert not sent(home, "AddPortMapping")
    assert home.igd.subscriptions == 0

    services = {"echo_urls": [home.facts.echo_url], "prober_url": home.facts.prober_url}
    result = await hass.config_entries.flow.async_configure(result["flow_id"], services)
    assert result["type"] == "create_entry"
    entry = result["result"]
    assert (entry.title, entry.unique_id) == ("Demo router", home.igd.identity.udn)
    assert entry.data == {"location": home.facts.location}
    await hass.async_block_till_done()
    await until(lambda: state_of(hass, entry, "public_ipv4") == "11.22.33.44")
    assert not sent(home, "AddPortMapping")


async def test_found_twice_at_the_same_time(hass: HomeAssistant, home: DemoHome) -> None:
    await discover(hass, home)
    result = await discover(hass, home)
    assert (result["type"], result["reason"]) == ("abort", "already_in_progress")


async def test_found_where_it_is_set_up(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up()
    result = await discover(hass, home)
    assert (result["type"], result["reason"]) == ("abort", "already_configured")
    await hass.async_block_till_done()
    assert home.igd.subscriptions == 1
    data = entry.runtime_data

    async with FakeIgd(identity=home.igd.identity) as moved:
        result = await discover(hass, home, moved.location)
        assert (result["type"], result["reason"]) == ("abort", "already_configured")
        await hass.async_block_till_done()
        assert entry.data == {"location": moved.location}
        assert entry.runtime_data is not data
        await until(lambda: moved.subscriptions == 1)
        assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("location", ["http://127.0.0.1:99999/desc.xml", "http://[]@/desc.xml"])
async def test_a_router_that_is_set_up_says_nonsense(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, location: str
) -> None:
    entry = await set_up()
    result = await discover(hass, home, location)
    assert (result["type"], result["reason"]) == ("abort", "gateway_not_found")
    assert entry.data == {"location": home.facts.location}


async def test_impostor_on_another_host_is_not_believed(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp
) -> None:
    entry = await set_up()
    async with FakeIgd(host="127.0.0.2", identity=home.igd.identity) as impostor:
        result = await discover(hass, home, impostor.location)
        assert (result["type"], result["reason"]) == ("abort", "already_configured")
        await hass.async_block_till_done()
        assert entry.data == {"location": home.facts.location}
        assert not impostor.requests

        # With the router gone from its place it may well be the router, at a new address.
        home.igd.description = Reply(drop=True)
        await discover(hass, home, impostor.location)
        await hass.async_block_till_done()
        assert entry.data == {"location": impostor.location}
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_ipv4_is_chosen(hass: HomeAssistant, home: DemoHome) -> None:
    result = await discover(hass, home, IPV6, home.facts.location)
    assert result["step_id"] == "outside"


@pytest.mark.parametrize("location", [IPV6, "https://127.0.0.1/desc.xml", ""])
async def test_no_usable_location(hass: HomeAssistant, home: DemoHome, location: str) -> None:
    result = await discover(hass, home, location)
    assert (result["type"], result["reason"]) == ("abort", "gateway_not_found")
    assert not home.igd.requests


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(drop=True), "gateway_unreachable"),
        (Reply(body="Welcome"), "gateway_invalid"),
        (Reply.huge(), "gateway_too_large"),
        (Reply.redirect("http://127.0.0.1:1/"), "gateway_redirects"),
    ],
)
async def test_bad_router(hass: HomeAssistant, home: DemoHome, reply: Reply, reason: str) -> None:
    home.igd.description = reply
    result = await discover(hass, home)
    assert (result["type"], result["reason"]) == ("abort", reason)
    assert TEXTS["config"]["abort"][reason]

    home.igd.description = None
    result = await discover(hass, home)
    assert result["step_id"] == "outside"


async def test_ignored_router_is_not_offered_again(hass: HomeAssistant, home: DemoHome) -> None:
    result = await discover(hass, home)
    flows = hass.config_entries.flow
    ignored = {"unique_id": home.igd.identity.udn, "title": "Demo router"}
    await flows.async_init(DOMAIN, context={"source": "ignore"}, data=ignored)
    result = await discover(hass, home)
    assert (result["type"], result["reason"]) == ("abort", "already_configured")


async def test_without_a_gateway_beside_an_ignored_router(
    hass: HomeAssistant, home: DemoHome
) -> None:
    await discover(hass, home)
    flows = hass.config_entries.flow
    ignored = {"unique_id": home.igd.identity.udn, "title": "Demo router"}
    await flows.async_init(DOMAIN, context={"source": "ignore"}, data=ignored)
    result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flows.async_configure(result["flow_id"], {"next_step_id": "no_gateway"})
    assert (result["type"], result["step_id"]) == ("form", "outside")
    result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flows.async_configure(result["flow_id"], {"next_step_id": "gateway"})
    result = await flows.async_configure(result["flow_id"], {"host": home.facts.location})
    assert (result["type"], result["step_id"]) == ("form", "outside")
