"""The keeper of pinholes against a real firewall, by UPnP and by PCP."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address
import time

import pytest

from custom_components.homeport.gateway import (
    Firewall,
    FirewallPlace,
    Hole,
    Memory,
    Pinhole,
    PinholeForbidden,
    PinholeUnsupported,
    Transport,
)
from custom_components.homeport.gateway.memory import By
from custom_components.homeport.ports import KeptPinhole, PinholeKeeper, PinholeState

from . import home as base
from .access_line import within
from .build import Lab
from .fixtures import MakeLab
from .home import LAN6, MINIUPNPD, NET6, SRV6
from .miniupnpd import Miniupnpd
from .traffic import MIRROR_PORT, ask_tcp, closed, mirror

OWN = IPv6Address(LAN6)
TCP = Pinhole(OWN, MIRROR_PORT, Transport.TCP)
OTHER = replace(TCP, client=IPv6Address(SRV6))

ALLOWING = replace(MINIUPNPD, options=("pcp_allow_thirdparty=yes",))
WITHOUT_UPNP = replace(MINIUPNPD, upnp=False)


@pytest.fixture(scope="module")
def upnp(make_lab: MakeLab) -> Lab:
    return make_lab(base.home(ALLOWING, name="firewall"))


@pytest.fixture(scope="module")
def pcp(make_lab: MakeLab) -> Lab:
    return make_lab(base.home(WITHOUT_UPNP, name="firewall-pcp"))


@dataclass
class Kept:
    """A keeper on Home Assistant's machine."""

    lab: Lab
    daemon: Miniupnpd
    memory: Memory = field(default_factory=Memory)
    remembered: dict[str, list[Hole]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keeper = PinholeKeeper(self.remembered, self._save)
        self.firewall = self.new_firewall()

    async def _save(self) -> None:
        """Nothing is to outlive a test."""

    def new_firewall(self) -> Firewall:
        words = ["ip", "-6", "-oneline", "address", "show", "dev", "lan0", "scope", "link"]
        shown = self.lab["rtr"].run(*words).split()[3].partition("/")[0]
        routers = (IPv6Address(f"{shown}%eth0"),)
        return Firewall(FirewallPlace((OWN,), routers, self.daemon.location), self.memory)

    async def keep(self, pinhole: Pinhole | None) -> KeptPinhole:
        return await self.keeper.keep(self.firewall, "port", lambda: pinhole)


def story(kept: Kept, tell: Callable[[Kept], Awaitable[None]]) -> None:
    async def run() -> None:
        try:
            await tell(kept)
        finally:
            await kept.keep(None)
            await kept.firewall.stop()

    within(kept.lab["lan"], run())


def test_upnp_comes_first(upnp: Lab) -> None:
    async def tell(kept: Kept) -> None:
        began = time.monotonic()
        opened = await kept.keep(TCP)
        print(f"\nprobed and opened: {(time.monotonic() - began) * 1000:.0f} ms")  # noqa: T201
        assert opened.state is PinholeState.OPEN
        assert opened.hole
        assert opened.hole.by is By.IGD
        async with mirror(kept.lab["lan"]):
            assert (await ask_tcp(kept.lab["net"], LAN6)).address == NET6
            assert (await kept.keep(None)).state is PinholeState.CLOSED
            assert await closed(kept.lab["net"], LAN6, MIRROR_PORT)

    story(Kept(upnp, ALLOWING), tell)


def test_what_upnp_refuses_goes_by_pcp(upnp: Lab) -> None:
    async def tell(kept: Kept) -> None:
        opened = await kept.keep(OTHER)
        assert opened.hole
        assert opened.hole.by is By.PCP
        async with mirror(kept.lab["srv"]):
            assert (await ask_tcp(kept.lab["net"], SRV6)).address == NET6
            assert (await kept.keep(None)).state is PinholeState.CLOSED
            assert await closed(kept.lab["net"], SRV6, MIRROR_PORT)

    story(Kept(upnp, ALLOWING), tell)


def test_a_restart_loses_it_and_it_is_opened_again(upnp: Lab) -> None:
    async def tell(kept: Kept) -> None:
        await kept.keep(TCP)
        await asyncio.to_thread(upnp.restart, ALLOWING)
        async with mirror(kept.lab["lan"]):
            assert await closed(kept.lab["net"], LAN6, MIRROR_PORT)
            assert (await kept.keep(TCP)).state is PinholeState.OPEN
            assert (await ask_tcp(kept.lab["net"], LAN6)).address == NET6

    story(Kept(upnp, ALLOWING), tell)


def test_pcp_alone_and_a_renewed_one_ends_by_its_lease(pcp: Lab) -> None:
    async def tell(kept: Kept) -> None:
        opened = await kept.keep(TCP)
        assert opened.hole
        assert opened.hole.by is By.PCP
        # As after a restart of Home Assistant: it cannot be sure, and asks once more.
        kept.keeper = PinholeKeeper(kept.remembered, kept._save)
        assert (await kept.keep(TCP)).state is PinholeState.OPEN
        async with mirror(kept.lab["lan"]):
            assert (await ask_tcp(kept.lab["net"], LAN6)).address == NET6
            ending = await kept.keep(None)
            assert ending.state is PinholeState.ENDING
            assert ending.hole
            assert (await kept.keep(None)).hole == ending.hole, "prolonged by asking"
            left = ending.hole.ends - time.time()
            print(f"\nended by its lease of {left:.0f} s")  # noqa: T201
            await asyncio.sleep(max(left, 0))
            assert (await kept.keep(None)).state is PinholeState.CLOSED
            assert await closed(kept.lab["net"], LAN6, MIRROR_PORT)

    story(Kept(pcp, WITHOUT_UPNP), tell)


def test_pcp_notices_a_restart(pcp: Lab) -> None:
    async def tell(kept: Kept) -> None:
        # Young tables differ by less than what clocks may.
        await asyncio.sleep(4)
        await kept.keep(TCP)
        await asyncio.to_thread(pcp.restart, WITHOUT_UPNP)
        async with mirror(kept.lab["lan"]):
            assert await closed(kept.lab["net"], LAN6, MIRROR_PORT)
            [way] = await kept.firewall.ways(OWN)
            way._asked = -1000.0  # type: ignore[attr-defined]
            assert (await kept.keep(TCP)).state is PinholeState.OPEN
            assert (await ask_tcp(kept.lab["net"], LAN6)).address == NET6

    story(Kept(pcp, WITHOUT_UPNP), tell)


def test_another_host_where_neither_allows_it(make_lab: MakeLab) -> None:
    lab = make_lab(base.home(MINIUPNPD, name="firewall-strict"))

    async def tell(kept: Kept) -> None:
        with pytest.raises(PinholeForbidden) as refused:
            await kept.keep(OTHER)
        assert refused.value.translation_key == "pinhole_other_host"
        assert kept.remembered == {}

    story(Kept(lab, MINIUPNPD), tell)


def test_a_gateway_that_is_no_use(upnp: Lab) -> None:
    async def tell(kept: Kept) -> None:
        place = FirewallPlace((OWN,), (IPv6Address(SRV6),), ALLOWING.location)
        kept.firewall = Firewall(place, kept.memory)
        began = time.monotonic()
        with pytest.raises(PinholeUnsupported):
            await kept.keep(TCP)
        assert time.monotonic() - began < 1.5

    story(Kept(upnp, ALLOWING), tell)
