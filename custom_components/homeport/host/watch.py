"""Noticing that this machine's network has changed."""

import asyncio
from collections.abc import Callable
from ipaddress import IPv6Address
import math
import socket
from typing import Final

from . import netlink
from .model import AddressFlag, HostState, IPAddress, Route
from .netlink import Kind, NameServerSaid
from .state import open_netlink, read_state

# Groups of linux/rtnetlink.h: the link's, and for each family those of addresses, routes and rules;
# ND_USEROPT is what routers announce. Not the neighbours', which change all the time.
_GROUPS: Final = sum(
    1 << (group - 1)
    for group in (
        1,  # RTNLGRP_LINK
        5,  # RTNLGRP_IPV4_IFADDR
        7,  # RTNLGRP_IPV4_ROUTE
        8,  # RTNLGRP_IPV4_RULE
        9,  # RTNLGRP_IPV6_IFADDR
        11,  # RTNLGRP_IPV6_ROUTE
        19,  # RTNLGRP_IPV6_RULE
        20,  # RTNLGRP_ND_USEROPT
    )
)

_BURST: Final = 0.05
"""Seconds. A new prefix brings a dozen messages at once."""

_RECEIVE: Final = 65536
"""Bytes, more than one message of the kernel has."""

_NAME_SERVERS: Final = 16
"""Anybody at home can announce any number of them; RFC 8106 section 5.3.1 wants three kept."""


type _Essence = tuple[
    frozenset[tuple[IPAddress, int, str, AddressFlag]],
    Route | None,
    Route | None,
    frozenset[IPv6Address],
]


class Watch:
    """Calls back when this machine has other addresses or another way to the internet.

    Also when routers announce other name servers, but not when they merely renew what was there,
    as they do every few minutes. Link-local addresses do not count: those of containers come and
    go, and no way to the internet depends on them.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        """Take what is called in the event loop, once for each burst of changes."""
        self._on_change = on_change
        self._sock: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None
        self._news = False
        self._seen: _Essence | None = None
        # Until when, in the event loop's time.
        self._name_servers: dict[IPv6Address, float] = {}

    async def start(self) -> bool:
        """Begin to listen. Returns False, and does nothing, where netlink is missing."""
        try:
            self._sock = sock = open_netlink(_GROUPS)
        except OSError:
            return False
        # Listening already, so that no change is missed in between.
        state = await read_state()
        if not state.complete:
            await self.stop()
            return False
        self._seen = self._essence(state)
        asyncio.get_running_loop().add_reader(sock, self._read, sock)
        return True

    async def stop(self) -> None:
        """Leave nothing behind. There is no call back after it."""
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()
            self._sock = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    @property
    def name_servers(self) -> tuple[IPv6Address, ...]:
        """The name servers that were announced and have not expired, as far as it was heard.

        A link-local one carries its interface as scope. To be read in the event loop.
        """
        now = asyncio.get_running_loop().time()
        return tuple(ip for ip, until in self._name_servers.items() if until > now)

    def _read(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            # ENOBUFS: there was more than the buffer holds, so nobody knows what.
            self._note()
            return
        for message in netlink.messages(data):
            for server in netlink.name_servers(message):
                self._hear(server)
            if message.kind != Kind.NEW_OPTIONS:
                self._note()

    def _hear(self, server: NameServerSaid) -> None:
        """Keep a name server for as long as it was announced; a lifetime of 0 withdraws it."""
        ip = _with_scope(server)
        if ip is None:
            return
        before, now = self.name_servers, asyncio.get_running_loop().time()
        kept = {each: self._name_servers[each] for each in before}
        if server.lifetime == 0:
            kept.pop(ip, None)
        elif ip in kept or len(kept) < _NAME_SERVERS:
            kept[ip] = math.inf if server.lifetime is None else now + server.lifetime
        self._name_servers = kept
        if tuple(kept) != before:
            self._note()

    def _note(self) -> None:
        self._news = True
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._check())

    async def _check(self) -> None:
        """Look what has become of the news, until there are no more."""
        try:
            while self._news:
                await asyncio.sleep(_BURST)
                self._news = False
                essence = self._essence(await read_state())
                if essence != self._seen:
                    self._seen = essence
                    self._on_change()
        finally:
            self._task = None

    def _essence(self, state: HostState) -> _Essence:
        """Return what a change of is news."""
        addresses = frozenset(
            (each.ip, each.prefix_length, each.interface, each.flags)
            for each in state.addresses
            if not each.ip.is_link_local
        )
        return addresses, state.ipv4_route, state.ipv6_route, frozenset(self.name_servers)


def _with_scope(server: NameServerSaid) -> IPv6Address | None:
    """Return the address as it can be asked; None if its interface is gone."""
    if not server.ip.is_link_local:
        return server.ip
    try:
        return IPv6Address(f"{server.ip}%{socket.if_indextoname(server.index)}")
    except OSError, ValueError:
        return None
