"""The STUN server answers as RFC 8489 has it, and as it is told."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from ipaddress import IPv4Address, IPv6Address
import socket

import aiohttp
import pytest

from tests.fakes.program import Start
from tests.fakes.stun import StunServer, message, plain, success, xored

ID = bytes.fromhex("b7e7a701bc34d686fa87dfae")
REQUEST = bytes.fromhex("000100002112a442") + ID


@pytest.fixture
async def server() -> AsyncIterator[StunServer]:
    async with StunServer() as started:
        yield started


class Client:
    """A socket that speaks to one server."""

    def __init__(self, host: str, port: int) -> None:
        self.sock = socket.socket(type=socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.connect((host, port))
        self.port: int = self.sock.getsockname()[1]

    async def ask(self, data: bytes = REQUEST) -> bytes:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self.sock, data)
        async with asyncio.timeout(2):
            return await loop.sock_recv(self.sock, 65536)

    async def is_ignored(self, data: bytes = REQUEST) -> bool:
        """Say whether the next answer is that to a later request."""
        later = REQUEST[:-1] + b"\0"
        await asyncio.get_running_loop().sock_sendall(self.sock, data)
        return (await self.ask(later))[8:20] == later[8:]


@pytest.fixture
def client(server: StunServer) -> Iterator[Client]:
    client = Client(server.host, server.port)
    with client.sock:
        yield client


def test_the_values_are_those_of_the_standard() -> None:
    """RFC 5769 sections 2.2 and 2.3."""
    assert xored(IPv4Address("192.0.2.1"), 32853, ID).hex() == "0001a147e112a643"
    address = IPv6Address("2001:db8:1234:5678:11:2233:4455:6677")
    assert xored(address, 32853, ID).hex() == "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    assert plain(IPv4Address("11.22.33.44"), 1).hex() == "000100010b16212c"
    assert message(b"\1\1", ID, [(0x8022, b"abc")])[20:].hex() == "8022000361626300"


async def test_the_caller_is_told_its_address(server: StunServer, client: Client) -> None:
    expected = success(REQUEST, IPv4Address("127.0.0.1"), client.port)
    assert await client.ask() == expected
    [asked] = server.requests
    assert (asked.host, asked.port, asked.data) == ("127.0.0.1", client.port, REQUEST)


async def test_the_caller_is_told_what_the_script_says(server: StunServer, client: Client) -> None:
    server.address, server.map_port = "2a00:77::1", lambda port: port // 2
    assert await client.ask() == success(REQUEST, IPv6Address("2a00:77::1"), client.port // 2)
    server.reply = lambda request: request[::-1]
    assert await client.ask() == REQUEST[::-1]


async def test_silence(server: StunServer, client: Client) -> None:
    server.lose = 1
    assert await client.is_ignored()
    for data in (b"junk", REQUEST[:19], b"\1\1" + REQUEST[2:], REQUEST[:4] + b"1234" + ID):
        assert await client.is_ignored(data)
    server.down = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.ask()
    assert len(server.requests) == 11


async def test_the_program(start: Start, http: aiohttp.ClientSession) -> None:
    started = await start("tests.fakes.stun", "--control-port", "0")
    _, host, port, _, control = started.line.split()
    client = Client(host, int(port))
    with client.sock:
        asked = {"address": "11.22.33.44", "add": 7}
        async with http.post(f"{control}/override", json=asked) as answer:
            assert answer.status == 204
        told = success(REQUEST, IPv4Address("11.22.33.44"), (client.port + 7) % 65536)
        assert await client.ask() == told
        async with http.post(f"{control}/override", json={"colour": 1}) as answer:
            assert answer.status == 400
        async with http.get(f"{control}/requests") as answer:
            assert await answer.json() == [{"host": "127.0.0.1", "port": client.port}]
    async with asyncio.timeout(5):
        assert await started.end() == 0
