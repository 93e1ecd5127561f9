"""A task that several wait for."""

import asyncio

import pytest

from custom_components.homeport.gateway import GatewayUnreachable
from custom_components.homeport.gateway.shared_task import end, result_of


async def test_who_gives_up_does_not_end_it() -> None:
    go_on = asyncio.Event()

    async def work() -> int:
        await go_on.wait()
        return 7

    task = asyncio.create_task(work())
    first, second = (asyncio.create_task(result_of(task)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    go_on.set()
    assert await second == 7


async def test_who_waits_for_one_that_is_ended_is_told_so() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    waiting = asyncio.create_task(result_of(task))
    await asyncio.sleep(0)
    await end(task)
    with pytest.raises(GatewayUnreachable):
        await waiting
    await end(task)
    await end(None)
