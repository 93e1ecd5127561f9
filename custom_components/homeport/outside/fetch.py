"""HTTP towards outside services: short answers, no redirects, no surprises."""

from http import HTTPStatus

import aiohttp

from .errors import OutsideInvalid, OutsideUnreachable

MAX_BODY = 4096
"""Bytes. An address or a line of JSON is all that is expected."""


async def fetch(session: aiohttp.ClientSession, url: str, seconds: float) -> str:
    """Return the body of a short text answer that comes within `seconds`.

    Raises OutsideUnreachable or OutsideInvalid. Redirects are not followed: a captive portal would
    lead anywhere.
    """
    try:
        async with session.get(
            url,
            allow_redirects=False,
            # A connection that was left open may still leave by the address of before.
            headers={"Accept": "application/json, text/plain", "Connection": "close"},
            timeout=aiohttp.ClientTimeout(total=seconds),
        ) as response:
            if response.status != HTTPStatus.OK:
                raise OutsideInvalid(f"HTTP {response.status}")
            body = await response.content.read(MAX_BODY + 1)
            while len(body) <= MAX_BODY and (more := await response.content.read(MAX_BODY)):
                body += more
            if len(body) > MAX_BODY:
                response.close()
                raise OutsideInvalid("too long")
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as err:
        raise OutsideUnreachable(type(err).__name__) from err
    return body.decode("utf-8", "replace")
