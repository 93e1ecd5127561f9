"""Where a gateway can be asked for IPv6 pinholes."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from ipaddress import IPv6Address
from typing import Final

from async_upnp_client.const import HttpRequest, HttpResponse
from yarl import URL

from .bound import request_from
from .errors import ForeignUrl, GatewayError, GatewayNotFound, HttpRefused, InvalidAnswer
from .markup import children, local_name, parse
from .url import read_url

SERVICE: Final = "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1"


def at_hosts(location: str, hosts: Iterable[str]) -> tuple[str, ...]:
    """Return the URLs at which a description that is at `location` over IPv4 may be over IPv6.

    A gateway serves it at the same port and path. `hosts` are the IPv6 addresses that it may have,
    the link-local ones with their zone ("fe80::1%eth0"); what is no address is left out.
    """
    found: list[str] = []
    for host in hosts:
        with suppress(ValueError):
            found.append(str(URL(location).with_host(str(IPv6Address(host)))))
    return tuple(dict.fromkeys(found))


async def find_control(source: IPv6Address, locations: Iterable[str]) -> str | None:
    """Read the descriptions at these URLs, all at once, and return where pinholes are asked for.

    The first answer that tells of it counts. Returns None where there are descriptions, but no such
    service in them; raises GatewayError where there are none.
    """
    asked = [asyncio.create_task(_ask(source, location)) for location in locations]
    errors: list[GatewayError] = []
    try:
        for answer in asyncio.as_completed(asked):
            try:
                if url := await answer:
                    return url
            except GatewayError as err:
                errors.append(err)
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    if len(errors) < len(asked):
        return None
    raise errors[0] if errors else GatewayNotFound


async def _ask(source: IPv6Address, location: str) -> str | None:
    answer = await request_from(source, HttpRequest("GET", location, {}, None))
    return control_url(answer, location)


def control_url(answer: HttpResponse, location: str) -> str | None:
    """Return the control URL of the IPv6 firewall in a description; None where it has none.

    The host is always the one that was asked: gateways whose URLs are absolute write their IPv4
    address. Raises HttpRefused for a status that is no answer, ForeignUrl for a URL that leads out
    of HTTP, InvalidAnswer for what is no description.
    """
    if answer.status_code != HTTPStatus.OK:
        raise HttpRefused(answer.status_code)
    root = parse(answer.body or "")
    if not any(local_name(each) == "device" for each in root.iter()):
        raise InvalidAnswer
    services = (children(each) for each in root.iter() if local_name(each) == "service")
    written = next(
        (each.get("controlURL", "") for each in services if each.get("serviceType") == SERVICE),
        None,
    )
    if written is None:
        return None
    here = URL(location)
    try:
        url = here.join(read_url(written))
        if url.scheme != "http":
            raise ForeignUrl
        return str(url.with_user(None).with_host(here.host or ""))
    except ValueError as err:
        raise InvalidAnswer(type(err).__name__) from err
