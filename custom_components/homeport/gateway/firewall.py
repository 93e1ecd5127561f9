"""The IPv6 firewall of one gateway, by whichever protocol opens it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final, override

from .errors import GatewayError
from .memory import Memory
from .pcp import PcpClient
from .pinhole import Pinhole, PinholeControl
from .pinhole_url import at_hosts
from .pinhole_way import PcpWay, PinholeWay, UpnpWay
from .shared_task import end, result_of

_PROBE_WITHIN: Final = 1.0
"""Seconds to find out what the gateway speaks, all at once."""
_IN_VAIN_FOR: Final = 20.0
"""Seconds for which a gateway that speaks nothing is not asked again."""
_MOST_ROUTERS: Final = 4


class PinholeUnsupported(GatewayError):
    """The gateway cannot be asked for this pinhole: it is opened by hand, in its own pages."""

    translation_key = "pinhole_unsupported"

    def __init__(self, pinhole: Pinhole) -> None:
        """Take what was asked for."""
        super().__init__()
        self.pinhole = pinhole

    @property
    @override
    def placeholders(self) -> dict[str, str]:
        """Return what has to be entered by hand."""
        return {
            "client": str(self.pinhole.client),
            "port": str(self.pinhole.port),
            "protocol": self.pinhole.protocol.value,
        }


@dataclass(frozen=True, slots=True)
class FirewallPlace:
    """Where the IPv6 firewall is asked, and from where.

    - `own`: this machine's global addresses, the one to ask from for other hosts first
    - `routers`: the gateway's IPv6 addresses, the link-local ones with their zone
    - `location`: the URL of its description over IPv4; None without UPnP
    """

    own: tuple[IPv6Address, ...]
    routers: tuple[IPv6Address, ...]
    location: str | None


class Firewall:
    """What a gateway speaks is found out once for each own address, UPnP and PCP at the same time.

    UPnP comes first, since it tells whether a pinhole is there.
    """

    def __init__(self, place: FirewallPlace, memory: Memory) -> None:
        """Take the place, and what keeps the nonces; nothing is asked yet."""
        self.place = place
        self._memory = memory
        self._probes: dict[IPv6Address, asyncio.Task[Sequence[PinholeWay]]] = {}
        self._in_vain: dict[IPv6Address, float] = {}

    def source_for(self, client: IPv6Address) -> IPv6Address | None:
        """Return the own address to open a host's pinholes from: its own one where it is ours."""
        own = self.place.own
        return client if client in own else next(iter(own), None)

    async def ways(self, source: IPv6Address) -> Sequence[PinholeWay]:
        """Return what the gateway speaks towards an own address, the better first."""
        until = self._in_vain.get(source)
        if until is not None and _time() > until:
            await self.forget(source)
        if source not in self._probes:
            self._probes[source] = asyncio.create_task(
                self._ask(source), name="homeport pinhole probe"
            )
        return await result_of(self._probes[source])

    async def forget(self, source: IPv6Address) -> None:
        """Find out anew, at the next chance, since something has stopped working."""
        self._in_vain.pop(source, None)
        await end(self._probes.pop(source, None))

    async def stop(self) -> None:
        """End what is under way."""
        for source in list(self._probes):
            await self.forget(source)

    async def _ask(self, source: IPv6Address) -> Sequence[PinholeWay]:
        routers = self.place.routers[:_MOST_ROUTERS]
        found = await asyncio.gather(
            self._ask_upnp(source, routers),
            *(self._ask_pcp(source, router) for router in routers),
        )
        upnp, *pcp = found
        ways = [way for way in (upnp, next(filter(None, pcp), None)) if way]
        if not ways:
            self._in_vain[source] = _time() + _IN_VAIN_FOR
        return ways

    async def _ask_upnp(
        self, source: IPv6Address, routers: Sequence[IPv6Address]
    ) -> PinholeWay | None:
        if not self.place.location:
            return None
        locations = at_hosts(self.place.location, map(str, routers))
        try:
            async with asyncio.timeout(_PROBE_WITHIN):
                control = await PinholeControl.connect(source, locations)
        except GatewayError, TimeoutError:
            return None
        return UpnpWay(control) if control else None

    async def _ask_pcp(self, source: IPv6Address, router: IPv6Address) -> PinholeWay | None:
        client = PcpClient(router, source=source)
        return PcpWay(client, source, self._memory) if await client.probe(_PROBE_WITHIN) else None


def _time() -> float:
    return asyncio.get_running_loop().time()
