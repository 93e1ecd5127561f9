"""Reading this machine's addresses when the kernel has done with changing them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from ..host import HostState

_SETTLE: Final = 0.08
"""Seconds. A renumbering is told address by address, and can be read in the middle of it."""
_MOST: Final = 4


async def settled(read: Callable[[], Awaitable[HostState]]) -> HostState:
    """Read until two readings in a row are the same, a few times at most."""
    state = await read()
    for _ in range(_MOST):
        await asyncio.sleep(_SETTLE)
        before, state = state, await read()
        if state == before:
            break
    return state
