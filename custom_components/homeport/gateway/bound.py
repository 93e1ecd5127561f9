"""HTTP towards the gateway from a certain one of this machine's IPv6 addresses."""

from dataclasses import replace
from ipaddress import IPv6Address

import aiohttp
from async_upnp_client.const import HttpRequest, HttpResponse

from .errors import InvalidAnswer
from .requester import GuardedRequester
from .url import read_url


async def request_from(source: IPv6Address, request: HttpRequest) -> HttpResponse:
    """Send one request as `source`, which is an address of this machine.

    The URL's host is an IPv6 address, a link-local one with its zone: "http://[fe80::1%eth0]:5000/".
    Nobody else is asked, and no name is looked up. Raises GatewayError.
    """
    try:
        url = read_url(request.url)
        host = IPv6Address(url.host or "")
    except ValueError as err:
        raise InvalidAnswer from err
    # The zone means something to this machine alone (RFC 6874 section 4).
    named = str(host).partition("%")[0]
    headers = {**request.headers, "Host": f"[{named}]:{url.port}"}
    connector = aiohttp.TCPConnector(
        local_addr=(str(source), 0), resolver=aiohttp.ThreadedResolver(), force_close=True
    )
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        requester = GuardedRequester(session, url.host or "")
        return await requester.async_http_request(replace(request, headers=headers))
