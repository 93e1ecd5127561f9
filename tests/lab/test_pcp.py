"""A real gateway opens and closes by PCP, and what it opens can be reached from outside."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
import secrets
import statistics
import time

import pytest

from custom_components.homeport.gateway.epoch import Epoch, pcp_lost_state
from custom_components.homeport.gateway.errors import GatewayUnreachable, PcpRefused
from custom_components.homeport.gateway.model import Transport
from custom_components.homeport.gateway.pcp import PcpClient

from . import home as base
from .access_line import within
from .build import Lab
from .fixtures import MakeLab
from .home import LAN6, MINIUPNPD, NET, NET6, ROUTER, ROUTER6, SRV, SRV6, WAN
from .traffic import MIRROR_PORT, ask_tcp, ask_udp, closed, mirror

GATEWAY, GATEWAY6 = IPv4Address(ROUTER), IPv6Address(ROUTER6)
TCP, UDP = Transport.TCP, Transport.UDP


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab) -> Lab:
    return make_lab(base.home(MINIUPNPD))


def nonce() -> bytes:
    return secrets.token_bytes(12)


async def silent(lab: Lab, port: int, address: str = WAN) -> bool:
    """Say whether a UDP packet from outside gets no answer."""
    try:
        await ask_udp(lab["net"], address, port, within=0.3)
    except OSError:
        return True
    return False


async def until_lost(lab: Lab, address: str, port: int, seconds: float) -> float:
    """Return after how many seconds a TCP port is closed, at most `seconds`."""
    began = time.monotonic()
    while not await closed(lab["net"], address, port, within=0.2):
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.1)
    return time.monotonic() - began


def test_tcp_and_udp_open_and_close(lab: Lab) -> None:
    async def story() -> None:
        client, mine = PcpClient(GATEWAY), nonce()
        async with mirror(lab["lan"]):
            for protocol in (TCP, UDP):
                mapping = await client.map(protocol, MIRROR_PORT, 18123, 600, mine)
                assert (str(mapping.external_address), mapping.external_port) == (WAN, 18123)
                assert mapping.lifetime == 600
            assert (await ask_tcp(lab["net"], WAN, 18123)).address == NET
            assert (await ask_udp(lab["net"], WAN, 18123)).address == NET
            for protocol in (TCP, UDP):
                await client.unmap(protocol, MIRROR_PORT, mine)
            assert await closed(lab["net"], WAN, 18123)
            assert await silent(lab, 18123)
            # Once more: what is not there is no error.
            await client.unmap(TCP, MIRROR_PORT, mine)

    within(lab["lan"], story())


def test_ipv6_opens_and_closes_below_1024_too(lab: Lab) -> None:
    async def story() -> None:
        client, mine = PcpClient(GATEWAY6, source=IPv6Address(LAN6)), nonce()
        assert await client.probe() is not None
        async with mirror(lab["lan"], 443):
            assert await closed(lab["net"], LAN6, 443)
            for protocol in (TCP, UDP):
                mapping = await client.map(protocol, 443, 443, 600, mine, exact=True)
                assert (str(mapping.external_address), mapping.external_port) == (LAN6, 443)
            assert (await ask_tcp(lab["net"], LAN6, 443)).address == NET6
            assert (await ask_udp(lab["net"], LAN6, 443)).address == NET6
            for protocol in (TCP, UDP):
                await client.unmap(protocol, 443, mine)
            assert await closed(lab["net"], LAN6, 443)
            assert await silent(lab, 443, LAN6)
            await client.unmap(TCP, 443, mine)

    within(lab["lan"], story())


def test_ipv6_is_opened_for_the_address_that_is_asked_from(lab: Lab) -> None:
    """By a link-local gateway, the kernel would ask from a link-local address."""
    other = "2a00:77:77:1::99"
    shown = lab["rtr"].run("ip", "-6", "-oneline", "address", "show", "lan0", "scope", "link")
    link_local = shown.split()[3].partition("/")[0]

    async def story() -> None:
        for source in (LAN6, other):
            client, mine = (
                PcpClient(IPv6Address(f"{link_local}%eth0"), source=IPv6Address(source)),
                nonce(),
            )
            mapping = await client.map(TCP, 8443, 8443, 600, mine)
            assert str(mapping.external_address) == source
            assert (await ask_tcp(lab["net"], source, 8443)).address == NET6
            await client.unmap(TCP, 8443, mine)
            assert await closed(lab["net"], source, 8443)

    async def with_mirror() -> None:
        async with mirror(lab["lan"], 8443):
            await story()

    lab["lan"].run("ip", "address", "add", f"{other}/64", "dev", "eth0")
    try:
        within(lab["lan"], with_mirror())
    finally:
        lab["lan"].run("ip", "address", "del", f"{other}/64", "dev", "eth0")


def test_a_taken_port_is_replaced_by_another_even_where_that_is_not_wanted(lab: Lab) -> None:
    """Miniupnpd does not care for PREFER_FAILURE: the port has to be looked at."""

    async def story() -> None:
        client, first, second = PcpClient(GATEWAY), nonce(), nonce()
        await client.map(TCP, 8201, 18201, 600, first)
        other = await client.map(TCP, 8202, 18201, 600, second, exact=True)
        assert other.external_port != 18201
        await client.unmap(TCP, 8202, second)
        await client.unmap(TCP, 8201, first)

    within(lab["lan"], story())


@pytest.mark.parametrize(("gateway", "other"), [(GATEWAY, SRV), (GATEWAY6, SRV6)], ids=str)
def test_another_host_is_refused(lab: Lab, gateway: IPv4Address, other: str) -> None:
    async def story() -> None:
        with pytest.raises(PcpRefused) as refused:
            await PcpClient(gateway).map(
                TCP, 8203, 8203, 600, nonce(), client=ip_address(other), exact=True
            )
        assert refused.value.translation_key == "pcp_5"

    within(lab["lan"], story())


def test_another_host_is_opened_where_the_gateway_allows_it(make_lab: MakeLab) -> None:
    allowing = replace(MINIUPNPD, options=("pcp_allow_thirdparty=yes",))
    lab = make_lab(base.home(allowing, name="third-party"))

    async def story() -> None:
        mine = nonce()
        async with mirror(lab["srv"], 25565):
            for gateway, other, outside in ((GATEWAY, SRV, WAN), (GATEWAY6, SRV6, SRV6)):
                client = PcpClient(gateway)
                await client.map(TCP, 25565, 25565, 600, mine, client=ip_address(other))
                assert (await ask_tcp(lab["net"], outside, 25565)).address in {NET, NET6}
                await client.unmap(TCP, 25565, mine, client=ip_address(other))
                assert await closed(lab["net"], outside, 25565)

    within(lab["lan"], story())


def test_only_the_last_nonce_deletes(lab: Lab) -> None:
    async def story() -> None:
        client, old, new = PcpClient(GATEWAY), nonce(), nonce()
        await client.map(TCP, 8204, 18204, 600, old)
        await client.map(TCP, 8204, 18204, 600, new)
        with pytest.raises(PcpRefused) as refused:
            await client.unmap(TCP, 8204, old)
        assert refused.value.translation_key == "pcp_2"
        await client.unmap(TCP, 8204, new)

    within(lab["lan"], story())


def test_a_lease_ends_by_itself(lab: Lab) -> None:
    """An IPv6 pinhole that was renewed, which miniupnpd deletes for nobody, can be shortened."""

    async def story() -> None:
        client, client6, mine = PcpClient(GATEWAY), PcpClient(GATEWAY6), nonce()
        async with mirror(lab["lan"], 8205):
            await client6.map(TCP, 8205, 8205, 600, mine)
            await client6.map(TCP, 8205, 8205, 600, mine)
            with pytest.raises(PcpRefused) as refused:
                await client6.unmap(TCP, 8205, mine)
            assert refused.value.code == 2
            # Less than the gateway grants at least.
            assert (await client6.map(TCP, 8205, 8205, 1, mine)).lifetime == 10
            assert (await client.map(TCP, 8205, 18205, 10, mine)).lifetime == 10
            assert (await ask_tcp(lab["net"], WAN, 18205)).address == NET
            assert (await ask_tcp(lab["net"], LAN6, 8205)).address == NET6
            seconds = await asyncio.gather(
                until_lost(lab, WAN, 18205, 20), until_lost(lab, LAN6, 8205, 20)
            )
        print(f"\nleases of 10 s ended after {[f'{each:.1f} s' for each in seconds]}")  # noqa: T201
        assert min(seconds) > 8

    within(lab["lan"], story())


def test_a_restart_is_seen_in_the_epoch(lab: Lab) -> None:
    async def epoch(client: PcpClient) -> Epoch:
        found = await client.probe()
        assert found is not None
        assert found.epoch is not None
        return found.epoch

    async def story() -> None:
        client = PcpClient(GATEWAY)
        before = first = await epoch(client)
        while before.seconds < 3:
            await asyncio.sleep(0.2)
            before = await epoch(client)
        assert not pcp_lost_state(first, before)
        lab.restart(MINIUPNPD)
        assert pcp_lost_state(before, await epoch(client))

    within(lab["lan"], story())


def test_a_gateway_that_is_down_is_known_at_once(lab: Lab) -> None:
    async def story() -> None:
        began = time.monotonic()
        assert await PcpClient(GATEWAY).probe() is None
        for gateway in (GATEWAY, GATEWAY6):
            with pytest.raises(GatewayUnreachable):
                await PcpClient(gateway).map(TCP, 8206, 18206, 600, nonce())
        assert time.monotonic() - began < 0.5

    lab.stop(MINIUPNPD)
    try:
        within(lab["lan"], story())
    finally:
        lab.start(MINIUPNPD)


def test_a_gateway_that_is_away_is_given_up(lab: Lab) -> None:
    async def story() -> None:
        began = time.monotonic()
        with pytest.raises(GatewayUnreachable):
            await PcpClient(IPv4Address("192.168.77.99")).map(TCP, 8206, 18206, 600, nonce())
        assert time.monotonic() - began < 4

    within(lab["lan"], story())


def test_a_shared_wan_address_is_no_resource(make_lab: MakeLab) -> None:
    lab = make_lab(base.reserved(MINIUPNPD))

    async def story() -> None:
        with pytest.raises(PcpRefused) as refused:
            await PcpClient(GATEWAY).map(TCP, 8207, 18207, 600, nonce())
        assert (refused.value.translation_key, refused.value.retry_after) == ("pcp_8", 30)

    within(lab["lan"], story())


def test_how_long_it_takes(lab: Lab) -> None:
    async def timed(client: PcpClient, ports: Iterable[int]) -> list[float]:
        taken = []
        for port in ports:
            began = time.perf_counter()
            await client.map(TCP, port, port, 600, mine)
            taken.append((time.perf_counter() - began) * 1000)
        return taken

    async def story() -> None:
        client = PcpClient(GATEWAY)
        one = await timed(client, range(20000, 20010))
        six = await timed(PcpClient(GATEWAY6), range(20000, 20010))
        began = time.perf_counter()
        ports = range(21000, 21020)
        made = await asyncio.gather(*(client.map(TCP, p, p, 600, mine) for p in ports))
        together = time.perf_counter() - began
        assert [each.external_port for each in made] == list(ports)
        print(  # noqa: T201
            f"\nPCP map: IPv4 {statistics.median(one):.1f} ms, at most {max(one):.1f} ms; "
            f"IPv6 {statistics.median(six):.1f} ms, at most {max(six):.1f} ms; "
            f"20 more at once in {together:.2f} s"
        )
        await asyncio.gather(
            *(client.unmap(TCP, port, mine) for port in (*range(20000, 20010), *ports))
        )

    mine = nonce()
    within(lab["lan"], story())
