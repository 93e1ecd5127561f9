"""A STUN server that says where a packet came from, or what it is told to say (RFC 8489)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
import json
import struct
from types import TracebackType
from typing import Any, Self, override

from aiohttp import web

from tests.fakes.command import control_post, parser, run

MAGIC = bytes.fromhex("2112a442")
BINDING_REQUEST = bytes.fromhex("0001")
BINDING_SUCCESS = bytes.fromhex("0101")


@dataclass(frozen=True, slots=True)
class Asked:
    """A datagram that arrived, in order of arrival."""

    host: str
    port: int
    data: bytes


class StunServer(asyncio.DatagramProtocol):
    """Answers Binding requests on one UDP address, as an asynchronous context manager.

    `port` 0 takes any free one; after entering, `port` tells which one it is. Entering raises
    OSError when the address cannot be bound.

    - `address`: what every answer says instead of the caller's address
    - `map_port`: makes the port that an answer says out of the caller's port
    - `reply`: makes the whole answer out of the request, None for no answer; any bytes
    - `lose`: how many of the next requests get no answer
    - `down`: no request gets one
    - `requests`: what arrived, also while down
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port
        self.address: str | None = None
        self.map_port: Callable[[int], int] = lambda port: port
        self.reply: Callable[[bytes], bytes | None] | None = None
        self.lose = 0
        self.down = False
        self.requests: list[Asked] = []
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=(self.host, self.port)
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._transport is not None:
            self._transport.close()
        await asyncio.sleep(0)  # the socket is closed by then

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    @override
    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.requests.append(Asked(addr[0], addr[1], data))
        if self.down or self.lose > 0:
            self.lose -= not self.down
            return
        if (answer := self._answer(data, addr)) is not None:
            self.send(answer, self.requests[-1])

    def send(self, data: bytes, to: Asked) -> None:
        """Send anything to whoever has asked."""
        assert self._transport is not None
        self._transport.sendto(data, (to.host, to.port))

    def _answer(self, data: bytes, addr: tuple[str, int]) -> bytes | None:
        if self.reply is not None:
            return self.reply(data)
        if data[:2] != BINDING_REQUEST or data[4:8] != MAGIC or len(data) < 20:
            return None
        mapped = ip_address(self.address or addr[0])
        return success(data, mapped, self.map_port(addr[1]))


def success(request: bytes, address: IPv4Address | IPv6Address, port: int) -> bytes:
    """Return the success response to a request."""
    return message(BINDING_SUCCESS, request[8:20], [(0x0020, xored(address, port, request[8:20]))])


def message(kind: bytes, transaction_id: bytes, attributes: list[tuple[int, bytes]]) -> bytes:
    """Return a message of sections 5 and 14, with zeros as padding."""
    body = b"".join(
        struct.pack("!HH", number, len(value)) + value.ljust((len(value) + 3) // 4 * 4, b"\0")
        for number, value in attributes
    )
    return kind + len(body).to_bytes(2) + MAGIC + transaction_id + body


def plain(address: IPv4Address | IPv6Address, port: int) -> bytes:
    """Return the value of a MAPPED-ADDRESS or OTHER-ADDRESS."""
    return struct.pack("!xBH", 1 if address.version == 4 else 2, port) + address.packed


def xored(address: IPv4Address | IPv6Address, port: int, transaction_id: bytes) -> bytes:
    """Return the value of an XOR-MAPPED-ADDRESS (section 14.2)."""
    size = len(address.packed)
    key = int.from_bytes((MAGIC + transaction_id)[:size])
    hidden = (int(address) ^ key).to_bytes(size)
    return struct.pack("!xBH", 1 if size == 4 else 2, port ^ 0x2112) + hidden


def control_routes(server: StunServer) -> list[web.RouteDef]:
    """Return the scripting interface.

    - POST /override: an object with any of address (or null), down, lose and add, a number that is
      added to every port; what is not named stays
    - GET /requests: JSON
    """

    async def override_(body: str) -> None:
        asked: dict[str, Any] = json.loads(body)
        if unknown := asked.keys() - {"address", "down", "lose", "add"}:
            message = f"unknown: {', '.join(sorted(unknown))}"
            raise ValueError(message)
        if (add := asked.pop("add", None)) is not None:
            server.map_port = lambda port: (port + int(add)) % 65536
        for name, value in asked.items():
            setattr(server, name, value)

    async def requests(_: web.Request) -> web.Response:
        return web.json_response([{"host": a.host, "port": a.port} for a in server.requests])

    return [control_post("/override", override_), web.get("/requests", requests)]


async def main() -> None:
    """Run until SIGTERM or SIGINT."""
    chosen = parser("tests.fakes.stun", "A STUN server.").parse_args()
    server = StunServer(host=chosen.host, port=chosen.port)
    await run(server, chosen, control_routes(server), lambda: f"ready {server.host} {server.port}")


if __name__ == "__main__":
    asyncio.run(main())
