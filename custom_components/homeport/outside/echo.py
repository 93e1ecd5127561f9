"""Asking an outside service which address it sees us come from."""

from contextlib import suppress
from ipaddress import IPv4Address
import json

import aiohttp

from .errors import OutsideInvalid
from .fetch import fetch

TIMEOUT = 5.0
"""Seconds."""


async def public_ipv4(session: aiohttp.ClientSession, url: str) -> IPv4Address:
    """Return the IPv4 address that the echo at `url` sees.

    The session must be one that connects over IPv4 only. Two forms of answer are understood: the
    bare address, and JSON with a member "ip" (echoip, ipify). Raises OutsideError, also for an
    address that is not a global one: whoever says so does not see us from the internet.
    """
    text = (await fetch(session, url, TIMEOUT)).strip()
    if text.startswith("{"):
        with suppress(ValueError):
            text = str(json.loads(text).get("ip", ""))
    try:
        address = IPv4Address(text)
    except ValueError as err:
        raise OutsideInvalid("not an address") from err
    if not address.is_global or address.is_multicast:
        raise OutsideInvalid("not a global address")
    return address
