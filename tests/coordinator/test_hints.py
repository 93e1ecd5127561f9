"""Events about the table are read after our own change is over, not as late as it may be."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from custom_components.homeport.coordinator.hints import Hints
from custom_components.homeport.line import GatewayEvidence

OTHERS = {"PortMappingNumberOfEntries": "1"}


class Reads:
    """Reads of a gateway."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.hints = Hints(
            self._read, lambda: GatewayEvidence(connected=True, address=None), self._run
        )
        self.hints.on_hint({})  # the first event says how things stand

    async def _read(self) -> None:
        self.done.set()

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self.tasks.append(task)
        return task


async def test_an_event_that_came_during_our_own_change_is_read_when_that_is_over() -> None:
    reads = Reads()
    with reads.hints.own_change():
        reads.hints.on_hint(OTHERS)
        await asyncio.sleep(0.3)
        assert not reads.done.is_set()
    async with asyncio.timeout(5):
        await reads.done.wait()


async def test_an_event_of_others_is_read_at_once() -> None:
    reads = Reads()
    reads.hints.on_hint(OTHERS)
    async with asyncio.timeout(5):
        await reads.done.wait()
