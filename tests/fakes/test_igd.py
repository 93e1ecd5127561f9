"""The simulated gateway, driven by async-upnp-client's own client side."""

import asyncio
import shutil

import aiohttp
from async_upnp_client.aiohttp import AiohttpRequester
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.exceptions import UpnpActionError, UpnpError, UpnpXmlParseError
from async_upnp_client.profiles.igd import IgdDevice
from defusedxml import EntitiesForbidden
import pytest

from tests.fakes.control_point import KEY, MAPPING, call, connection_service, subscribed
from tests.fakes.igd import Connection, FakeIgd, Identity, Quirk
from tests.fakes.reply import Reply


@pytest.mark.parametrize("connection", Connection)
async def test_a_strict_client_reads_who_the_gateway_is(connection: Connection) -> None:
    identity = Identity(udn="uuid:1234", friendly_name="Ällö", manufacturer="M", model="N")
    async with FakeIgd(connection=connection, identity=identity, wan_address="100.64.0.2") as igd:
        device = await UpnpFactory(AiohttpRequester()).async_create_device(igd.location)
        assert device.device_type.endswith(f"InternetGatewayDevice:{connection.version}")
        assert (device.udn, device.friendly_name) == ("uuid:1234", "Ällö")
        assert (device.manufacturer, device.model_name) == ("M", "N")
        assert device.presentation_url == f"{igd.url}/"
        types = {service.service_type.rpartition("service:")[2] for service in device.all_services}
        assert types == {connection, "WANCommonInterfaceConfig:1"}
        client = IgdDevice(device, None)
        assert await client.async_get_external_ip_address() == "100.64.0.2"
        status = await client.async_get_status_info()
        assert status is not None
        assert status.connection_status == "Connected"
        kind = await client.async_get_connection_type_info()
        assert kind is not None
        assert kind.connection_type == "IP_Routed"


async def test_the_common_service_can_be_missing() -> None:
    async with FakeIgd(common_interface=False) as igd:
        device = await UpnpFactory(AiohttpRequester()).async_create_device(igd.location)
        assert [s.service_type for s in device.all_services] == [
            "urn:schemas-upnp-org:service:WANIPConnection:1"
        ]


async def test_a_mapping_is_added_read_and_deleted(igd: FakeIgd) -> None:
    service = await connection_service(igd)
    await call(service, "AddPortMapping", **MAPPING)
    assert igd.table[("TCP", 18123, "")].description == "Homeport"
    specific = await call(service, "GetSpecificPortMappingEntry", **KEY)
    generic = await call(service, "GetGenericPortMappingEntry", NewPortMappingIndex=0)
    assert generic == MAPPING
    assert specific == {name: value for name, value in MAPPING.items() if name not in KEY}
    await call(service, "DeletePortMapping", **KEY)
    assert not igd.table
    with pytest.raises(UpnpActionError) as caught:
        await call(service, "DeletePortMapping", **KEY)
    assert caught.value.error_code == 714
    assert [action for action, _ in igd.requests] == [
        "AddPortMapping",
        "GetSpecificPortMappingEntry",
        "GetGenericPortMappingEntry",
        "DeletePortMapping",
        "DeletePortMapping",
    ]
    assert igd.requests[0] == ("AddPortMapping", MAPPING)


@pytest.mark.parametrize("code", [402, 501, 606, 718, 725, 899])
async def test_a_scripted_fault_arrives_with_its_code(igd: FakeIgd, code: int) -> None:
    service = await connection_service(igd)
    igd.faults["AddPortMapping"] = code
    for _ in range(2):
        with pytest.raises(UpnpActionError) as caught:
            await call(service, "AddPortMapping", **MAPPING)
        assert caught.value.error_code == code
    assert not igd.table
    del igd.faults["AddPortMapping"]
    await call(service, "AddPortMapping", **MAPPING)
    assert igd.table


async def test_listed_faults_are_used_up(igd: FakeIgd) -> None:
    service = await connection_service(igd)
    igd.faults["AddPortMapping"] = [725, 718]
    for code in (725, 718):
        with pytest.raises(UpnpActionError) as caught:
            await call(service, "AddPortMapping", **MAPPING)
        assert caught.value.error_code == code
    await call(service, "AddPortMapping", **MAPPING)
    assert igd.table


async def test_a_lease_runs_out_by_the_clock() -> None:
    now = [0.0]
    async with FakeIgd(clock=lambda: now[0]) as igd:
        service = await connection_service(igd)
        await call(service, "AddPortMapping", **MAPPING)
        now[0] = 3599.0
        read = await call(service, "GetSpecificPortMappingEntry", **KEY)
        assert read["NewLeaseDuration"] == 1
        now[0] = 3600.0
        with pytest.raises(UpnpActionError) as caught:
            await call(service, "GetSpecificPortMappingEntry", **KEY)
        assert caught.value.error_code == 714


async def test_secure_mode_looks_at_the_caller() -> None:
    async with FakeIgd(quirks=[Quirk.SECURE_MODE]) as igd:
        service = await connection_service(igd)
        await call(service, "AddPortMapping", **MAPPING)
        with pytest.raises(UpnpActionError) as caught:
            await call(service, "AddPortMapping", **MAPPING | {"NewInternalClient": "192.168.1.9"})
        assert caught.value.error_code == 718


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        ("Reboot", "", 401),
        ("GetGenericPortMappingEntry", "<NewPortMappingIndex>abc</NewPortMappingIndex>", 402),
        ("GetGenericPortMappingEntry", "", 402),
        ("GetGenericPortMappingEntry", "<Other>1</Other>", 402),
        ("GetGenericPortMappingEntry", "<NewPortMappingIndex>&", 402),
    ],
)
async def test_a_malformed_call_is_a_fault(
    igd: FakeIgd, http: aiohttp.ClientSession, action: str, body: str, code: int
) -> None:
    kind = "urn:schemas-upnp-org:service:WANIPConnection:1"
    envelope = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<u:{action} xmlns:u="{kind}">{body}</u:{action}></s:Body></s:Envelope>'
    )
    headers = {"SOAPAction": f'"{kind}#{action}"'}
    url = f"{igd.url}/control/connection"
    async with http.post(url, data=envelope, headers=headers) as answer:
        assert answer.status == 500
        assert f"<errorCode>{code}</errorCode>" in await answer.text()


@pytest.mark.parametrize(
    ("description", "error"),
    [
        (Reply(body="this is no XML"), UpnpXmlParseError),
        (Reply.html_error(404), UpnpError),
        (Reply.entity_bomb(), EntitiesForbidden),
        (Reply(drop=True), UpnpError),
        (Reply(hang=True), UpnpError),
        (Reply(delay=30.0), UpnpError),
    ],
    ids=["no XML", "404", "entities", "drop", "hang", "slow"],
)
async def test_a_bad_description_reaches_the_client(
    igd: FakeIgd, description: Reply, error: type[Exception]
) -> None:
    igd.description = description
    with pytest.raises(error):
        await UpnpFactory(AiohttpRequester(timeout=1)).async_create_device(igd.location)
    igd.description = None
    await UpnpFactory(AiohttpRequester()).async_create_device(igd.location)


async def test_a_description_may_point_its_control_url_at_another_host(igd: FakeIgd) -> None:
    bad = igd.description_xml().replace("/control/", "http://192.0.2.1/control/")
    igd.description = Reply(body=bad, content_type="text/xml")
    with pytest.raises(UpnpError, match=r"192\.0\.2\.1"):
        await UpnpFactory(AiohttpRequester()).async_create_device(igd.location)


async def test_a_description_may_be_huge_or_redirect(
    igd: FakeIgd, http: aiohttp.ClientSession
) -> None:
    igd.description = Reply.huge()
    async with http.get(igd.location) as answer:
        assert len(await answer.read()) == 10_000_000
    igd.description = Reply.redirect("http://192.0.2.1/desc.xml")
    async with http.get(igd.location, allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"] == "http://192.0.2.1/desc.xml"


@pytest.mark.parametrize(
    "control",
    [Reply.html_error(), Reply(drop=True), Reply(hang=True), Reply.entity_bomb()],
    ids=["HTML", "drop", "hang", "entities"],
)
async def test_a_bad_control_answer_reaches_the_client(igd: FakeIgd, control: Reply) -> None:
    factory = UpnpFactory(AiohttpRequester(timeout=1))
    client = IgdDevice(await factory.async_create_device(igd.location), None)
    igd.control = control
    with pytest.raises((UpnpError, EntitiesForbidden)) as caught:
        await client.async_get_external_ip_address()
    assert getattr(caught.value, "error_code", None) is None
    assert not igd.requests
    igd.control = None
    assert await client.async_get_external_ip_address() == "11.22.33.44"


async def test_a_missing_service_description_and_refused_events_reach_the_client(
    igd: FakeIgd,
) -> None:
    igd.events = Reply(status=503)
    with pytest.raises(UpnpError):
        async with subscribed(igd):
            pass
    igd.scpd = Reply(status=404)
    with pytest.raises(UpnpError):
        await connection_service(igd)


async def test_the_end_does_not_wait_for_hanging_answers(http: aiohttp.ClientSession) -> None:
    async with FakeIgd() as igd:
        igd.description = Reply(hang=True)
        hanging = asyncio.create_task(http.get(igd.location).__aenter__())
        await asyncio.wait([hanging], timeout=0.3)
        assert not hanging.done()
        leaving = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - leaving < 1
    with pytest.raises(aiohttp.ClientError):
        await hanging


@pytest.mark.skipif(shutil.which("upnpc") is None, reason="miniupnpc is not installed")
async def test_an_independent_client_gets_along_with_it(igd: FakeIgd) -> None:
    async def upnpc(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "upnpc", "-u", igd.location, *arguments, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        return out.decode()

    await upnpc("-e", "game", "-a", "127.0.0.1", "8123", "18123", "TCP", "3600")
    listed = await upnpc("-l")
    assert "ExternalIPAddress = 11.22.33.44" in listed
    assert "TCP 18123->127.0.0.1:8123" in listed
    assert "'game'" in listed
    await upnpc("-d", "18123", "TCP")
    assert not igd.table
