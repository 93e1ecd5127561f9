"""The demo home, used as a user's browser and Home Assistant would use it."""

import asyncio
from collections.abc import AsyncIterator
import json
import signal

import aiohttp
from async_upnp_client.aiohttp import AiohttpRequester
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.profiles.igd import IgdDevice
import pytest

from tests.fakes.demo import GAME_TEXT, DemoHome
from tests.fakes.igd import Entry
from tests.fakes.program import Start


@pytest.fixture
async def home() -> AsyncIterator[DemoHome]:
    async with DemoHome() as started:
        yield started


async def map_port(home: DemoHome, external: int, client: str = "127.0.0.1") -> None:
    entry = Entry(
        protocol="TCP",
        external_port=external,
        internal_client=client,
        internal_port=home.game.port,
    )
    home.igd.table[entry.key] = entry
    await home.igd.changed()


async def probe(home: DemoHome, http: aiohttp.ClientSession, port: int) -> dict[str, object]:
    async with http.get(f"{home.facts.prober_url}/port/{port}") as answer:
        found: dict[str, object] = await answer.json()
        return found


async def test_the_game_is_reached_through_the_router_while_mapped(
    home: DemoHome, http: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    said = {"ip": "11.22.33.44", "port": unused_tcp_port}
    assert await probe(home, http, unused_tcp_port) == said | {"reachable": False}
    await map_port(home, unused_tcp_port)
    assert await probe(home, http, unused_tcp_port) == said | {"reachable": True}
    async with http.get(f"http://127.0.0.1:{unused_tcp_port}/") as answer:
        assert await answer.text() == GAME_TEXT
    home.igd.table.clear()
    await home.igd.changed()
    assert await probe(home, http, unused_tcp_port) == said | {"reachable": False}


async def test_a_mapping_to_nobody_is_not_reachable(
    home: DemoHome, http: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    await map_port(home, unused_tcp_port, "192.168.1.10")
    assert (await probe(home, http, unused_tcp_port))["reachable"] is False
    await map_port(home, unused_tcp_port)
    await home.game.__aexit__(None, None, None)
    assert (await probe(home, http, unused_tcp_port))["reachable"] is False


async def test_router_and_outside_agree_on_the_address(
    home: DemoHome, http: aiohttp.ClientSession
) -> None:
    device = await UpnpFactory(AiohttpRequester()).async_create_device(home.facts.location)
    router = IgdDevice(device, None)
    for address in ("11.22.33.44", "11.22.33.99"):
        await home.set_wan_address(address)
        assert await router.async_get_external_ip_address() == address
        async with http.get(home.facts.echo_url) as answer:
            assert await answer.text() == f"{address}\n"
    await home.set_wan_address("")
    assert await router.async_get_external_ip_address() == ""
    with pytest.raises(aiohttp.ClientConnectionError):
        await http.get(home.facts.echo_url)


async def test_the_hostname_can_be_updated_with_the_facts(
    home: DemoHome, http: aiohttp.ClientSession
) -> None:
    facts = home.facts
    headers = {"Authorization": aiohttp.encode_basic_auth(facts.username, facts.password)}
    query = {"hostname": facts.hostname, "myip": "11.22.33.44"}
    async with http.get(facts.dyndns2_url, params=query, headers=headers) as answer:
        assert await answer.text() == "good 11.22.33.44"
    assert home.dyndns2.records == {facts.hostname: {"A": "11.22.33.44"}}


async def test_it_runs_as_a_program_and_ends_with_ctrl_c(
    start: Start, http: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    started = await start("tests.fakes.demo", "--game-port", str(unused_tcp_port))
    facts = json.loads(started.line)
    assert facts["game_port"] == unused_tcp_port
    async with http.get(f"http://{facts['game_host']}:{unused_tcp_port}/") as answer:
        assert await answer.text() == GAME_TEXT
    async with http.post(f"{facts['control_url']}/wan-address", data="11.22.33.99") as answer:
        assert answer.status == 204
    async with http.get(facts["echo_url"]) as answer:
        assert await answer.text() == "11.22.33.99\n"
    async with http.get(f"{facts['control_url']}/state") as answer:
        assert await answer.json() == {"table": [], "records": {}}
    async with asyncio.timeout(5):
        assert await started.end(signal.SIGINT) == 0
