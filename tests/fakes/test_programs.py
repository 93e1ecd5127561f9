"""The fakes as programs, scripted from another process."""

import asyncio
from pathlib import Path
import ssl

import aiohttp
from async_upnp_client.aiohttp import AiohttpRequester
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.exceptions import UpnpActionError
from async_upnp_client.profiles.igd import IgdDevice
import pytest

from tests.fakes.control_point import MAPPING, call
from tests.fakes.program import Start
from tests.lab.tls import Authority


async def post(http: aiohttp.ClientSession, url: str, data: str = "", json: object = None) -> int:
    body = {"json": json} if json is not None else {"data": data}
    async with http.post(url, **body) as answer:
        return answer.status


async def test_the_gateway(start: Start, http: aiohttp.ClientSession) -> None:
    started = await start(
        *("tests.fakes.igd", "--control-port", "0", "--wan-address", "100.64.0.2"),
        *("--udn", "uuid:77", "--connection", "WANIPConnection:2"),
        *("--fault", "GetStatusInfo=501", "--quirk", "secure_mode"),
    )
    ready, location, word, control = started.line.split()
    assert (ready, word) == ("ready", "control")
    device = await UpnpFactory(AiohttpRequester()).async_create_device(location)
    assert device.udn == "uuid:77"
    assert device.device_type.endswith("InternetGatewayDevice:2")
    igd = IgdDevice(device, None)
    assert await igd.async_get_external_ip_address() == "100.64.0.2"
    with pytest.raises(UpnpActionError, match="501"):
        await igd.async_get_status_info()

    assert await post(http, f"{control}/wan-address", "11.22.33.99\n") == 204
    assert await igd.async_get_external_ip_address() == "11.22.33.99"
    for fault, once in ((606, True), (725, False), (None, False)):
        asked = {"action": "GetExternalIPAddress", "code": fault, "once": once}
        assert await post(http, f"{control}/fault", json=asked) == 204
        if fault is not None:
            with pytest.raises(UpnpActionError, match=str(fault)):
                await igd.async_get_external_ip_address()
    assert await igd.async_get_external_ip_address() == "11.22.33.99"
    assert await post(http, f"{control}/connection-status", "Disconnected") == 204
    assert await igd.async_get_external_ip_address() == ""
    assert await post(http, f"{control}/fault", "no JSON") == 400
    assert await post(http, f"{control}/fault", json={"code": 1}) == 400

    service = device.find_service("urn:schemas-upnp-org:service:WANIPConnection:2")
    assert service is not None
    await call(service, "AddPortMapping", **MAPPING)
    async with http.get(f"{control}/table") as answer:
        [entry] = await answer.json()
    assert (entry["external_port"], entry["internal_client"], entry["lease"]) == (
        18123,
        "127.0.0.1",
        3600,
    )
    async with http.get(f"{control}/requests") as answer:
        assert (await answer.json())[-1]["action"] == "AddPortMapping"
    async with asyncio.timeout(5):
        assert await started.end() == 0


async def test_the_outside(start: Start, http: aiohttp.ClientSession) -> None:
    started = await start("tests.fakes.outside", "--control-port", "0")
    _, url, _, control = started.line.split()
    asked = {"ip": "11.22.33.44", "reachable": True, "echo": {"status": 500, "body": "no"}}
    assert await post(http, f"{control}/override", json=asked) == 204
    async with http.get(f"{url}/port/8123") as answer:
        assert await answer.json() == {"ip": "11.22.33.44", "port": 8123, "reachable": True}
    async with http.get(f"{url}/ip") as answer:
        assert (answer.status, await answer.text()) == (500, "no")
    assert await post(http, f"{control}/override", json={"echo": None}) == 204
    async with http.get(f"{url}/ip") as answer:
        assert await answer.text() == "11.22.33.44\n"
    unknown: list[object] = [{"echo": {"colour": 1}}, {"routes": []}]
    for wrong in unknown:
        assert await post(http, f"{control}/override", json=wrong) == 400
    async with http.get(f"{control}/requests") as answer:
        assert [seen["path"] for seen in await answer.json()] == ["/port/8123", "/ip", "/ip"]
    async with asyncio.timeout(5):
        assert await started.end() == 0


async def test_the_dynamic_dns_service_over_https(
    start: Start, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1")
    trust = ssl.create_default_context(cafile=str(authority.bundle))
    started = await start(
        *("tests.fakes.dyndns2", "--control-port", "0", "--hostname", "home.example"),
        *("--cert", str(issued.certificate), "--key", str(issued.key)),
    )
    _, url, _, control = started.line.split()
    assert url.startswith("https://")
    query = {"hostname": "home.example", "myip": "11.22.33.44"}
    headers = {"Authorization": aiohttp.encode_basic_auth("demo", "demo")}

    async def update() -> str:
        async with http.get(url, params=query, headers=headers, ssl=trust) as answer:
            return await answer.text()

    assert await post(http, f"{control}/script", json={"reply": "dnserr"}) == 204
    assert [await update() for _ in range(2)] == ["dnserr", "good 11.22.33.44"]
    assert await post(http, f"{control}/script", json={"reply": "911", "always": True}) == 204
    assert [await update() for _ in range(2)] == ["911", "911"]
    assert await post(http, f"{control}/script", json={"reply": None, "always": True}) == 204
    assert await update() == "nochg 11.22.33.44"
    async with http.get(f"{control}/records") as answer:
        assert await answer.json() == {"home.example": {"A": "11.22.33.44"}}
    async with http.get(f"{control}/requests") as answer:
        assert len(await answer.json()) == 5
    async with asyncio.timeout(5):
        assert await started.end() == 0
