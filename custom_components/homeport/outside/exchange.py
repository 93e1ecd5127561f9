"""One question to a prober over HTTP, and its answer as JSON."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from ipaddress import ip_address
import json
import re
from typing import Any, Final, NoReturn

import aiohttp
from yarl import URL

from .errors import OutsideBusy, OutsideInvalid, OutsideRefused, OutsideUnreachable
from .family import Family, IPAddress

MAX_BODY: Final = 4096
"""Bytes that most answers keep well within."""
_ACCEPTED: Final = (HTTPStatus.OK, HTTPStatus.ACCEPTED)
# RFC 9110 section 10.2.3, and what Globalping has in its place. A date is not looked at.
_RETRY: Final = ("Retry-After", "X-RateLimit-Reset")
_WORD: Final = re.compile(r"[a-z_]{1,32}", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,5}", re.ASCII)


def base_url(url: str) -> URL:
    """Return a service's base URL without what is no part of its place.

    A name and a password in it would be sent to whoever answers, and stand in logs.
    """
    return URL(url).with_user(None).with_query(None).with_fragment(None)


def can_be_met(url: URL, family: Family) -> bool:
    """Say whether a service may be there over a family: not where its URL has another's address.

    aiohttp fails an assertion then, where it should raise an error.
    """
    try:
        return ip_address(url.host or "").version == family
    except ValueError:
        return True  # a name, which may lead anywhere


async def exchange(
    session: aiohttp.ClientSession,
    url: URL,
    seconds: float,
    *,
    post: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    most: int = MAX_BODY,
) -> object:
    """Get `url`, or post something there as JSON, and return the JSON that comes in `seconds`.

    `most`: how many bytes the answer may have. Raises OutsideUnreachable, OutsideBusy (429),
    OutsideRefused (any other status), else OutsideInvalid. Redirects are not followed: a captive
    portal would lead anywhere.
    """
    try:
        async with session.request(
            "GET" if post is None else "POST",
            url,
            json=post,
            allow_redirects=False,
            headers={"Accept": "application/json", **(headers or {})},
            timeout=aiohttp.ClientTimeout(total=seconds),
        ) as response:
            if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise OutsideBusy(_retry_after(response.headers))
            body = b""
            while len(body) <= most and (more := await response.content.read(most + 1)):
                body += more
            if response.status not in _ACCEPTED:
                raise OutsideRefused(response.status, _code(body))
            if len(body) > most:
                response.close()
                raise OutsideInvalid("too long")
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as err:
        # Not chained: these have the URL in them, or the headers: an address, or a secret.
        raise OutsideUnreachable(type(err).__name__) from None
    return parse_json(body)


def parse_json(body: bytes) -> object:
    """Return what the bytes are as JSON. Raises OutsideInvalid.

    Also where a member is there twice, so that nobody knows which one is meant, and for what only
    Python takes, such as NaN (RFC 8259 sections 4 and 6).
    """
    try:
        return json.loads(
            body.decode("utf-8", "replace"), object_pairs_hook=_object, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as err:
        raise OutsideInvalid("not JSON") from err


def _object(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    pairs = list(members)
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member is there twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def is_address(said: object, address: IPAddress) -> bool:
    """Say whether a member of an answer is this very address, written in any way."""
    try:
        return isinstance(said, str) and ip_address(said) == address
    except ValueError:
        return False


def _code(body: bytes) -> str:
    """Return the word for what is wrong, as `{"error": "a_word"}` says it; else an empty text."""
    try:
        said = parse_json(body)
    except OutsideInvalid:
        return ""
    code = said.get("error") if isinstance(said, dict) else None
    return code if isinstance(code, str) and _WORD.fullmatch(code) else ""


def _retry_after(headers: Mapping[str, str]) -> int | None:
    said = (headers.get(name, "") for name in _RETRY)
    return next((int(each) for each in said if _SECONDS.fullmatch(each)), None)
