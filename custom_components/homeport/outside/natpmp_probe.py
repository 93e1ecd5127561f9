"""Asking a router behind the gateway for its own outside address, over NAT-PMP (RFC 6886)."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
import struct
from typing import Final, override

PORT: Final = 5351
"""RFC 6886 section 3.1."""
FIRST_WAIT: Final = 0.25
"""Seconds until the request is repeated, doubled each time (RFC 6886 section 3.1)."""
WITHIN: Final = 1.0
"""Seconds in all. RFC 6886 goes on for a minute, which is more than a second router is worth."""

_REQUEST: Final = b"\0\0"  # version 0, opcode 0
# RFC 6886 section 3.2: version, 128 + opcode, result code, seconds since its start, address.
_ANSWER: Final = struct.Struct("!BBHI4s")
_OPCODE: Final = 128
_SUCCESS: Final = 0


@dataclass(frozen=True, slots=True)
class NatPmpAnswer:
    """What a router answered; `address` is None where it refuses or has none."""

    address: IPv4Address | None


async def ask_natpmp(router: str) -> NatPmpAnswer | None:
    """Ask the router at an IPv4 address; None when it does not speak NAT-PMP.

    Takes at most WITHIN. A refusal is an answer: there is a router then, whatever it allows.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[NatPmpAnswer | None] = loop.create_future()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Asking(answer), remote_addr=(str(IPv4Address(router)), PORT)
        )
    except OSError:  # no route
        return None
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(WITHIN):
                wait = FIRST_WAIT
                while True:
                    transport.sendto(_REQUEST)
                    if (await asyncio.wait([answer], timeout=wait))[0]:
                        return answer.result()
                    wait *= 2
    finally:
        transport.close()
    return None


def parse_answer(data: bytes) -> NatPmpAnswer | None:
    """Read the answer to opcode 0; None for anything else."""
    if len(data) != _ANSWER.size:
        return None
    version, opcode, result, _, packed = _ANSWER.unpack(data)
    if (version, opcode) != (0, _OPCODE):
        return None
    address = IPv4Address(packed)
    usable = result == _SUCCESS and not address.is_unspecified
    return NatPmpAnswer(address if usable else None)


class _Asking(asyncio.DatagramProtocol):
    """Takes the first answer; the socket is connected, so it comes from the router."""

    def __init__(self, answer: asyncio.Future[NatPmpAnswer | None]) -> None:
        self._answer = answer

    @override
    def datagram_received(self, data: bytes, addr: object) -> None:
        if (parsed := parse_answer(data)) and not self._answer.done():
            self._answer.set_result(parsed)

    @override
    def error_received(self, exc: Exception) -> None:
        # Port unreachable: nobody is going to answer.
        if not self._answer.done():
            self._answer.set_result(None)
