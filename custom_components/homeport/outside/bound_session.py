"""HTTP from a certain one of this machine's addresses, for a single check."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from ssl import SSLContext

import aiohttp

from .family import SOCKET_FAMILY, Family, IPAddress

type OpenSession = Callable[
    [Family, IPAddress | None], AbstractAsyncContextManager[aiohttp.ClientSession]
]
"""Opens a session that connects over one family, and from one own address if one is given."""


@asynccontextmanager
async def bound_session(
    family: Family,
    source: IPAddress | None,
    *,
    ssl: SSLContext | None = None,
    user_agent: str | None = None,
) -> AsyncIterator[aiohttp.ClientSession]:
    """Have a session that connects over `family` only, from `source` where it is given.

    An IPv6 host has several addresses, and what dials its caller has to see the one under test, not
    the temporary one that the kernel prefers (RFC 6724 section 5, rule 7). An address that is not
    ours fails each request as a connection does. Without `ssl` it trusts what Python trusts.
    """
    connector = aiohttp.TCPConnector(
        family=SOCKET_FAMILY[family],
        local_addr=(str(source), 0) if source else None,
        # aiodns, which aiohttp prefers, takes a channel and a timer of its own for each session.
        resolver=aiohttp.ThreadedResolver(),
        ssl=ssl or True,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent} if user_agent else None,
    ) as session:
        yield session
