"""Reading what the kernel knows of this machine's network."""

import asyncio
from ipaddress import IPv4Address, IPv6Address
import os
import socket
from typing import Final

from . import netlink
from .model import HostAddress, HostState, IPAddress, Neighbour, Route
from .netlink import Kind, LinkSaid, Message
from .source import source_address, source_address6

# Where the way to the internet is asked for; nothing is sent there. The root name server A (IANA,
# root hints): global, there for good, and not among the resolvers for which a VPN may have a route
# of its own.
_FAR: Final = IPv4Address("198.41.0.4")
_FAR6: Final = IPv6Address("2001:503:ba3e::2:30")

_TIMEOUT: Final = 1.0
"""Seconds. The kernel answers within milliseconds, or not at all."""

_RECEIVE: Final = 65536
"""Bytes. The kernel cuts what it tells into pieces of at most 32 KiB."""

_ATTEMPTS: Final = 3
"""How often a table is asked for that changes while it is told."""

# linux/socket.h and linux/netlink.h. Where there is no such thing, Python lacks the names, and a
# socket of these numbers is an OSError.
_AF_NETLINK: Final = 16
_NETLINK_ROUTE: Final = 0


def open_netlink(groups: int = 0) -> socket.socket:
    """Return a non-blocking rtnetlink socket that hears the groups of this bit mask.

    Raises OSError where there is no netlink or it is not allowed.
    """
    sock = socket.socket(_AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE)
    try:
        sock.setblocking(False)
        sock.bind((0, groups))
    except OSError:
        sock.close()
        raise
    return sock


async def read_state(name_servers: tuple[IPv6Address, ...] = ()) -> HostState:
    """Return this machine's network as it is now, within a second.

    Never raises: where netlink is missing or refuses, the state is not `complete`. The kernel does
    not keep the `name_servers` that were announced, so they are handed in by who heard of them.
    """
    try:
        async with asyncio.timeout(_TIMEOUT):
            with open_netlink() as sock:
                return await _Kernel(sock).read(name_servers)
    except OSError:  # TimeoutError is one too
        return _without_netlink(name_servers)


def _without_netlink(name_servers: tuple[IPv6Address, ...]) -> HostState:
    """Return what connecting a socket tells; nothing is sent."""
    ipv4, ipv6 = _route_without_netlink(_FAR), _route_without_netlink(_FAR6)
    return HostState(
        addresses=tuple(
            HostAddress(route.source, route.source.max_prefixlen, "")
            for route in (ipv4, ipv6)
            if route and route.source
        ),
        ipv4_route=ipv4,
        ipv6_route=ipv6,
        name_servers=name_servers,
        complete=False,
    )


def _route_without_netlink(towards: IPAddress) -> Route | None:
    ask = source_address if isinstance(towards, IPv4Address) else source_address6
    try:
        source = ask(str(towards))
    except OSError:
        return None
    return None if source.is_loopback else Route(None, "", source)


class _Kernel:
    """A conversation with the kernel, one question after the other.

    Its methods raise OSError when the kernel refuses.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sequence = 0

    async def read(self, name_servers: tuple[IPv6Address, ...]) -> HostState:
        told = await self._dump(Kind.GET_LINK)
        links = {said.index: said for each in told if (said := netlink.link(each))}
        return HostState(
            addresses=await self._addresses(links),
            ipv4_route=await self._route(_FAR, links),
            ipv6_route=await self._route(_FAR6, links),
            neighbours=await self._neighbours(links),
            name_servers=name_servers,
        )

    async def _addresses(self, links: dict[int, LinkSaid]) -> tuple[HostAddress, ...]:
        told = map(netlink.address, await self._dump(Kind.GET_ADDRESS))
        return tuple(
            HostAddress(
                said.ip, said.prefix_length, on.name, said.flags, said.preferred, said.valid
            )
            for said in told
            if said and (on := links.get(said.index)) and not on.loopback
        )

    async def _neighbours(self, links: dict[int, LinkSaid]) -> tuple[Neighbour, ...]:
        told = map(netlink.neighbour, await self._dump(Kind.GET_NEIGHBOUR))
        return tuple(
            Neighbour(said.ip, said.mac, on.name, said.router)
            for said in told
            if said and (on := links.get(said.index))
        )

    async def _route(self, towards: IPAddress, links: dict[int, LinkSaid]) -> Route | None:
        # An error in the answer is no route as well: ENETUNREACH, EHOSTUNREACH for `unreachable`,
        # EINVAL for `blackhole`, EACCES for `prohibit`, EOPNOTSUPP without that family.
        told = await self._ask(netlink.route_request(towards, self._next_sequence()))
        said = next((found for each in told if (found := netlink.route(each))), None)
        on = links.get(said.index) if said else None
        if said is None or on is None or on.loopback:
            return None
        return Route(said.gateway, on.name, said.source, tunnel=not on.ethernet)

    async def _dump(self, kind: Kind) -> list[Message]:
        for _ in range(_ATTEMPTS):
            told = await self._ask(netlink.dump(kind, self._next_sequence()))
            if error := told[-1].error:
                raise OSError(error, os.strerror(error))
            if not any(each.interrupted for each in told):
                break
        return told

    async def _ask(self, request: bytes) -> list[Message]:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._sock, request)
        told: list[Message] = []
        while not told or not told[-1].last:
            # What is there already is received without giving way, and a table may be long.
            await asyncio.sleep(0)
            data = await loop.sock_recv(self._sock, _RECEIVE)
            told += [each for each in netlink.messages(data) if each.sequence == self._sequence]
        return told

    def _next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence
