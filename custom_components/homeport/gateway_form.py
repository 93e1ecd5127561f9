"""Finding the gateway that the user names."""

import asyncio
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, Final, Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .const import CONF_GATEWAY, CONF_LOCATION
from .gateway import (
    GatewayError,
    GatewayInfo,
    GatewayUnreachable,
    Igd,
    Mappers,
    Memory,
    find_location,
    resolve,
)
from .host import read_state, source_address

_WITHOUT_UPNP: Final = "PCP / NAT-PMP"


@dataclass(frozen=True, slots=True)
class FoundGateway:
    """A gateway as an entry keeps it; `name` is what people know it by."""

    data: dict[str, Any]
    unique_id: str
    name: str

    @classmethod
    def with_upnp(cls, info: GatewayInfo) -> Self:
        """Return one that has a description."""
        return cls({CONF_LOCATION: info.location}, info.udn, info.name)


async def find_gateway(hass: HomeAssistant, text: str) -> FoundGateway:
    """Return the gateway at a host or at the URL of a description. Raises GatewayError.

    At a host the protocols without a description are tried as well, at the same time.
    """
    text = text.strip()
    session = async_get_clientsession(hass)
    if "://" in text:
        return FoundGateway.with_upnp((await Igd.connect(session, text)).info)
    address = IPv4Address(await resolve(text))
    mapping = asyncio.create_task(_speaks_without_upnp(address))
    try:
        location = await find_location(str(address))
        return FoundGateway.with_upnp((await Igd.connect(session, location)).info)
    except GatewayError:
        if not await mapping:
            raise
    finally:
        mapping.cancel()
        await asyncio.gather(mapping, return_exceptions=True)
    return FoundGateway(
        {CONF_GATEWAY: str(address)}, await _hardware(address), f"{address} ({_WITHOUT_UPNP})"
    )


async def _speaks_without_upnp(address: IPv4Address) -> bool:
    try:
        mappers = Mappers(address, source_address(str(address)), Memory())
    except OSError as err:
        raise GatewayUnreachable(type(err).__name__) from err
    try:
        return bool(await mappers.answering())
    finally:
        await mappers.stop()


async def _hardware(address: IPv4Address) -> str:
    """Return the MAC address of a machine; its address where the kernel does not tell."""
    state = await read_state()
    macs = (each.mac for each in state.neighbours if each.ip == address)
    return next(macs, str(address))
