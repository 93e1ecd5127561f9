"""A link that is closed in the middle of a reading leaves nothing behind.

The fixture that all tests of this room share looks for tasks and sockets that were left.
"""

import asyncio
from typing import Any

import aiohttp
import pytest

from custom_components.homeport.gateway import Link, Memory, Peer
from custom_components.homeport.host import source_address
from tests.fakes.igd import FakeIgd


async def nothing() -> None:
    pass


@pytest.fixture
def link(session: aiohttp.ClientSession, fake: FakeIgd) -> Link:
    """Give a link that has not been used yet."""
    return Link(session, Peer(fake.location), source_address, memory=Memory(), save=nothing)


async def test_closed_before_it_listens(link: Link, fake: FakeIgd) -> None:
    closing: list[asyncio.Task[None]] = []
    answer = fake._router.answer

    def answer_and_close(action: str, *rest: Any) -> Any:
        if not closing:
            closing.append(asyncio.create_task(link.close()))
        return answer(action, *rest)

    fake._router.answer = answer_and_close  # type: ignore[method-assign]
    await link.read()
    await asyncio.gather(*closing)
    assert closing
    assert (link.pushes, fake.subscriptions) == (False, 0)


async def test_closed_while_it_begins_to_listen(
    link: Link, fake: FakeIgd, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    create_server, closing = loop.create_server, list[asyncio.Task[None]]()

    async def create_and_close(*args: Any, **options: Any) -> asyncio.Server:
        closing.append(asyncio.create_task(link.close()))
        return await create_server(*args, **options)

    monkeypatch.setattr(loop, "create_server", create_and_close)
    await link.read()
    await asyncio.gather(*closing)
    assert closing
    assert (link.pushes, fake.subscriptions) == (False, 0)


async def test_cancelled_while_it_begins_to_listen(
    link: Link, fake: FakeIgd, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    create_server = loop.create_server
    reading = asyncio.create_task(link.read())

    async def create_and_cancel(*args: Any, **options: Any) -> asyncio.Server:
        loop.call_soon(reading.cancel)
        return await create_server(*args, **options)

    monkeypatch.setattr(loop, "create_server", create_and_cancel)
    with pytest.raises(asyncio.CancelledError):
        await reading
    await link.close()
    assert (link.pushes, fake.subscriptions) == (False, 0)
