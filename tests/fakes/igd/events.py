"""Event subscriptions of the simulated gateway (GENA)."""

from typing import override
from urllib.parse import urlsplit

from aiohttp import web
from async_upnp_client.aiohttp import AiohttpRequester
from async_upnp_client.const import HttpRequest, HttpResponse
from async_upnp_client.exceptions import UpnpError
from async_upnp_client.server import EventSubscriber

from tests.fakes.igd.services import GatewayService

_NOTIFY_SECONDS = 2


class Notifier(AiohttpRequester):
    """Sends NOTIFYs; a subscriber that is gone is no error for a gateway."""

    def __init__(self) -> None:
        """Let a silent subscriber hold up the others for two seconds at most."""
        super().__init__(timeout=_NOTIFY_SECONDS)

    @override
    async def async_http_request(self, http_request: HttpRequest) -> HttpResponse:
        try:
            return await super().async_http_request(http_request)
        except UpnpError:
            return HttpResponse(0, {}, None)


async def subscribe(service: GatewayService, request: web.Request) -> web.StreamResponse:
    """Subscribe or renew (UPnP Device Architecture 1.1 section 4.1.2).

    The library's own handler is not used: it answers TIMEOUT without "Second-", forgets a
    subscriber whose first NOTIFY fails, and lets anyone subscribe another host (CVE-2020-12695).
    """
    sid = request.headers.get("SID")
    timeout = request.headers.get("TIMEOUT", "").lower().removeprefix("second-")
    seconds = int(timeout) if timeout.isdecimal() else None
    if sid is not None:
        subscriber = service.get_subscriber(sid)
        if subscriber is None:
            return web.Response(status=412)
        subscriber.timeout = seconds
        return web.Response(headers=_headers(subscriber))
    callback = request.headers.get("CALLBACK", "").partition("<")[2].partition(">")[0]
    if not callback or urlsplit(callback).hostname != request.remote:
        return web.Response(status=412)
    subscriber = EventSubscriber(callback, seconds)
    response = web.Response(headers=_headers(subscriber))
    # The first event may only come when the subscriber knows its SID.
    await response.prepare(request)
    await response.write_eof()
    service.add_subscriber(subscriber)
    await service.async_send_events(subscriber)
    return response


def _headers(subscriber: EventSubscriber) -> dict[str, str]:
    return {"SID": subscriber.uuid, "TIMEOUT": f"Second-{subscriber.timeout}"}
