"""Events and discovery of the simulated gateway."""

import asyncio
from typing import Any, override

import aiohttp
from aiohttp import web
from async_upnp_client.ssdp import build_ssdp_search_packet
import pytest

from tests.fakes.control_point import MAPPING, call, subscribed
from tests.fakes.igd import Connection, Entry, FakeIgd
from tests.fakes.server import Page


async def test_subscribers_are_told_what_changes(igd: FakeIgd) -> None:
    async with subscribed(igd) as subscriber:
        assert await subscriber.next() == {
            "ExternalIPAddress": "11.22.33.44",
            "ConnectionStatus": "Connected",
            "PortMappingNumberOfEntries": 0,
        }
        assert igd.subscriptions == 1
        await igd.set_wan_address("11.22.33.55")
        assert (await subscriber.next())["ExternalIPAddress"] == "11.22.33.55"
        await igd.set_wan_address("")
        assert (await subscriber.next())["ExternalIPAddress"] == "0.0.0.0"
        await igd.set_wan_address("11.22.33.66")
        assert (await subscriber.next())["ExternalIPAddress"] == "11.22.33.66"
        await igd.set_connection_status("Disconnected")
        event = await subscriber.next()
        assert (event["ConnectionStatus"], event["ExternalIPAddress"]) == (
            "Disconnected",
            "0.0.0.0",
        )
        await call(subscriber.service, "AddPortMapping", **MAPPING)
        assert (await subscriber.next())["PortMappingNumberOfEntries"] == 1
        igd.table[("UDP", 1, "")] = Entry(
            protocol="UDP", external_port=1, internal_client="192.168.1.9", internal_port=1
        )
        await igd.changed()
        assert (await subscriber.next())["PortMappingNumberOfEntries"] == 2
    assert igd.subscriptions == 0


async def test_a_subscriber_that_is_gone_disturbs_nobody(
    igd: FakeIgd, http: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    gone = {"CALLBACK": f"<http://127.0.0.1:{unused_tcp_port}/>", "NT": "upnp:event"}
    url = f"{igd.url}/event/connection"
    async with http.request("SUBSCRIBE", url, headers=gone | {"TIMEOUT": "Second-300"}) as answer:
        assert answer.status == 200
        assert answer.headers["TIMEOUT"] == "Second-300"
        sid = answer.headers["SID"]
    async with subscribed(igd) as subscriber:
        await subscriber.next()
        await igd.set_wan_address("11.22.33.55")
        assert (await subscriber.next())["ExternalIPAddress"] == "11.22.33.55"
    async with http.request(
        "SUBSCRIBE", url, headers={"SID": sid, "TIMEOUT": "Second-60"}
    ) as again:
        assert again.status == 200
        assert (again.headers["SID"], again.headers["TIMEOUT"]) == (sid, "Second-60")


async def test_a_slow_subscriber_gets_one_event_at_a_time(
    igd: FakeIgd, http: aiohttp.ClientSession
) -> None:
    arrived: list[tuple[str, str]] = []
    busy = asyncio.Lock()

    async def notify(request: web.Request) -> web.Response:
        assert not busy.locked(), "the event before has not been answered"
        async with busy:
            body = await request.text()
            address = body.partition("<ExternalIPAddress>")[2].partition("<")[0]
            await asyncio.sleep(0.02)
            arrived.append((request.headers["SEQ"], address))
        return web.Response()

    async with Page([web.route("NOTIFY", "/", notify)]) as subscriber:
        headers = {"CALLBACK": f"<{subscriber.url}/>", "NT": "upnp:event"}
        async with http.request(
            "SUBSCRIBE", f"{igd.url}/event/connection", headers=headers
        ) as answer:
            assert answer.status == 200
        addresses = [f"11.22.33.{n}" for n in range(1, 4)]
        await asyncio.gather(*(igd.set_wan_address(address) for address in addresses))
        async with asyncio.timeout(5):
            while len(arrived) < 4:
                await asyncio.sleep(0.01)
    assert [seq for seq, _ in arrived] == ["0", "1", "2", "3"]
    assert arrived[-1] == ("3", "11.22.33.3")


@pytest.mark.parametrize(
    "headers",
    [{"SID": "unknown"}, {}, {"CALLBACK": "<http://127.0.0.2:1/>", "NT": "upnp:event"}],
    ids=["unknown SID", "no callback", "callback of another host"],
)
async def test_a_bad_subscription_is_refused(
    igd: FakeIgd, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    url = f"{igd.url}/event/connection"
    async with http.request("SUBSCRIBE", url, headers=headers) as answer:
        assert answer.status == 412
    assert igd.subscriptions == 0


async def search(port: int, target: str) -> bytes:
    loop = asyncio.get_running_loop()
    received: asyncio.Queue[bytes] = asyncio.Queue()

    class Receiver(asyncio.DatagramProtocol):
        @override
        def datagram_received(self, data: bytes, addr: Any) -> None:
            received.put_nowait(data)

    transport, _ = await loop.create_datagram_endpoint(Receiver, local_addr=("127.0.0.1", 0))
    try:
        packet = build_ssdp_search_packet(("127.0.0.1", port), 1, target)
        transport.sendto(packet, ("127.0.0.1", port))
        return await asyncio.wait_for(received.get(), 5)
    finally:
        transport.close()


@pytest.mark.parametrize(
    "target",
    [
        "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
        "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
        "urn:schemas-upnp-org:service:WANIPConnection:1",
        "upnp:rootdevice",
        "ssdp:all",
    ],
)
async def test_a_unicast_search_is_answered(target: str) -> None:
    async with FakeIgd(connection=Connection.WANIP2, ssdp_port=0) as igd:
        assert igd.ssdp_port
        answer = (await search(igd.ssdp_port, target)).decode()
    assert answer.startswith("HTTP/1.1 200 OK\r\n")
    assert f"LOCATION:{igd.location}\r\n" in answer
    assert f"USN:{igd.identity.udn}::" in answer


async def test_a_search_for_something_else_is_not_answered() -> None:
    async with FakeIgd(ssdp_port=0) as igd:
        assert igd.ssdp_port
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(search(igd.ssdp_port, "urn:x:device:Printer:1"), 0.3)
