"""A UPnP Internet Gateway Device (IGD:1 and IGD:2), IPv4 side."""

import asyncio
from contextlib import suppress
from ipaddress import IPv4Address
from typing import Any, Self
from xml.etree.ElementTree import ParseError

import aiohttp
from async_upnp_client.client import UpnpDevice, UpnpService
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.exceptions import UpnpError, UpnpResponseError
from defusedxml.common import DefusedXmlException
from yarl import URL

from .errors import (
    ActionRefused,
    ActionUnsupported,
    ForeignUrl,
    GatewayError,
    GatewayNotFound,
    GatewayUnreachable,
    InvalidAnswer,
    NoWanService,
)
from .model import GatewayInfo, MappingKey, Opening, PortMapping, Transport, WanStatus
from .requester import GuardedRequester
from .soap import parse_answer

# In the order of preference among services in the same state.
_WAN_SERVICES = (
    "urn:schemas-upnp-org:service:WANIPConnection:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
)
_DESCRIBE_TIMEOUT = 30.0
"""Seconds for the description and all that it refers to, one after the other."""
_CONNECTED = frozenset({"Connected", "Up"})  # "Up" is what some routers say for "Connected"
_WEB = frozenset({"http", "https"})
_NO_SUCH_ENTRY = 714  # NoSuchEntryInArray
_NO_SUCH_ENTRY_PINHOLE_STYLE = 704  # some routers use the code of the IPv6 firewall


class Igd:
    """One Internet Gateway Device, with the WAN service that carries the internet connection."""

    def __init__(
        self, requester: GuardedRequester, info: GatewayInfo, service: UpnpService
    ) -> None:
        """Take what `connect` found."""
        self.requester = requester
        self.info = info
        self.service = service

    @classmethod
    async def connect(cls, session: aiohttp.ClientSession, location: str) -> Self:
        """Read the description at the URL `location` and choose the WAN service.

        Raises GatewayError.
        """
        try:
            url = URL(location)
        except ValueError as err:
            raise GatewayNotFound from err
        if url.scheme != "http" or not url.host:
            raise GatewayNotFound
        requester = GuardedRequester(session, url.host)
        device = await _describe(requester, str(url))
        services = [
            service
            for service_type in _WAN_SERVICES
            for part in device.all_devices
            for service in part.services.values()
            if service.service_type == service_type
        ]
        if not services:
            # The library has left out what leads to other hosts.
            described = {text.strip() for text in device.xml.itertext()}
            raise ForeignUrl if described.intersection(_WAN_SERVICES) else NoWanService
        info = GatewayInfo(
            location=str(url),
            udn=device.udn,
            name=device.friendly_name or device.model_name or url.host,
            manufacturer=device.manufacturer,
            model=device.model_name,
            presentation_url=_page(device, url),
        )
        return cls(requester, info, await _choose(requester, services))

    @property
    def ppp(self) -> bool:
        """Whether the service that carries the connection is a PPP one."""
        return "WANPPPConnection" in self.service.service_type

    async def wan_status(self) -> WanStatus:
        """Ask for the state and the address of the internet side."""
        return await _wan_status(self.requester, self.service)

    async def mapping(self, key: MappingKey) -> PortMapping | None:
        """Read one mapping back; None when there is none."""
        protocol, external_port = key
        try:
            answer = await self._call(
                "GetSpecificPortMappingEntry",
                NewRemoteHost="",
                NewExternalPort=external_port,
                NewProtocol=protocol.value,
            )
        except ActionRefused as err:
            if err.code in {_NO_SUCH_ENTRY, _NO_SUCH_ENTRY_PINHOLE_STYLE}:
                return None
            raise
        return _parse_mapping(protocol, external_port, answer)

    async def open(self, opening: Opening, lease: int) -> None:
        """Add or refresh a mapping for `lease` seconds."""
        await self._call(
            "AddPortMapping",
            NewRemoteHost="",
            NewExternalPort=opening.external_port,
            NewProtocol=opening.protocol.value,
            NewInternalPort=opening.internal_port,
            NewInternalClient=str(opening.internal_client),
            NewEnabled=True,
            NewPortMappingDescription=opening.description,
            NewLeaseDuration=lease,
        )

    async def close(self, key: MappingKey) -> None:
        """Delete a mapping. One that is not there is no error."""
        protocol, external_port = key
        try:
            await self._call(
                "DeletePortMapping",
                NewRemoteHost="",
                NewExternalPort=external_port,
                NewProtocol=protocol.value,
            )
        except ActionRefused as err:
            if err.code not in {_NO_SUCH_ENTRY, _NO_SUCH_ENTRY_PINHOLE_STYLE}:
                raise

    async def _call(self, name: str, **arguments: Any) -> dict[str, str]:
        return await _call(self.requester, self.service, name, **arguments)


async def _describe(requester: GuardedRequester, location: str) -> UpnpDevice:
    """Fetch and parse the description and what it refers to."""
    try:
        async with asyncio.timeout(_DESCRIBE_TIMEOUT):
            return await UpnpFactory(requester, non_strict=True).async_create_device(location)
    except UpnpResponseError as err:
        raise GatewayUnreachable(f"HTTP {err.status}") from err
    except TimeoutError as err:
        raise GatewayUnreachable(type(err).__name__) from err
    except (
        UpnpError,
        ParseError,
        DefusedXmlException,
        ValueError,
        KeyError,
        RecursionError,  # devices inside devices, thousands deep
    ) as err:
        raise InvalidAnswer(type(err).__name__) from err


async def _choose(requester: GuardedRequester, services: list[UpnpService]) -> UpnpService:
    """Choose by state, not by name: routers describe services that carry nothing."""
    if len(services) == 1:
        return services[0]
    ranks = await asyncio.gather(*(_rank(requester, service) for service in services))
    return services[ranks.index(max(ranks))]


async def _rank(requester: GuardedRequester, service: UpnpService) -> int:
    """Return 3 connected with a public address, 2 with another, 1 without, 0 for anything else."""
    try:
        status = await _wan_status(requester, service)
    except GatewayError:
        return 0
    if not status.connected:
        return 0
    if status.address is None:
        return 1
    return 3 if status.address.is_global else 2


async def _wan_status(requester: GuardedRequester, service: UpnpService) -> WanStatus:
    status, address = await asyncio.gather(
        _call(requester, service, "GetStatusInfo"),
        _call(requester, service, "GetExternalIPAddress"),
        return_exceptions=True,
    )
    connected: bool | None = None
    if isinstance(status, dict):
        if said := status.get("NewConnectionStatus"):
            connected = said in _CONNECTED
    elif not isinstance(status, ActionUnsupported | ActionRefused):
        raise status
    if isinstance(address, ActionRefused):  # 501 while there is no connection
        return WanStatus(connected, None)
    if isinstance(address, BaseException):
        raise address
    return WanStatus(connected, _parse_address(address.get("NewExternalIPAddress", "")))


async def _call(
    requester: GuardedRequester, service: UpnpService, name: str, **arguments: Any
) -> dict[str, str]:
    """Call an action and read the answer ourselves.

    The library's own reading loses the error code, or the answer, where a router errs in a
    namespace or an argument name.
    """
    if not service.has_action(name):
        raise ActionUnsupported(name)
    try:
        request = service.action(name).create_request(**arguments)
    except (UpnpError, ValueError, KeyError) as err:
        # The description of the action does not allow what the standard does.
        raise InvalidAnswer(type(err).__name__) from err
    return parse_answer(name, await requester.async_http_request(request))


def _parse_address(text: str) -> IPv4Address | None:
    """Return the address; None for none, which routers write in several ways."""
    with suppress(ValueError):
        address = IPv4Address(text)
        if not address.is_unspecified:
            return address
    return None


def _parse_mapping(protocol: Transport, external_port: int, answer: dict[str, str]) -> PortMapping:
    """Turn the answer of GetSpecificPortMappingEntry into a mapping."""
    try:
        return PortMapping(
            protocol=protocol,
            external_port=external_port,
            internal_client=answer["NewInternalClient"],
            internal_port=int(answer["NewInternalPort"]),
            description=answer.get("NewPortMappingDescription", ""),
            enabled=answer.get("NewEnabled", "1").lower() in {"1", "true", "yes"},
            lease=int(answer.get("NewLeaseDuration") or 0),
        )
    except (KeyError, ValueError) as err:
        raise InvalidAnswer(type(err).__name__) from err


def _page(device: UpnpDevice, location: URL) -> str | None:
    """Return the gateway's own web page, if it is the gateway's own."""
    with suppress(ValueError):
        page = location.join(URL(device.presentation_url or ""))
        if device.presentation_url and page.scheme in _WEB and page.host == location.host:
            return str(page)
    return None
