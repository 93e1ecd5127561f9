"""Asking outside services which address they see us come from."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
import json
from typing import Any, Final, Literal, overload

import aiohttp
from yarl import URL

from .errors import OutsideDisagree, OutsideError, OutsideInvalid, OutsideUnreachable
from .family import Family, IPAddress, is_public
from .fetch import fetch

TIMEOUT = 4.0
"""Seconds for one answer."""
WHOLE_TIMEOUT = 4.5
"""Seconds for everything, so that whoever waits five still gets what was said by then."""
ENOUGH: Final = 2
"""Answers that have to be the same: a single service may be wrong, or lie."""


@dataclass(frozen=True, slots=True)
class Seen[AddressT: IPAddress]:
    """The address that the outside sees.

    - `answers`: how many services said so; 1 also where only one answered
    - `secure`: whether all of these were asked over HTTPS
    """

    address: AddressT
    answers: int
    secure: bool


@overload
async def public_address(
    session: aiohttp.ClientSession, urls: Sequence[str], family: Literal[4]
) -> Seen[IPv4Address]: ...
@overload
async def public_address(
    session: aiohttp.ClientSession, urls: Sequence[str], family: Literal[6]
) -> Seen[IPv6Address]: ...
async def public_address(
    session: aiohttp.ClientSession, urls: Sequence[str], family: Family
) -> Seen[Any]:
    """Return the address that the echoes at `urls` see.

    The session must be one that connects over `family` only. Two are asked at once; then the
    others, as many as are missing, until two answers are the same or nobody is left to ask.

    Raises OutsideDisagree where there are several answers and no two of them are the same, and the
    first error where there is none.
    """
    waiting = list(dict.fromkeys(urls))  # asked twice, one service would agree with itself
    said: dict[str, IPAddress] = {}
    errors: list[OutsideError] = []

    async def ask(url: str) -> None:
        try:
            _check_family(url, family)
            said[url] = read_address(await fetch(session, url, TIMEOUT), family)
        except OutsideError as err:
            errors.append(err)

    with suppress(TimeoutError):
        async with asyncio.timeout(WHOLE_TIMEOUT):
            while waiting and (missing := ENOUGH - _support(said)) > 0:
                now, waiting = waiting[:missing], waiting[missing:]
                await asyncio.gather(*map(ask, now))
    if not said:
        raise errors[0] if errors else OutsideUnreachable("no answer in time")
    if (support := _support(said)) < min(ENOUGH, len(said)):
        raise OutsideDisagree(said.values())
    address = Counter(said.values()).most_common(1)[0][0]
    agreeing = [URL(url) for url, each in said.items() if each == address]
    return Seen(address, support, all(url.scheme == "https" for url in agreeing))


def _check_family(url: str, family: Family) -> None:
    """Raise OutsideUnreachable for a literal address of the other family: aiohttp takes it."""
    with suppress(ValueError):
        if ip_address(URL(url).host or "").version != family:
            raise OutsideUnreachable("an address of the other family")


def read_address(body: str, family: Family) -> IPAddress:
    """Return the address that an echo's answer names.

    Three forms are understood: the bare address; JSON with a member "ip" (echoip, ipify, Home
    Assistant's whoami); lines of `key=value` with one key "ip" (Cloudflare's /cdn-cgi/trace).
    Raises OutsideInvalid, also for an address that is not a global one of `family`: whoever says
    so does not see us from the internet.
    """
    text = body.strip()
    if text.startswith("{"):
        text = _json_ip(text)
    elif "=" in text:
        text = _line_ip(text)
    try:
        address = ip_address(text)
    except ValueError as err:
        raise OutsideInvalid("not an address") from err
    if not is_public(address, family):
        raise OutsideInvalid(f"not a global IPv{family} address")
    return address


def _json_ip(text: str) -> str:
    try:
        return str(json.loads(text).get("ip", ""))
    except (ValueError, RecursionError) as err:
        raise OutsideInvalid("not JSON") from err


def _line_ip(text: str) -> str:
    lines = [line.partition("=") for line in text.splitlines()]
    found = [value for key, _, value in lines if key == "ip"]
    if len(found) != 1 or not all(key.isidentifier() and sign for key, sign, _ in lines):
        raise OutsideInvalid("not lines of key=value with one address")
    return found[0]


def _support(said: Mapping[str, IPAddress]) -> int:
    """Return how many say what most of them say."""
    return max(Counter(said.values()).values(), default=0)
