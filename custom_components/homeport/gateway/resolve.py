"""From a gateway's host to its IPv4 address."""

import asyncio
from contextlib import suppress
from ipaddress import IPv4Address
import socket

from .errors import GatewayNotFound


async def resolve(host: str) -> str:
    """Return the IPv4 address of a host name or of a literal address. Raises GatewayNotFound."""
    with suppress(ValueError):
        return str(IPv4Address(host))
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM
        )
    except (OSError, ValueError) as err:  # ValueError: no name can be like this
        raise GatewayNotFound from err
    return str(found[0][4][0])
