"""Whether another machine of the link is there, as far as the kernel has found out."""

import asyncio
from enum import StrEnum
import socket
import struct
from sys import byteorder
from typing import Final

from . import netlink
from .model import IPAddress
from .netlink import Kind, Message
from .state import open_netlink

_WITHIN: Final = 1.0
"""Seconds. The kernel answers within milliseconds, or not at all."""
_RECEIVE: Final = 65536

_REQUEST: Final = 0x1  # NLM_F_REQUEST, linux/netlink.h
_SEQUENCE: Final = 1  # one question after the other
_DESTINATION: Final = 1  # NDA_DST, linux/neighbour.h
# nlmsghdr: length, type, flags, sequence, port; ndmsg: family, index, state, flags, type; rtattr
_ASK: Final = struct.Struct("=IHHII BxxxiHBB HH")
_STATE: Final = slice(8, 10)  # of ndmsg, ndm_state

# NUD_* of linux/neighbour.h.
_REACHABLE: Final = 0x02 | 0x80  # confirmed some seconds ago, or declared to be there (PERMANENT)
_IN_DOUBT: Final = 0x04 | 0x08 | 0x10  # STALE, DELAY, PROBE: known, and being asked again
_MISSING: Final = 0x01 | 0x20  # INCOMPLETE, FAILED: it was searched for and does not answer


class Presence(StrEnum):
    """What the kernel knows of a neighbour (RFC 4861 section 7.3.2, which Linux follows for ARP).

    - `confirmed`: it has answered within about the last half minute
    - `in_doubt`: it was there once; within eight seconds of something being sent, it is known again
    - `missing`: it does not answer when it is searched for
    """

    CONFIRMED = "confirmed"
    IN_DOUBT = "in_doubt"
    MISSING = "missing"


async def presence(address: IPAddress) -> Presence | None:
    """Return what the kernel has found out about a machine, within a second. Sends nothing.

    None where it cannot know: behind a router, on a link without neighbours (a tunnel), for an
    address nobody has sent anything to, or without netlink. Never raises.
    """
    try:
        async with asyncio.timeout(_WITHIN):
            with open_netlink() as sock:
                said = await _ask(sock, netlink.route_request(address, _SEQUENCE))
                way = netlink.route(said)
                if way is None or way.gateway is not None:
                    return None
                return parse_presence(await _ask(sock, _request(address, way.index)))
    except OSError:  # TimeoutError is one too
        return None


def parse_presence(message: Message) -> Presence | None:
    """Return what the answer about one neighbour says; None for an error or any other message."""
    if message.kind != Kind.NEW_NEIGHBOUR or len(message.body) < _STATE.stop:
        return None
    state = int.from_bytes(message.body[_STATE], byteorder)
    if state & _REACHABLE:
        return Presence.CONFIRMED
    if state & _IN_DOUBT:
        return Presence.IN_DOUBT
    return Presence.MISSING if state & _MISSING else None


async def _ask(sock: socket.socket, request: bytes) -> Message:
    """Return the answer to a request for one thing. Raises OSError."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, request)
    while True:
        for message in netlink.messages(await loop.sock_recv(sock, _RECEIVE)):
            if message.sequence == _SEQUENCE:
                return message


def _request(address: IPAddress, index: int) -> bytes:
    """Return the request to tell of the neighbour at an address of one interface."""
    packed = address.packed
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    head = (_ASK.size + len(packed), Kind.GET_NEIGHBOUR, _REQUEST, _SEQUENCE, 0)
    return _ASK.pack(*head, family, index, 0, 0, 0, 4 + len(packed), _DESTINATION) + packed
