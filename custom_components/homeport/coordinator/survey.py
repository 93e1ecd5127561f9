"""Looking at the line from all sides at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
import logging
import socket
from typing import Any

from yarl import URL

from ..gateway import GatewayError, Igd, find_location
from ..host import HostState, mtu_from_mss, path_mtu
from ..line import (
    AFTR_NAMES,
    AddressKind,
    EchoEvidence,
    GatewayEvidence,
    HomeGatewayEvidence,
    MtuEvidence,
    NamesEvidence,
    SecondHopEvidence,
    StunEvidence,
    address_kind,
)
from ..options import LineOptions
from ..outside import (
    HOME_GATEWAY_NAME,
    LineNames,
    OutsideDisagree,
    OutsideError,
    ask_natpmp,
    home_gateway,
    parse_server,
    public_address,
    sample,
    trace,
)
from .base import Sessions

_LOGGER = logging.getLogger(__name__)

CAP = 5.0
"""Seconds that a survey may take in all."""

# Only the way towards them matters: what is sent dies within three hops, and nothing of it arrives.
_FAR4, _FAR6 = "1.1.1.1", "2606:4700:4700::1111"
_PORT_SAMPLES = 12
_CONNECT = 2.0
"""Seconds for a connection that is opened to see how large its segments are."""

type Pieces = Mapping[str, Any]
"""Evidence by the names of its members."""
type Found = Callable[[Pieces], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is known before others are asked."""

    options: LineOptions
    sessions: Sessions
    host: HostState
    gateway: GatewayEvidence | None

    @property
    def name_servers(self) -> tuple[str, ...]:
        """The name servers that are the line's own: the router, and what it announces."""
        route = self.host.ipv4_route
        router = route.gateway if route and route.gateway else None
        if router is None and self.gateway:
            router = self.gateway.lan
        return tuple(str(each) for each in (router, *self.host.name_servers) if each)


@dataclass(frozen=True, slots=True)
class Collector:
    """One way to find something out: what it is about, for how many seconds, and how."""

    pieces: tuple[str, ...]
    limit: float
    ask: Callable[[Around, Found], Awaitable[None]]


async def survey(around: Around, found: Found) -> None:
    """Let all collectors run side by side, and hand over what they find as they find it.

    A collector that fails or takes too long finds nothing, which is evidence of its own kind: each
    piece is handed over once at least, as None if there is nothing. Nothing is after the end.
    """
    missing = {piece for each in COLLECTORS for piece in each.pieces}
    over = False

    def note(pieces: Pieces) -> None:
        if not over:
            missing.difference_update(pieces)
            found(pieces)

    tasks = [asyncio.ensure_future(_run(each, around, note)) for each in COLLECTORS]
    try:
        # One that cannot even be cancelled holds up nobody.
        await asyncio.wait(tasks, timeout=CAP)
    finally:
        over = True
        for task in tasks:
            task.cancel()
    if missing:
        found(dict.fromkeys(missing))


async def _run(collector: Collector, around: Around, found: Found) -> None:
    missing = set(collector.pieces)

    def note(pieces: Pieces) -> None:
        missing.difference_update(pieces)
        found(pieces)

    try:
        async with asyncio.timeout(collector.limit):
            await collector.ask(around, note)
    except Exception as err:  # noqa: BLE001 - whatever goes wrong with one must not fail the others
        _LOGGER.debug("Nothing found out about %s: %s", collector.pieces, type(err).__name__)
    found(dict.fromkeys(missing))


# --- From outside --------------------------------------------------------------------------------


async def _echo4(around: Around, found: Found) -> None:
    urls = around.options.echo_urls
    if not urls:
        return
    seen: EchoEvidence[IPv4Address]
    try:
        said = await public_address(around.sessions.ipv4, urls, 4)
    except OutsideDisagree:
        seen = EchoEvidence(None, answered=True)
    except OutsideError:
        seen = EchoEvidence(None, answered=False)
    else:
        agreed = said.answers > 1 or len(urls) == 1
        seen = EchoEvidence(said.address, answered=True, agreed=agreed, secure=said.secure)
    found({"echo4": seen})
    if seen.address and around.options.look_up_names:
        found({"reverse_name": await _reverse_name(around, seen.address)})


async def _reverse_name(around: Around, address: IPv4Address) -> str | None:
    if servers := around.name_servers:
        name = await LineNames(servers).reverse(address)
        if name is not None:
            return name
    return await LineNames().reverse(address)


async def _echo6(around: Around, found: Found) -> None:
    urls = around.options.echo_urls
    if not urls:
        return
    seen: EchoEvidence[IPv6Address]
    try:
        said = await public_address(around.sessions.ipv6, urls, 6)
    except OutsideDisagree:
        # Two temporary addresses of one home are no contradiction; which one it is does not matter.
        seen = EchoEvidence(None, answered=True)
    except OutsideError:
        seen = EchoEvidence(None, answered=False)
    else:
        agreed = said.answers > 1 or len(urls) == 1
        seen = EchoEvidence(said.address, answered=True, agreed=agreed, secure=said.secure)
    found({"echo6": seen})


async def _stun4(around: Around, found: Found) -> None:
    if servers := [parse_server(text) for text in around.options.stun_servers]:
        said = await sample(servers, 4, _PORT_SAMPLES)
        found({"stun4": StunEvidence(said.address, said.answered, said.ports)})


async def _stun6(around: Around, found: Found) -> None:
    if servers := [parse_server(text) for text in around.options.stun_servers]:
        said = await sample(servers, 6, 1)
        found({"stun6": StunEvidence(said.address, said.answered, said.ports)})


# --- The way out ---------------------------------------------------------------------------------


async def _mtu(around: Around, found: Found) -> None:
    if not (around.options.echo_urls or around.options.stun_servers):
        return  # nothing is to leave the home
    ipv4, ipv6 = await asyncio.gather(_mtu_towards(around, _FAR4), _mtu_towards(around, _FAR6))
    found({"mtu": MtuEvidence(ipv4, ipv6)})


async def _mtu_towards(around: Around, far: str) -> int | None:
    """Measure with a packet that dies on the way, else by a connection that is there anyway."""
    if (measured := await path_mtu(far)) or not around.options.echo_urls:
        return measured
    url = URL(around.options.echo_urls[0])
    family = socket.AF_INET6 if ":" in far else socket.AF_INET
    try:
        async with asyncio.timeout(_CONNECT):
            _, writer = await asyncio.open_connection(url.host, url.port, family=family)
    except OSError:
        return None
    try:
        return mtu_from_mss(writer.get_extra_info("socket"))
    finally:
        writer.close()


async def _names(around: Around, found: Found) -> None:
    if around.options.look_up_names and (servers := around.name_servers):
        found({"names": await _observe(LineNames(servers))})


async def _system_names(around: Around, found: Found) -> None:
    if around.options.look_up_names:
        found({"system_names": await _observe(LineNames())})


async def _observe(resolver: LineNames) -> NamesEvidence | None:
    signs = await resolver.observe(AFTR_NAMES)
    return NamesEvidence(signs.aftr, signs.provisioning, signs.nat64) if signs.answered else None


# --- Behind the router ---------------------------------------------------------------------------


async def _second_hop(around: Around, found: Found) -> None:
    if not _may_be_behind(around):
        return
    hops = await trace(_FAR4)
    found({"second_hop": SecondHopEvidence(hops)})
    if router := _second_router(hops):
        answered, address = await _ask_router(around, router)
        found({"second_hop": SecondHopEvidence(hops, router if answered else None, address)})


def _may_be_behind(around: Around) -> bool:
    """Say whether there may be another router: not where ours has a public address."""
    wan = around.gateway.address if around.gateway else None
    return around.options.look_behind and address_kind(wan) is not AddressKind.GLOBAL


def _second_router(hops: tuple[IPv4Address | IPv6Address | None, ...]) -> IPv4Address | None:
    """Return the first private address behind the first hop, which is the home's own router."""
    return next(
        (
            hop
            for hop in hops[1:]
            if isinstance(hop, IPv4Address) and address_kind(hop) is AddressKind.PRIVATE
        ),
        None,
    )


async def _ask_router(around: Around, router: IPv4Address) -> tuple[bool, IPv4Address | None]:
    """Say whether a router answers over NAT-PMP or UPnP, and return the WAN address it names."""
    async with asyncio.TaskGroup() as group:
        natpmp = group.create_task(ask_natpmp(str(router)))
        upnp = group.create_task(_ask_upnp(around, router))
        answer = await natpmp
        if answer and answer.address:
            upnp.cancel()
    if answer and answer.address:
        return True, answer.address
    answered, address = upnp.result()
    return answered or answer is not None, address


async def _ask_upnp(around: Around, router: IPv4Address) -> tuple[bool, IPv4Address | None]:
    try:
        location = await find_location(str(router))
    except GatewayError:
        return False, None
    try:
        igd = await Igd.connect(around.sessions.any, location)
        return True, (await igd.wan_status()).address
    except GatewayError:
        return True, None


async def _home_gateway(around: Around, found: Found) -> None:
    if not _may_be_behind(around) or not around.name_servers:
        return
    address = await LineNames(around.name_servers).resolve_private(HOME_GATEWAY_NAME)
    if address and (said := await home_gateway(around.sessions.any, address)):
        found({"home_gateway": HomeGatewayEvidence(said.on, said.name)})


COLLECTORS = (
    Collector(("echo4", "reverse_name"), 4.8, _echo4),
    Collector(("echo6",), 4.8, _echo6),
    Collector(("stun4",), 3.5, _stun4),
    Collector(("stun6",), 3.5, _stun6),
    Collector(("mtu",), 3.0, _mtu),
    Collector(("names",), 2.5, _names),
    Collector(("system_names",), 2.5, _system_names),
    Collector(("second_hop",), 4.8, _second_hop),
    Collector(("home_gateway",), 4.5, _home_gateway),
)
