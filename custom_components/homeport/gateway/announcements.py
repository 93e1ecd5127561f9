"""Listening to what the gateway announces to everybody: a restart, or another external address.

Anyone on the LAN can forge an announcement, so it is a hint to ask the gateway, never a fact.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, ip_address
import logging
import socket
import struct
from typing import Any, Final, override

from .datagram import PORT, IPAddress
from .epoch import Epoch
from .errors import NatPmpRefused, PcpRefused
from .natpmp_message import decode_address
from .pcp_message import decode_announce

_LOGGER = logging.getLogger(__name__)

CLIENT_PORT: Final = 5350
"""RFC 6886 section 3.2.1, RFC 6887 section 19.1."""
_ALL_HOSTS: Final = {4: "224.0.0.1", 6: "ff02::1"}

# From linux/in.h and linux/in6.h; the socket module has no names for them.
_IP_MULTICAST_ALL: Final = 49
_IPV6_MULTICAST_ALL: Final = 29


class Announcer(StrEnum):
    """The protocol of an announcement."""

    NAT_PMP = "nat_pmp"
    PCP = "pcp"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the gateway announces. `address` is its external one, if it has and names one."""

    by: Announcer
    epoch: Epoch
    address: IPv4Address | None


def parse_announcement(data: bytes, at: float) -> Announcement | None:
    """Read an announcement that came at `at` (event loop's time); None for anything else."""
    with suppress(PcpRefused, NatPmpRefused):
        if (epoch := decode_announce(data)) is not None:
            return Announcement(Announcer.PCP, Epoch(epoch, at), None)
        if said := decode_address(data):
            return Announcement(Announcer.NAT_PMP, Epoch(said.epoch, at), said.address)
    return None


class Announcements:
    """Calls back for every announcement of the gateway until it is stopped.

    A gateway repeats each up to ten times (RFC 6886 section 3.2.1).
    """

    def __init__(
        self,
        gateways: Collection[IPAddress],
        interface: str,
        on_announcement: Callable[[Announcement], None],
    ) -> None:
        """Take the gateway's addresses of either family, and the interface that leads there.

        Over IPv6 a gateway speaks from its link-local address, normally. What comes from another
        address is not heard.
        """
        self._gateways = frozenset(gateways)
        self._interface = interface
        self._on_announcement = on_announcement
        self._transports: list[asyncio.DatagramTransport] = []

    async def start(self) -> bool:
        """Begin to listen. Returns False where nothing can be heard over any of the families."""
        try:
            index = socket.if_nametoindex(self._interface)
        except OSError:
            return False
        for version in sorted({gateway.version for gateway in self._gateways}):
            try:
                sock = _listening(version, index)
            except OSError as err:
                _LOGGER.debug("No announcements over IPv%d: %s", version, type(err).__name__)
                continue
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Hearing(self._gateways, self._on_announcement), sock=sock
            )
            self._transports.append(transport)
        return bool(self._transports)

    async def stop(self) -> None:
        """Leave nothing behind. There is no call back after it."""
        while self._transports:
            self._transports.pop().abort()
        await asyncio.sleep(0)  # that is when they are closed


def _listening(version: int, index: int) -> socket.socket:
    """Open a socket for announcements on one interface only. Raises OSError."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    group = _ALL_HOSTS[version]
    packed = ip_address(group).packed
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        # Other programs of this host want to listen as well. Not SO_REUSEPORT: of sockets that
        # share a port so, Linux 6.18 gives one the datagrams that another has joined for.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # To the group alone (RFC 6886 section 3.2.1): what is sent to this host is none.
        if version == 4:
            sock.bind((group, CLIENT_PORT))
            member = struct.pack("=4s4si", packed, bytes(4), index)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((group, CLIENT_PORT, 0, index))
            member = struct.pack("=16sI", packed, index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
    except OSError:
        sock.close()
        raise
    return sock


class _Hearing(asyncio.DatagramProtocol):
    """Takes what comes from the gateway's port."""

    def __init__(
        self,
        gateways: frozenset[IPAddress],
        on_announcement: Callable[[Announcement], None],
    ) -> None:
        self._packed = {gateway.packed for gateway in gateways}
        self._on_announcement = on_announcement

    @override
    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        host = str(addr[0]).partition("%")[0]
        if addr[1] != PORT or ip_address(host).packed not in self._packed:
            return
        if announcement := parse_announcement(data, asyncio.get_running_loop().time()):
            self._on_announcement(announcement)
