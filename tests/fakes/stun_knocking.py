"""A STUN server with two addresses that answers to other ports (RFC 5780)."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, override

from tests.fakes.stun import Asked, StunServer, message, plain, xored

CHANGE_REQUEST = 0x0003
CHANGE_BOTH = bytes.fromhex("00000006")
RESPONSE_PORT = 0x0027
BINDING_SUCCESS = bytes.fromhex("0101")
BINDING_ERROR = bytes.fromhex("0111")
UNKNOWN = (0x0009, bytes.fromhex("00000414"))  # ERROR-CODE 420


class KnockingServer:
    """Two places of one server on loopback, as an asynchronous context manager.

    - `address`: where it sees everybody; `address_at_other` by the other place, and
      `address_in_knocks`, are the same unless they are said to be something else
    - `opened`: where datagrams to ports of that address arrive; others are as they are
    - `closed`: ports of that address at which nothing arrives
    - `unknown`: attributes that it refuses with error 420
    - `ignored`: attributes that it takes no notice of
    - `says_other`: what it says of its other place, by default where it is
    - `is_alone`: it says nothing of it
    - `places`: the two, with what arrived there; `places[0]` is the one to ask
    - `lose_knocks`: how many of the next responses to other ports are lost
    - `on_knock`: called with the transaction id of each request for a knock
    - `knocks`: from where it was to answer to which port, in order of the requests
    """

    def __init__(self) -> None:
        self.address = "11.22.33.44"
        self.address_at_other: str | None = None
        self.address_in_knocks: str | None = None
        self.opened: dict[int, int] = {}
        self.closed: set[int] = set()
        self.unknown: set[int] = set()
        self.ignored: set[int] = set()
        self.says_other: tuple[str, int] | None = None
        self.is_alone = False
        self.lose_knocks = 0
        self.on_knock: Callable[[bytes], None] = lambda _: None
        self.places = (_Place(self, "127.0.0.1"), _Place(self, "127.0.0.2"))
        self.knocks: list[tuple[str, int]] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for place in self.places:
            await self._stack.enter_async_context(place)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def answer(self, place: _Place, asked: Asked) -> None:
        """Answer a request that has arrived at a place."""
        attributes = _attributes(asked.data)
        transaction_id = asked.data[8:20]
        if self.unknown & attributes.keys():
            place.send(message(BINDING_ERROR, transaction_id, [UNKNOWN]), asked)
            return
        for number in self.ignored:
            attributes.pop(number, None)
        other = self.places[1 - self.places.index(place)]
        address = (self.address_at_other if place is self.places[1] else None) or self.address
        sender = other if attributes.get(CHANGE_REQUEST) == CHANGE_BOTH else place
        port: int | None = asked.port
        if RESPONSE_PORT in attributes:
            address = self.address_in_knocks or address
            port = self._knock(sender, int.from_bytes(attributes[RESPONSE_PORT]), transaction_id)
        if port is None:
            return
        said = [(0x0020, xored(ip_address(address), asked.port, transaction_id))]
        if not self.is_alone:
            host, at = self.says_other or (other.host, other.port)
            said.append((0x802C, plain(ip_address(host), at)))
        sender.send(message(BINDING_SUCCESS, transaction_id, said), Asked(asked.host, port, b""))

    def _knock(self, sender: _Place, wanted: int, transaction_id: bytes) -> int | None:
        """Return the port at which it arrives."""
        self.knocks.append((sender.host, wanted))
        self.on_knock(transaction_id)
        if self.lose_knocks > 0:
            self.lose_knocks -= 1
            return None
        return None if wanted in self.closed else self.opened.get(wanted, wanted)


class _Place(StunServer):
    def __init__(self, server: KnockingServer, host: str) -> None:
        super().__init__(host=host)
        self._server = server

    @override
    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        asked = Asked(addr[0], addr[1], data)
        self.requests.append(asked)
        if self.lose > 0:
            self.lose -= 1
        elif not self.down:
            self._server.answer(self, asked)


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    rest = data[20:]
    while rest:
        size = int.from_bytes(rest[2:4])
        found[int.from_bytes(rest[:2])] = rest[4 : 4 + size]
        rest = rest[4 + size + -size % 4 :]
    return found
