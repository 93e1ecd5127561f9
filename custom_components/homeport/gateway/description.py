"""What a gateway says that it is and has: its description (UPnP Device Architecture section 2)."""

from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Final

from async_upnp_client.const import HttpRequest
from yarl import URL

from .errors import ForeignUrl, GatewayNotFound, HttpRefused, InvalidAnswer, NoWanService
from .markup import children, local_name, parse
from .model import GatewayInfo
from .requester import GuardedRequester
from .url import read_url

WAN_SERVICES: Final = (
    "urn:schemas-upnp-org:service:WANIPConnection:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:2",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
    # Of before there were the others; routers of as late as 2015 have them.
    "urn:dslforum-org:service:WANPPPConnection:1",
    "urn:dslforum-org:service:WANIPConnection:1",
)
"""The services that carry an internet connection, in the order of preference."""

_MOST_SERVICES = 16
"""Services that are looked at. Each is asked for its state."""
_LONGEST_TEXT = 200
"""Characters of a name. The standard wants fewer than 64."""
_WEB = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class WanService:
    """A service that carries an internet connection; `event_url` is None where it has no events."""

    service_type: str
    control_url: str
    event_url: str | None

    @property
    def ppp(self) -> bool:
        """Whether the connection is a PPP one."""
        return "WANPPPConnection" in self.service_type

    @property
    def second_version(self) -> bool:
        """Whether it has what WANIPConnection:2 added: AddAnyPortMapping, GetListOfPortMappings."""
        return self.service_type.endswith("WANIPConnection:2")


@dataclass(frozen=True, slots=True)
class Description:
    """Who a gateway is, and its WAN services, the preferred ones first; at least one."""

    info: GatewayInfo
    services: tuple[WanService, ...]


async def describe(requester: GuardedRequester, location: URL) -> Description:
    """Fetch and read the description. Raises GatewayError."""
    answer = await requester.async_http_request(HttpRequest("GET", str(location), {}, None))
    if answer.status_code != HTTPStatus.OK:
        raise HttpRefused(answer.status_code)
    return parse_description(answer.body if isinstance(answer.body, str) else "", location)


def parse_location(location: str) -> URL:
    """Return the URL of a description as one that can be asked. Raises GatewayNotFound.

    An IPv6 address is none: what it says about IPv4 mappings would be about another source address
    (and some gateways announce their own loopback, home-assistant/core#57052).
    """
    try:
        url = read_url(location)
    except ValueError as err:
        raise GatewayNotFound from err
    if url.scheme != "http" or not url.host or ":" in url.host:
        raise GatewayNotFound
    return url


def parse_description(text: str, location: URL) -> Description:
    """Read a description that was found at `location`.

    Services count wherever they stand in the tree of devices, without their own descriptions
    (SCPD): gateways are known where those are missing or broken, and the actions are standard.
    Raises InvalidAnswer, ForeignUrl where what would count leads to another host, NoWanService.
    """
    root = parse(text)
    device = next((each for each in root.iter() if local_name(each) == "device"), None)
    if device is None:
        raise InvalidAnswer
    base = _base(children(root).get("URLBase", ""), location)
    said = {name: value[:_LONGEST_TEXT] for name, value in children(device).items()}
    described = (
        children(each) for each in root.iter() if local_name(each) == "service" and len(each)
    )
    wan = [each for each in described if each.get("serviceType") in WAN_SERVICES]
    wan.sort(key=lambda each: WAN_SERVICES.index(each["serviceType"]))
    services = tuple(
        islice((found for each in wan if (found := _service(each, base))), _MOST_SERVICES)
    )
    if not services:
        raise ForeignUrl if wan else NoWanService
    name = said.get("friendlyName") or said.get("modelName") or location.host or ""
    return Description(
        GatewayInfo(
            location=str(location),
            udn=said.get("UDN", ""),
            name=name,
            manufacturer=said.get("manufacturer", ""),
            model=said.get("modelName", ""),
            presentation_url=_page(children(device).get("presentationURL", ""), base),
        ),
        services,
    )


def _service(said: dict[str, str], base: URL) -> WanService | None:
    """Return a service, if all that belongs to it is on the gateway itself.

    One that has any part elsewhere is left out whole, also where that part is not used.
    """
    control, event = (_own(said.get(name, ""), base) for name in ("controlURL", "eventSubURL"))
    elsewhere = any(said.get(name) and not _own(said[name], base) for name in _URLS)
    if not control or elsewhere:
        return None
    return WanService(said["serviceType"], str(control), str(event) if event else None)


_URLS = ("controlURL", "eventSubURL", "SCPDURL")


def _base(said: str, location: URL) -> URL:
    """Return what relative URLs are relative to.

    URLBase where there is one (UPnP Device Architecture 1.0 section 2.1; 1.1 has it no more), if it
    is the gateway's own: some write there what it was called when it was made.
    """
    return _own(said, location) or location


def _own(said: str, base: URL) -> URL | None:
    """Return a URL that leads to the host of `base` over HTTP; None for any other, and for none."""
    with suppress(ValueError):
        url = base.join(read_url(said))
        if said and url.scheme == "http" and url.host == base.host:
            return url
    return None


def _page(said: str, base: URL) -> str | None:
    """Return the gateway's own web page, if it is the gateway's own."""
    with suppress(ValueError):
        page = base.join(read_url(said))
        if said and page.scheme in _WEB and page.host == base.host:
            return str(page)
    return None
