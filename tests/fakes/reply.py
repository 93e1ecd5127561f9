"""A scripted HTTP answer that replaces the good one of a fake, for hostile and broken peers."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE root ['
    f'<!ENTITY a "homeport"><!ENTITY b "{"&a;" * 1000}"><!ENTITY c "{"&b;" * 1000}">'
    "]><root>&c;</root>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer instead of the truth.

    `delay` is in seconds and comes before the answer; `hang` answers nothing until the fake
    ends; `drop` resets the connection without an answer.
    """

    status: int = 200
    body: str | bytes = ""
    content_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang: bool = False
    drop: bool = False

    @classmethod
    def html_error(cls, status: int = 500) -> Self:
        """Answer the error page of a web server that knows no SOAP and no JSON."""
        return cls(status=status, body="<html><body><h1>Internal error</h1></body></html>")

    @classmethod
    def redirect(cls, location: str) -> Self:
        """Send the client elsewhere with 302."""
        return cls(status=302, headers={"Location": location})

    @classmethod
    def huge(cls, size: int = 10_000_000) -> Self:
        """Answer `size` bytes of white space that could still become XML."""
        return cls(body=b" " * size, content_type="text/xml")

    @classmethod
    def entity_bomb(cls) -> Self:
        """Answer XML whose entities multiply when they are resolved ("billion laughs")."""
        return cls(body=_BOMB, content_type="text/xml")

    async def send(self, request: web.Request, closing: asyncio.Event) -> web.Response:
        """Answer `request`; `closing` ends every wait, so that no fake outlives its test."""
        if self.hang:
            await closing.wait()
        elif self.delay:
            with suppress(TimeoutError):
                await asyncio.wait_for(closing.wait(), self.delay)
        if (self.hang or self.drop) and request.transport is not None:
            request.transport.abort()
        body = self.body.encode() if isinstance(self.body, str) else self.body
        headers = {"Content-Type": self.content_type, **self.headers}
        return web.Response(status=self.status, body=body, headers=headers)
