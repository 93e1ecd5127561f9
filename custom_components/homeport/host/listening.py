"""Which programs of this machine listen at a port: what /proc/net tells of its sockets."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
import errno
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
import re
import socket
import struct
from typing import Final

from .model import IPAddress

_MOST: Final = 4 * 1024 * 1024
"""Bytes of one table: some 25,000 sockets."""

# proc_pid_net(5): number, local address and port, those of the other end, state, and more.
_LINE: Final = re.compile(
    rb" *\d{1,9}: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})"
    rb" (?:[0-9A-F]{8}|[0-9A-F]{32}):[0-9A-F]{4} ([0-9A-F]{2}) .*"
)


class Transport(StrEnum):
    """Over what a service is spoken to."""

    TCP = "TCP"
    UDP = "UDP"


class Listening(StrEnum):
    """Where programs of this machine wait for what comes to a port of one of its addresses.

    - `everywhere`: at all of its addresses
    - `address`: at this one
    - `loopback`: where only programs of this machine itself get to
    - `nowhere`: nobody waits for what comes to this address
    """

    EVERYWHERE = "everywhere"
    ADDRESS = "address"
    LOOPBACK = "loopback"
    NOWHERE = "nowhere"


_HEARD: Final = frozenset({Listening.EVERYWHERE, Listening.ADDRESS})


@dataclass(frozen=True, slots=True)
class _Table:
    """Where the kernel shows the sockets of a transport, and the state of one that waits.

    States are those of net/tcp_states.h. A datagram socket that waits for anybody is "closed": it
    is connected to nobody.
    """

    paths: tuple[Path, Path]
    state: int
    kind: socket.SocketKind


_TABLES: Final = {
    Transport.TCP: _Table(
        (Path("/proc/net/tcp"), Path("/proc/net/tcp6")), 0x0A, socket.SOCK_STREAM
    ),
    Transport.UDP: _Table((Path("/proc/net/udp"), Path("/proc/net/udp6")), 0x07, socket.SOCK_DGRAM),
}


async def listening(transport: Transport, address: IPAddress, port: int) -> Listening | None:
    """Return where this machine listens for what comes to `port` of its own `address`.

    Only what runs in the same network counts: a container without the host's network sees its own.
    None where the kernel does not tell.
    """
    return await asyncio.to_thread(_listening, _TABLES[transport], address, port)


def _listening(table: _Table, address: IPAddress, port: int) -> Listening | None:
    """Read the tables, which takes a moment where there are many sockets."""
    try:
        bound = [ip for path in table.paths for ip in parse_sockets(_read(path), table.state, port)]
    except OSError:
        return None
    where = place(bound, address)
    if where in _HEARD or not _maybe_both(bound, address):
        return where
    # The kernel does not show here whether a socket for all IPv6 addresses takes IPv4 as well.
    held = _is_held(table.kind, address, port)
    return (Listening.EVERYWHERE if held else where) if held is not None else None


def _read(path: Path) -> bytes:
    """Return a table; without IPv6 there is none of its own. Raises OSError if it is too long."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
    except FileNotFoundError:
        if path.name.endswith("6"):
            return b""
        raise
    if len(content) > _MOST:
        raise OSError(errno.EFBIG, "more sockets than are read")
    return content


def parse_sockets(table: bytes, state: int, port: int) -> Iterator[IPAddress]:
    """Return the local addresses of the sockets in that state at that port (proc_pid_net(5)).

    Lines that are like no other are left out, the heading among them.
    """
    for line in table.splitlines():
        if (
            (found := _LINE.fullmatch(line))
            and int(found[3], 16) == state
            and int(found[2], 16) == port
        ):
            yield _address(found[1])


def place(bound: Iterable[IPAddress], address: IPAddress) -> Listening:
    """Return where sockets that are bound like this wait for what comes to `address`."""
    bound = list(bound)
    same = [each for each in bound if each.version == address.version]
    if any(each.is_unspecified for each in same):
        return Listening.EVERYWHERE
    if address in same:
        return Listening.ADDRESS
    # What is there for 127.0.0.1 alone is so for IPv6 as well.
    others = same or bound
    closed = bool(others) and all(each.is_loopback for each in others)
    return Listening.LOOPBACK if closed else Listening.NOWHERE


def _address(text: bytes) -> IPAddress:
    """Read an address: 32-bit numbers in the machine's byte order, of which the bytes count."""
    numbers = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    packed = struct.pack(f"={len(numbers)}I", *numbers)
    if len(packed) == 4:
        return IPv4Address(packed)
    ip = IPv6Address(packed)
    return ip.ipv4_mapped or ip


def _maybe_both(bound: Iterable[IPAddress], address: IPAddress) -> bool:
    """Say whether a socket for all of IPv6 could take what comes to this IPv4 address."""
    return address.version == 4 and any(each.is_unspecified and each.version == 6 for each in bound)


def _is_held(kind: socket.SocketKind, address: IPAddress, port: int) -> bool | None:
    """Say whether somebody has a port of an own IPv4 address already; None if it cannot be tried.

    The socket is only bound, for a moment: nothing is sent, and no connection accepted.
    """
    with socket.socket(socket.AF_INET, kind) as sock:
        try:
            sock.bind((str(address), port))
        except OSError as err:
            return True if err.errno == errno.EADDRINUSE else None
    return False
