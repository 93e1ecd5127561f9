"""A simulated gateway that really forwards."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from tests.fakes.control_point import MAPPING, call, connection_service
from tests.fakes.igd import Entry, FakeIgd
from tests.fakes.outside import accepts

DEADLINE_SECONDS = 5


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    """Say everything back in capitals."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while said := await reader.read(65_536):
                writer.write(said.upper())
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    server.close_clients()
    await server.wait_closed()


@pytest.fixture
async def igd() -> AsyncIterator[FakeIgd]:
    async with FakeIgd(forward=True) as started:
        yield started


async def add(igd: FakeIgd, external: int, internal: int, lease: int = 0) -> None:
    changes = {
        "NewExternalPort": external,
        "NewInternalPort": internal,
        "NewLeaseDuration": lease,
    }
    await call(await connection_service(igd), "AddPortMapping", **MAPPING | changes)


async def say(port: int, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), DEADLINE_SECONDS)
    writer.close()
    return answer


async def test_bytes_pass_while_the_mapping_exists(
    igd: FakeIgd, echo_port: int, unused_tcp_port: int
) -> None:
    await add(igd, unused_tcp_port, echo_port)
    said = b"hello" * 100_000
    assert await say(unused_tcp_port, said) == said.upper()
    del igd.table[("TCP", unused_tcp_port, "")]
    await igd.changed()
    with pytest.raises(ConnectionRefusedError):
        await say(unused_tcp_port, b"hello")


async def test_an_open_connection_ends_with_its_mapping(
    igd: FakeIgd, echo_port: int, unused_tcp_port: int
) -> None:
    await add(igd, unused_tcp_port, echo_port)
    reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
    writer.write(b"hello")
    assert await asyncio.wait_for(reader.readexactly(5), DEADLINE_SECONDS) == b"HELLO"
    igd.table.clear()
    await igd.changed()
    assert await asyncio.wait_for(reader.read(), DEADLINE_SECONDS) == b""
    writer.close()


async def test_a_replaced_mapping_leads_to_the_new_target(
    igd: FakeIgd, echo_port: int, unused_tcp_port_factory: Callable[[], int]
) -> None:
    external, nobody = unused_tcp_port_factory(), unused_tcp_port_factory()
    await add(igd, external, nobody)
    assert await say(external, b"hello") == b""
    await add(igd, external, echo_port)
    assert await say(external, b"hello") == b"HELLO"


async def test_a_lease_that_runs_out_closes_the_port(
    igd: FakeIgd, echo_port: int, unused_tcp_port: int
) -> None:
    await add(igd, unused_tcp_port, echo_port, lease=1)
    assert await accepts("127.0.0.1", unused_tcp_port)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await accepts("127.0.0.1", unused_tcp_port):
            await asyncio.sleep(0.05)
    assert not igd.table


async def test_a_taken_port_is_no_obstacle_to_the_mapping(
    igd: FakeIgd, echo_port: int, unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    await add(igd, echo_port, unused_tcp_port)
    assert ("TCP", echo_port, "") in igd.table
    assert f"Port {echo_port} is not forwarded" in caplog.text


@pytest.mark.parametrize(
    ("protocol", "client", "internal_port_differs"),
    [("UDP", "127.0.0.1", 1), ("TCP", "192.168.1.10", 1), ("TCP", "127.0.0.1", 0)],
    ids=["UDP", "another machine", "itself"],
)
async def test_what_is_not_forwarded(
    igd: FakeIgd, unused_tcp_port: int, protocol: str, client: str, internal_port_differs: int
) -> None:
    entry = Entry(
        protocol=protocol,
        external_port=unused_tcp_port,
        internal_client=client,
        internal_port=unused_tcp_port + internal_port_differs,
    )
    igd.table[entry.key] = entry
    await igd.changed()
    assert not await accepts("127.0.0.1", unused_tcp_port)
