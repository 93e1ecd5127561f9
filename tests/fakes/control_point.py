"""A control point for the tests: async-upnp-client's own client side."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from async_upnp_client.aiohttp import AiohttpNotifyServer, AiohttpRequester
from async_upnp_client.client import UpnpService, UpnpStateVariable
from async_upnp_client.client_factory import UpnpFactory

from tests.fakes.igd import FakeIgd

KEY = {"NewRemoteHost": "", "NewExternalPort": 18123, "NewProtocol": "TCP"}
MAPPING = KEY | {
    "NewInternalPort": 8123,
    "NewInternalClient": "127.0.0.1",
    "NewEnabled": True,
    "NewPortMappingDescription": "Homeport",
    "NewLeaseDuration": 3600,
}


async def connection_service(igd: FakeIgd) -> UpnpService:
    device = await UpnpFactory(AiohttpRequester()).async_create_device(igd.location)
    [service] = [s for s in device.all_services if "PPPConnection" in s.service_type] or [
        s for s in device.all_services if "WANIPConnection" in s.service_type
    ]
    return service


async def call(service: UpnpService, action: str, **arguments: Any) -> dict[str, Any]:
    return dict(await service.action(action).async_call(**arguments))


class Subscriber:
    """What a control point has been told, and the service it subscribed to."""

    def __init__(self, service: UpnpService) -> None:
        self.service = service
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        service.on_event = self._on_event

    def _on_event(self, _: UpnpService, variables: Sequence[UpnpStateVariable[Any]]) -> None:
        self._events.put_nowait({variable.name: variable.value for variable in variables})

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._events.get(), 5)


@asynccontextmanager
async def subscribed(igd: FakeIgd) -> AsyncIterator[Subscriber]:
    """Subscribe with a notify server of its own."""
    subscriber = Subscriber(await connection_service(igd))
    server = AiohttpNotifyServer(AiohttpRequester(), ("127.0.0.1", 0))
    await server.async_start_server()
    try:
        await server.event_handler.async_subscribe(subscriber.service)
        yield subscriber
    finally:
        await server.async_stop_server()
