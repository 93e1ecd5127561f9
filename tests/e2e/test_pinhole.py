"""IPv6 pinholes end to end: a real Home Assistant, a real firewall, and the internet side."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest
import pytest_asyncio

from tests.lab import Lab, Miniupnpd
from tests.lab.home import LAN6, NET6, ROUTER, SRV, SRV6
from tests.lab.traffic import MIRROR_PORT, ask_tcp, ask_udp, closed, mirror

from .api import ApiError, FlowKind
from .homeport import Homeport
from .server import HomeAssistantServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def homeport(hass_server: HomeAssistantServer) -> AsyncIterator[Homeport]:
    yield await Homeport.set_up(hass_server, ROUTER)


async def udp_closed(home: Lab) -> bool:
    try:
        await ask_udp(home["net"], LAN6, within=0.4)
    except TimeoutError:
        return True
    return False


async def until_open(home: Lab, within: float) -> float:
    """Return the seconds until the internet gets through to the port."""
    begin = monotonic()
    async with asyncio.timeout(within):
        while await closed(home["net"], LAN6, MIRROR_PORT, within=0.2):
            await asyncio.sleep(0.05)
    return monotonic() - begin


async def until_closed(home: Lab, within: float) -> float:
    begin = monotonic()
    async with asyncio.timeout(within):
        while not await closed(home["net"], LAN6, MIRROR_PORT, within=0.2):
            await asyncio.sleep(0.05)
    return monotonic() - begin


async def add(homeport: Homeport, protocol: str = "TCP", **fields: str | bool | list[str]) -> str:
    given = {"families": ["ipv6"], "internal_port": str(MIRROR_PORT), **fields}
    return await homeport.add_port(f"Pinhole {protocol}", protocol=protocol, **given)


async def test_tcp_and_udp_get_in_and_are_closed_again(homeport: Homeport, home: Lab) -> None:
    tcp, udp = await add(homeport), await add(homeport, "UDP")
    async with mirror(home["lan"]):
        assert await closed(home["net"], LAN6, MIRROR_PORT)
        assert await udp_closed(home)
        begin = monotonic()
        await homeport.switch(tcp, on=True)
        assert (await ask_tcp(home["net"], LAN6)).address == NET6
        print(f"\nIPv6 switch on to reached: {(monotonic() - begin) * 1000:.0f} ms")  # noqa: T201
        await homeport.state("open", "on", tcp)
        assert await udp_closed(home)
        await homeport.switch(udp, on=True)
        assert (await ask_udp(home["net"], LAN6)).address == NET6
        await homeport.state("open", "on", udp)

        await homeport.switch(tcp, on=False)
        await homeport.state("open", "off", tcp)
        assert await closed(home["net"], LAN6, MIRROR_PORT)
        assert (await ask_udp(home["net"], LAN6)).address == NET6
        await homeport.remove(udp)
        async with asyncio.timeout(5):
            while not await udp_closed(home):
                await asyncio.sleep(0.05)
    await homeport.remove(tcp)


async def test_home_assistant_and_the_router_restart(homeport: Homeport, home: Lab) -> None:
    port = await add(homeport)
    daemon = home.daemon(Miniupnpd)
    async with mirror(home["lan"]):
        await homeport.switch(port, on=True)
        await homeport.server.stop()
        assert (await ask_tcp(home["net"], LAN6)).address == NET6
        await homeport.server.start()
        await homeport.state("open", "on", port)
        assert (await ask_tcp(home["net"], LAN6)).address == NET6

        home.stop(daemon)
        daemon.reset(home["rtr"])
        assert await closed(home["net"], LAN6, MIRROR_PORT)
        home.start(daemon)
        seconds = await until_open(home, 5)
        print(f"\nopen again after a restart of the router: {seconds:.1f} s")  # noqa: T201
        await homeport.state("open", "on", port)

        await homeport.switch(port, on=False)
        await homeport.state("open", "off", port)
        assert await closed(home["net"], LAN6, MIRROR_PORT)

        # Switched off by someone who was not there when it was opened.
        await homeport.switch(port, on=True)
        await homeport.server.restart()
        await homeport.state("open", "on", port)
        await homeport.remove(port)
        await until_closed(home, 5)


async def test_disabled_and_enabled(homeport: Homeport, home: Lab) -> None:
    port = await add(homeport)
    async with mirror(home["lan"]):
        await homeport.switch(port, on=True)
        await homeport.server.enable_entry(homeport.entry_id, enabled=False)
        assert await closed(home["net"], LAN6, MIRROR_PORT)
        await homeport.server.enable_entry(homeport.entry_id)
        await homeport.state("open", "on", port)
        await until_open(home, 5)
    await homeport.remove(port)


async def test_both_families_by_one_switch(homeport: Homeport, home: Lab) -> None:
    port = await add(homeport, families=["ipv4", "ipv6"], external_port="17007")
    async with mirror(home["lan"]):
        await homeport.switch(port, on=True)
        await homeport.state("open", "on", port)
        await ask_tcp(home["net"], LAN6)
        await ask_tcp(home["net"], home.wan_address, 17007)
        await homeport.switch(port, on=False)
        await homeport.state("open", "off", port)
        assert await closed(home["net"], LAN6, MIRROR_PORT)
        assert await closed(home["net"], home.wan_address, 17007)
    await homeport.remove(port)


async def test_a_low_port_goes_by_pcp(homeport: Homeport, home: Lab) -> None:
    """UPnP refuses ports below 1024."""
    form = {"name": "Low", "protocol": "TCP", "families": ["ipv6"], "internal_port": "443"}
    owner = homeport.entry_id, "port"
    step = await homeport.server.run_flow(FlowKind.SUBENTRY, owner, form, {"understood": True})
    assert step["type"] == "create_entry", step
    subentries = await homeport.server.subentries(homeport.entry_id)
    [port] = [each["subentry_id"] for each in subentries if each["title"] == "Low"]
    async with mirror(home["lan"], 443):
        await homeport.switch(port, on=True)
        await homeport.state("open", "on", port)
        assert (await ask_tcp(home["net"], LAN6, 443)).address == NET6
        await homeport.switch(port, on=False)
        await homeport.state("open", "off", port)
        assert await closed(home["net"], LAN6, 443)
    await homeport.remove(port)


async def test_another_host_by_hand_only_and_ipv4_goes_on(homeport: Homeport, home: Lab) -> None:
    # The kernel knows a neighbour from what it exchanges with it, by either family.
    assert await closed(home["lan"], SRV, MIRROR_PORT)
    assert await closed(home["lan"], SRV6, MIRROR_PORT)
    port = await add(
        homeport, families=["ipv4", "ipv6"], internal_client=SRV, external_port="17008"
    )
    async with mirror(home["srv"]):
        with pytest.raises(ApiError) as refused:
            await homeport.switch(port, on=True)
        assert refused.value.details["translation_key"] == "pinhole_other_host"
        assert refused.value.details["translation_placeholders"]["client"] == SRV6
        await homeport.state("open", "unknown", port)
        await ask_tcp(home["net"], home.wan_address, 17008)
        assert await closed(home["net"], SRV6, MIRROR_PORT)
        await homeport.switch(port, on=False)
        await homeport.state("open", "off", port)
    await homeport.remove(port)
