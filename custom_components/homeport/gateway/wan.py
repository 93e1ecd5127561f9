"""The internet side of a gateway, and which of its services carries it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address

from .control import Control
from .errors import ActionRefused, GatewayError
from .model import WanStatus

_CONNECTED = frozenset({"Connected", "Up"})
"""What ConnectionStatus is while there is a connection; "Up" is said by some routers
(miniupnp/miniupnp#147)."""


async def wan_status(control: Control) -> WanStatus:
    """Ask for the state and the address of the internet side. Raises GatewayError.

    The gateway may refuse either: then that one is not known.
    """
    status, address = await asyncio.gather(
        control.call("GetStatusInfo"),
        control.call("GetExternalIPAddress"),
        return_exceptions=True,
    )
    return WanStatus(
        _is_connected(_said(status, "NewConnectionStatus")),
        _parse_address(_said(address, "NewExternalIPAddress")),
    )


async def external_address(control: Control) -> IPv4Address | None:
    """Ask for the address of the internet side alone; None for none. Raises GatewayError."""
    try:
        answer = await control.call("GetExternalIPAddress")
    except ActionRefused:
        return None
    return _parse_address(answer.get("NewExternalIPAddress", ""))


async def best(controls: Sequence[Control]) -> Control:
    """Choose by state, not by name: gateways describe services that carry nothing.

    Connected with a public address, connected with another, connected without, anything else; the
    first among equals. All are asked at once, in the time of one. Raises nothing: what cannot be
    read is the last choice.
    """
    if len(controls) == 1:
        return controls[0]
    ranks = await asyncio.gather(*map(_rank, controls))
    return controls[ranks.index(max(ranks))]


async def _rank(control: Control) -> int:
    try:
        status = await wan_status(control)
    except GatewayError:
        return 0
    if not status.connected:
        return 0
    if status.address is None:
        return 1
    return 3 if status.address.is_global else 2


def _said(answer: dict[str, str] | BaseException, name: str) -> str:
    if isinstance(answer, ActionRefused):  # 501 for an address while there is no connection
        return ""
    if isinstance(answer, BaseException):
        raise answer
    return answer.get(name, "")


def _is_connected(said: str) -> bool | None:
    return said in _CONNECTED if said else None


def _parse_address(text: str) -> IPv4Address | None:
    """Return the address; None for none, which routers write in several ways."""
    with suppress(ValueError):
        address = IPv4Address(text)
        if not address.is_unspecified:
            return address
    return None
