"""Asking a prober, as its proxy or as anybody."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import aiohttp

SECRET = "a-secret-of-the-tests"
AUTHORIZATION = {"Authorization": f"Bearer {SECRET}"}
CALLER = "127.0.0.5"


class Said(NamedTuple):
    """An answer."""

    status: int
    json: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prober:
    """A running prober."""

    host: str
    port: int
    tls: bool = False

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"


class Start(Protocol):
    """What the fixture `start` is."""

    def __call__(self, **changes: Any) -> Awaitable[Prober]: ...


def as_proxy(caller: str = CALLER, **more: str) -> dict[str, str]:
    """Return the headers of a proxy that speaks for a caller with a token."""
    return {
        "X-Forwarded-For": caller,
        "X-Forwarded-Proto": "https",
        **AUTHORIZATION,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


async def ask(
    http: aiohttp.ClientSession,
    prober: Prober,
    path: str = "/json",
    *,
    headers: Mapping[str, str] | None = None,
    **request: Any,
) -> Said:
    """Get something, as the proxy of a caller unless there are other headers."""
    method = "POST" if {"json", "data"} & request.keys() else "GET"
    headers = as_proxy() if headers is None else headers
    async with http.request(
        method, f"{prober.url}{path}", headers=headers, allow_redirects=False, **request
    ) as response:
        json = await response.json() if response.content_type == "application/json" else None
        return Said(response.status, json or await response.text(), response.headers)


async def check(
    http: aiohttp.ClientSession,
    prober: Prober,
    port: int,
    *,
    headers: Mapping[str, str] | None = None,
    **question: object,
) -> Said:
    """Have it knock, over TCP unless the question is another."""
    asked = {"transport": "tcp", "port": port, **question}
    return await ask(http, prober, "/v1/check", headers=headers, json=asked)
