"""Real forwarding for the simulated gateway: TCP mappings become listeners."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
import logging

from tests.fakes.igd.table import Entry, Key

_LOGGER = logging.getLogger(__name__)
_CHUNK = 65_536


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


@dataclass(slots=True)
class _Listener:
    server: asyncio.Server
    entry: Entry
    connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def close(self) -> None:
        self.server.close()
        for connection in self.connections:
            connection.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)
        self.server.close_clients()
        await self.server.wait_closed()


class Forwarder:
    """Listens on (host, external port) of each TCP mapping and pipes to its client.

    UDP mappings and remote hosts are left alone, and so is a mapping that `allowed` refuses. A port
    that cannot be bound is logged and tried again at the next change of the table.
    """

    def __init__(self, host: str, allowed: Callable[[Entry], bool]) -> None:
        """`host`: the address that stands for the WAN side."""
        self._host = host
        self._allowed = allowed
        self._listeners: dict[Key, _Listener] = {}
        self._lock = asyncio.Lock()

    async def sync(self, entries: Iterable[Entry]) -> None:
        """Make the listeners what the table says."""
        async with self._lock:
            wanted = {e.key: e for e in entries if e.protocol == "TCP" and self._allowed(e)}
            for key, listener in list(self._listeners.items()):
                if not _same_target(listener.entry, wanted.get(key)):
                    del self._listeners[key]
                    await listener.close()
            for key in wanted.keys() - self._listeners.keys():
                await self._open(wanted[key])

    async def close(self) -> None:
        """Close every listener and every connection."""
        await self.sync(())

    async def _open(self, entry: Entry) -> None:
        connections: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            connections.add(task)
            try:
                await _forward(entry, reader, writer)
            finally:
                connections.discard(task)

        try:
            server = await asyncio.start_server(accept, self._host, entry.external_port)
        except OSError as err:
            _LOGGER.warning("Port %d is not forwarded: %s", entry.external_port, err)
            return
        self._listeners[entry.key] = _Listener(server, entry, connections)


def _same_target(one: Entry, other: Entry | None) -> bool:
    return other is not None and (one.internal_client, one.internal_port) == (
        other.internal_client,
        other.internal_port,
    )


async def _forward(
    entry: Entry, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    inner = None
    try:
        inside, inner = await asyncio.open_connection(entry.internal_client, entry.internal_port)
        async with asyncio.TaskGroup() as group:
            group.create_task(_pump(reader, inner))
            group.create_task(_pump(inside, writer))
    except OSError as err:
        _LOGGER.debug("The target of port %d refused: %s", entry.external_port, err)
    finally:
        writer.close()
        if inner is not None:
            inner.close()
