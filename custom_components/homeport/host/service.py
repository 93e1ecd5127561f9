"""Whether a service can be met at home: it is knocked at from this machine."""

import asyncio
from contextlib import suppress
from enum import StrEnum
import errno
import socket
from typing import Final

from .listening import Listening, Transport, listening
from .model import IPAddress
from .presence import Presence, presence
from .rejection import Refusal, Rejection, keep_errors, next_rejection

ANSWER_WITHIN: Final = 3.5
"""Seconds. Who is searched for on the link three times, once a second, is given up before that."""
SETTLED_WITHIN: Final = 5.5
"""Seconds more until the kernel is sure of a machine that it knew: eight, with those before."""

# An ICMP error may be left out, as hosts send few of them, so a datagram is sent again.
_DATAGRAMS: Final = (1.5, ANSWER_WITHIN - 1.5)
_LOOKS: Final = 22


class SeenService(StrEnum):
    """What a service looks like from this machine.

    - `listening`: it accepts a connection (TCP), or answers; or it is here, and waits for both
    - `loopback_only`: it is on this machine, and waits only for what comes from it
    - `down`: the host says that nobody listens there
    - `silent`: the host is there, or cannot be known to be there, and says nothing; over UDP a
      service that listens is mostly like that
    - `host_absent`: there is no such host, or it is off
    - `host_rejects`: the host is there, and its packet filter turns us away
    """

    LISTENING = "listening"
    LOOPBACK_ONLY = "loopback_only"
    DOWN = "down"
    SILENT = "silent"
    HOST_ABSENT = "host_absent"
    HOST_REJECTS = "host_rejects"


# What it is for this machine itself when what was tried did not show a service.
_NOT_HEARD: Final = {
    Listening.LOOPBACK: SeenService.LOOPBACK_ONLY,
    Listening.NOWHERE: SeenService.DOWN,
}


async def service_seen(
    transport: Transport, address: IPAddress, port: int, *, own: bool
) -> SeenService | None:
    """Return what is met at a port of a machine at home; None where it cannot be known.

    `own` says that the address is this machine's. Nothing is sent but the beginning and the end of
    a connection (TCP), or empty datagrams (UDP), and those not to this machine. Takes at most
    ANSWER_WITHIN, and SETTLED_WITHIN more where the kernel has yet to find out whether a host that
    it knew is there.

    A host counts as there for about half a minute after it was last heard. None is for what says
    nothing of the service: no route, or a packet filter on the way.
    """
    if not own:
        return await _knock(transport, address, port)
    if transport is Transport.UDP:
        where = await listening(transport, address, port)
        if where is None:
            return await _knock(transport, address, port)
        return _NOT_HEARD.get(where, SeenService.LISTENING)
    seen = await _knock(transport, address, port)
    if seen is SeenService.LISTENING:
        return seen
    where = await listening(transport, address, port)
    if where is None:
        return seen
    # It listens, but a connection was reset: no program does that before it has accepted it.
    heard = SeenService.HOST_REJECTS if seen is SeenService.DOWN else seen
    return _NOT_HEARD.get(where, heard)


async def _knock(transport: Transport, address: IPAddress, port: int) -> SeenService | None:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    tcp = transport is Transport.TCP
    try:
        with socket.socket(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            with suppress(OSError):  # where errors are not kept, their numbers have to do
                keep_errors(sock)
            try:
                async with asyncio.timeout(ANSWER_WITHIN):
                    await _connect(sock, address, port) if tcp else await _ask(sock, address, port)
            except TimeoutError:
                return await _silence(address)
            except OSError as err:
                return judge(err, next_rejection(sock), transport, address)
            return SeenService.LISTENING
    except OSError:  # no such family
        return None


async def _connect(sock: socket.socket, address: IPAddress, port: int) -> None:
    """Connect. Raises TimeoutError, or OSError."""
    await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
    if sock.getsockname() == sock.getpeername():
        # On one machine a port that nobody listens at may be given to who calls it: to itself.
        raise ConnectionRefusedError(errno.ECONNREFUSED, "connected to itself")


async def _ask(sock: socket.socket, address: IPAddress, port: int) -> None:
    """Send empty datagrams until something comes back. Raises TimeoutError, or OSError."""
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, (str(address), port))
    for wait in _DATAGRAMS:
        sock.send(b"")
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await loop.sock_recv(sock, 1)
                return
    raise TimeoutError


def judge(
    error: OSError, rejection: Rejection | None, transport: Transport, address: IPAddress
) -> SeenService | None:
    """Return what it means that a port of the machine at `address` could not be spoken to."""
    if rejection is None:
        # A reset; the kernel keeps none of them. Any other error is this machine's own.
        refused = error.errno == errno.ECONNREFUSED
        return SeenService.DOWN if refused else None
    if rejection.sender == address:
        if rejection.refusal is Refusal.PORT and transport is Transport.UDP:
            return SeenService.DOWN
        return SeenService.HOST_REJECTS
    # A router, or this machine itself, which has searched for the host in vain.
    return SeenService.HOST_ABSENT if rejection.refusal is Refusal.ABSENT else None


async def _silence(address: IPAddress) -> SeenService:
    """Return what it means that nothing came back."""
    for _ in range(_LOOKS):
        found = await presence(address)
        if found is not Presence.IN_DOUBT:
            return SeenService.HOST_ABSENT if found is Presence.MISSING else SeenService.SILENT
        await asyncio.sleep(SETTLED_WITHIN / _LOOKS)
    return SeenService.SILENT
