"""One task that several wait for, and that may be ended under them."""

import asyncio

from .errors import GatewayUnreachable


async def result_of[ResultT](task: asyncio.Task[ResultT]) -> ResultT:
    """Wait for the task; who gives up waiting does not end it.

    Raises what it raises, and GatewayUnreachable when it was ended.
    """
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        waiting = asyncio.current_task()
        if task.cancelled() and not (waiting and waiting.cancelling()):
            raise GatewayUnreachable from None
        raise


async def end[ResultT](task: asyncio.Task[ResultT] | None) -> None:
    """End the task, if there is one and it is under way, and wait until it has."""
    if task and not task.done():
        task.cancel()
        await asyncio.wait({task})
