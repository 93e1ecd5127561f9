"""Who has which address at home, as far as others say."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
import socket

from homeassistant.components import zeroconf
from homeassistant.components.device_tracker import ATTR_IP, ATTR_MAC, DOMAIN as DEVICE_TRACKER
from homeassistant.const import STATE_NOT_HOME
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.device_registry import format_mac
from zeroconf import AddressResolver, IPVersion  # type: ignore[attr-defined]

from ..host import IPAddress
from ..lan_target import TargetKind

_MOST_ADDRESSES = 16
"""Addresses of one name; a hostile answer may hold thousands."""
_MDNS_MS = 3000
_DNS = 5.0
"""Seconds."""
_DISCARD_PORT = 9  # RFC 863


async def addresses_of_name(hass: HomeAssistant, kind: TargetKind, name: str) -> list[IPAddress]:
    """Look a name up, in limited time; nothing where it is not known."""
    if kind is TargetKind.MDNS_NAME and zeroconf.DOMAIN in hass.config.components:
        instance = await zeroconf.async_get_async_instance(hass)
        resolver = AddressResolver(f"{name}.")
        await resolver.async_request(instance.zeroconf, _MDNS_MS)
        told = [str(each) for each in resolver.ip_addresses_by_version(IPVersion.All)]
    else:
        told = await _resolve(name)
    return list(_parsed(told))[:_MOST_ADDRESSES]


def addresses_of_mac(hass: HomeAssistant, mac: str) -> list[IPAddress]:
    """Return what device trackers and Home Assistant's DHCP integration say, in this order."""
    told = [
        str(state.attributes.get(ATTR_IP))
        for state in hass.states.async_all(DEVICE_TRACKER)
        if is_about(state, mac)
    ]
    if "dhcp" in hass.config.components:
        # Large, and there already where it is set up.
        from homeassistant.components import dhcp  # noqa: PLC0415

        told += [
            each.ip
            for each in dhcp.async_discovered_service_info(hass)
            if format_mac(each.macaddress) == mac
        ]
    return list(_parsed(told))


def is_about(state: State | None, mac: str) -> bool:
    """Say whether a device tracker tells where the device with a MAC address is at home."""
    if state is None or state.state == STATE_NOT_HOME or ATTR_IP not in state.attributes:
        return False
    return format_mac(str(state.attributes.get(ATTR_MAC))) == mac


def have_found(addresses: Iterable[IPAddress]) -> None:
    """Have the kernel find out who has these addresses now, by sending next to nothing there."""
    for address in addresses:
        family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(b"", (str(address), _DISCARD_PORT))


async def _resolve(name: str) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_DNS):
            found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError, UnicodeError:
        return []
    return [str(address[0]) for *_, address in found]


def _parsed(texts: Iterable[str]) -> Iterator[IPAddress]:
    """Return what is an address, each once; not those that are of one link alone."""
    seen = set[IPAddress]()
    for text in texts:
        with suppress(ValueError):
            address = ip_address(text)
            zoned = isinstance(address, IPv6Address) and address.scope_id
            if address not in seen and not zoned:
                seen.add(address)
                yield address
