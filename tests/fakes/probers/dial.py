"""What a node of a prober does: it connects, and tells what it met."""

import asyncio
from contextlib import suppress
import errno

ACCEPTED = 0
NEVER = -1
"""What a node has met that never answers."""


async def dial(address: str, port: int, seconds: float) -> int:
    """Connect and hang up; return the errno of what was met: ACCEPTED, or ETIMEDOUT for silence."""
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return errno.ETIMEDOUT
    except OSError as err:
        return err.errno or errno.EIO
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return ACCEPTED
