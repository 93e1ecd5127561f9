"""Which address is dialled: the caller's own, or what the operator has allowed to a token."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
import socket
from typing import Final, TypeAlias

from .address import IPAddress, is_of
from .question import Question
from .refused import Refused

IsAllowed: TypeAlias = Callable[[IPAddress], bool]
Resolve: TypeAlias = Callable[[str, int], Awaitable[list[IPAddress]]]

RESOLVE_SECONDS: Final = 5.0
"""A resolver tries each of its servers for that long (resolv.conf(5), "timeout")."""


async def resolve(hostname: str, version: int) -> list[IPAddress]:
    """Return the addresses of one IP version that a hostname has, in order; none on any failure."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            # The dot keeps the machine's search domains out of it.
            found = await asyncio.get_running_loop().getaddrinfo(
                f"{hostname}.", None, family=family, type=socket.SOCK_STREAM
            )
    except OSError:  # TimeoutError is one of them
        return []
    return list(dict.fromkeys(ip_address(sockaddr[0]) for *_, sockaddr in found))


async def find_target(
    question: Question,
    caller: IPAddress,
    names: Mapping[str, str],
    is_allowed: IsAllowed,
    resolve: Resolve,
) -> IPAddress | None:
    """Return the address to dial, literally; None where another one is meant than may be dialled.

    `names`: the hostnames of the token. A name is resolved once, and what is returned is what was
    looked at. Raises Refused: "unknown_name", "name_unresolved" or "address_refused".
    """
    if question.name is None:
        target = question.address or caller
        return target if is_of(target, caller) and _checked([target], is_allowed) else None
    if (hostname := names.get(question.name)) is None:
        raise Refused(403, "unknown_name")
    found = await resolve(hostname, (question.address or caller).version)
    if not found:
        raise Refused(400, "name_unresolved")
    _checked(found, is_allowed)
    target = question.address or found[0]
    return target if target in found else None


def _checked(addresses: list[IPAddress], is_allowed: IsAllowed) -> bool:
    if not all(map(is_allowed, addresses)):
        raise Refused(403, "address_refused")
    return True
