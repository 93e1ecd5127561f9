"""Asking an NTT home gateway whether the IPv4-over-IPv6 software in it is on."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address
import json
from typing import Final

import aiohttp

from .fetch import MAX_BODY

NAME: Final = "ntt.setup"
"""The name that an NTT line's resolver gives the home gateway. No other line has it."""
PORT: Final = 8888
TIMEOUT: Final = 2.0
"""Seconds. It is in the house."""
MAX_NAME: Final = 64
"""Characters of the software's name."""

_CALLBACK: Final = "homeport"
_PATH: Final = "/enabler.ipv4/check"
_ON: Final = {"ON": True, "OFF": False}


@dataclass(frozen=True, slots=True)
class HomeGateway:
    """What the home gateway says: whether it ends the tunnel itself, and what its software is."""

    on: bool
    name: str


async def home_gateway(
    session: aiohttp.ClientSession, address: IPv4Address, port: int = PORT
) -> HomeGateway | None:
    """Ask the home gateway; None when there is none that answers, whatever answers instead.

    `address` is the private address that NAME resolves to on this line. The page is the one on
    which the gateway tells other makers' routers its state, without a login, as JSONP.
    """
    try:
        async with session.get(
            f"http://{address}:{port}{_PATH}",
            params={"callback": _CALLBACK},
            allow_redirects=False,
            headers={"Host": f"{NAME}:{PORT}"},
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
        ) as response:
            if response.status == HTTPStatus.OK:
                await response.content.readexactly(MAX_BODY + 1)
            response.close()
            return None
    except asyncio.IncompleteReadError as complete:
        return parse_check(complete.partial)
    except aiohttp.ClientError, OSError, ValueError:
        return None


def parse_check(body: bytes) -> HomeGateway | None:
    """Read the page, `homeport({…});`, as data; None for anything else.

    Members: `status`, "ON" or "OFF", and `name`, up to 64 printable characters. Others, such as
    `version`, are not looked at.
    """
    text = body.decode("utf-8", "replace").strip().removesuffix(";").rstrip()
    inside = text.removeprefix(f"{_CALLBACK}(").removesuffix(")")
    if text != f"{_CALLBACK}({inside})":
        return None
    try:
        said = json.loads(inside)
    except ValueError, RecursionError:
        return None
    if not isinstance(said, dict):
        return None
    name, status = said.get("name"), said.get("status")
    if not isinstance(name, str) or not name.isprintable() or len(name) > MAX_NAME:
        return None
    if not isinstance(status, str) or status not in _ON:
        return None
    return HomeGateway(on=_ON[status], name=name)
