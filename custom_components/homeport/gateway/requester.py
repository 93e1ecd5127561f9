"""HTTP towards the gateway, which is not to be trusted."""

from http import HTTPStatus
from typing import override

import aiohttp
from async_upnp_client.client import UpnpRequester
from async_upnp_client.const import HttpRequest, HttpResponse

from .errors import AnswerTooLarge, ForeignUrl, GatewayUnreachable, InvalidAnswer, Redirected
from .markup import decode
from .url import read_url

MAX_BODY = 512 * 1024
"""Bytes. The largest descriptions known are a tenth of this."""
TIMEOUT = 5.0
"""Seconds for one request, from connecting to the last byte."""


class GuardedRequester(UpnpRequester):
    """One connection a request, to one host: no redirects, no second try, a limit on the answer.

    A second try would be wrong for actions that do not bear repeating, such as AddAnyPortMapping.
    """

    def __init__(self, session: aiohttp.ClientSession, host: str) -> None:
        """Take the session to use and the only host that may be asked."""
        self._session = session
        self._host = host

    @override
    async def async_http_request(self, http_request: HttpRequest) -> HttpResponse:
        """Send one request. Raises GatewayError."""
        try:
            url = read_url(http_request.url)
        except ValueError as err:  # a port that is none, for one
            raise InvalidAnswer from err
        if url.scheme != "http" or url.host != self._host:
            raise ForeignUrl
        headers = {
            **(http_request.headers or {}),
            "Accept-Encoding": "identity",  # a few compressed bytes could become gigabytes
            "Connection": "close",  # some routers hang on a second request
        }
        try:
            async with self._session.request(
                http_request.method,
                url,
                headers=headers,
                data=http_request.body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            ) as response:
                # Whatever is left unread is dropped with the connection.
                try:
                    return await _read(response)
                finally:
                    response.close()
        except (aiohttp.ClientError, OSError, TimeoutError) as err:
            # The exception's text may hold the URL; its class says enough.
            raise GatewayUnreachable(type(err).__name__) from err


async def _read(response: aiohttp.ClientResponse) -> HttpResponse:
    """Return the answer, as long as it is one, and not too long."""
    if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
        raise Redirected
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            raise AnswerTooLarge
    text = decode(bytes(body), response.headers.get("Content-Type", ""))
    return HttpResponse(response.status, response.headers, text)
