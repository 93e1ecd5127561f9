"""The simulated gateway as a server: HTTP, SOAP, GENA, SSDP and its scripting."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from contextvars import ContextVar
from ipaddress import ip_address
import time
from typing import Any, override
from xml.etree import ElementTree as ET

from aiohttp import web
from async_upnp_client.exceptions import UpnpError
from async_upnp_client.server import (
    UpnpXmlSerializer,
    action_handler,
    to_xml,
    unsubscribe_handler,
)

from tests.fakes.igd.device import (
    CONNECTION_NAME,
    DESCRIPTION_PATH,
    SCHEMAS,
    Connection,
    Identity,
    Tree,
    Wan,
    build,
)
from tests.fakes.igd.events import Notifier, subscribe
from tests.fakes.igd.faults import SoapFault, fault_response
from tests.fakes.igd.forward import Forwarder
from tests.fakes.igd.router import Arguments, Router
from tests.fakes.igd.services import GatewayService, Handler
from tests.fakes.igd.ssdp import Ssdp
from tests.fakes.igd.table import ONE_WEEK, Entry, Key, Quirk
from tests.fakes.reply import Reply
from tests.fakes.server import HttpFake

_SWEEP_SECONDS = 1.0
_CALLER: ContextVar[str | None] = ContextVar("caller", default=None)


class FakeIgd(HttpFake):
    """A router that says and does what the script wants.

    Left alone it follows miniupnpd 2.3.1 as measured, with two exceptions: it takes mappings on a
    private WAN address, as most routers do (`Quirk.REFUSE_PRIVATE_WAN`), and answers 714 to the
    deletion of a missing entry, as WANIPConnection:1 wants (`Quirk.DELETE_MISSING_OK`).

    - `faults`: action name to error code; a list of codes is used up one call at a time.
    - `description`, `scpd`, `control`, `events`: a Reply that replaces every answer of that kind.
    - `answers`: action name to a Reply that replaces each answer to it, before anything is done.
    - `rewrite`: takes action name and body of each answer, also of a fault; returns another body.
    - `requests`: every action that reached the router with good arguments, also refused ones.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        wan_address: str = "11.22.33.44",
        connection_status: str = "Connected",
        identity: Identity | None = None,
        connection: Connection = Connection.WANIP1,
        common_interface: bool = True,
        quirks: Iterable[Quirk] = (),
        clock: Callable[[], float] = time.monotonic,
        forward: bool = False,
        ssdp_port: int | None = None,
        others: Sequence[Wan] = (),
        namespace: str = SCHEMAS,
    ) -> None:
        """`wan_address` "": none. `ssdp_port`: None is no SSDP, else 1900; 0 only on loopback."""
        super().__init__(host=host, port=port)
        self.identity = identity or Identity()
        self.description: Reply | None = None
        self.scpd: Reply | None = None
        self.control: Reply | None = None
        self.events: Reply | None = None
        self.answers: dict[str, Reply] = {}
        self.rewrite: Callable[[str, str], str] | None = None
        self.ssdp_port = ssdp_port
        self._namespace = namespace
        self._others = [
            (
                wan,
                Router(
                    wan_address=wan.wan_address,
                    connection_status=wan.connection_status,
                    quirks=frozenset({Quirk.REFUSE_PRIVATE_WAN}),
                    clock=clock,
                    longest_lease=None,
                ),
            )
            for wan in others
        ]
        self._connection = connection
        self._common_interface = common_interface
        self._router = Router(
            wan_address=wan_address,
            connection_status=connection_status,
            quirks=frozenset(quirks),
            clock=clock,
            longest_lease=ONE_WEEK if connection.version == 2 else None,
        )
        self.faults = self._router.faults
        self.requests = self._router.requests
        self._forwarder = Forwarder(host, self._may_forward) if forward else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._tree: Tree | None = None

    @property
    def location(self) -> str:
        """URL of the description."""
        return f"{self.url}{DESCRIPTION_PATH}"

    @property
    def wan_address(self) -> str:
        """The WAN address, also while the connection is down."""
        return self._router.wan_address

    @property
    def connection_status(self) -> str:
        """What GetStatusInfo says."""
        return self._router.connection_status

    @property
    def table(self) -> dict[Key, Entry]:
        """The mappings that have not run out; whoever changes it calls `changed()` after."""
        self._router.table.expire()
        return self._router.table.entries

    @property
    def subscriptions(self) -> int:
        """How many event subscriptions the connection service holds."""
        return self._service(CONNECTION_NAME).subscriber_count

    def description_xml(self) -> str:
        """Return the good description, as raw material for a bad one."""
        root = UpnpXmlSerializer.to_xml(self._started_tree.root)
        return ET.tostring(root, encoding="unicode", xml_declaration=True)

    async def set_wan_address(self, address: str) -> None:
        """Change the WAN address; returns when every subscriber has been told."""
        self._router.wan_address = address
        await self.changed()

    async def set_connection_status(self, status: str) -> None:
        """Change the connection status; returns when every subscriber has been told."""
        self._router.connection_status = status
        await self.changed()

    async def changed(self) -> None:
        """Bring forwarding and subscribers up to date."""
        await self._forward()
        await self._service(CONNECTION_NAME).async_send_events()

    @override
    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(DESCRIPTION_PATH, self._get_description),
            web.get("/scpd/{service}.xml", self._get_scpd),
            web.post("/control/{service}", self._post_control),
            web.route("SUBSCRIBE", "/event/{service}", self._subscribe),
            web.route("UNSUBSCRIBE", "/event/{service}", self._unsubscribe),
        ]

    @override
    async def started(self, stack: AsyncExitStack) -> None:
        await super().started(stack)
        tree = build(
            requester=Notifier(),
            base_uri=self.url,
            identity=self.identity,
            connection=self._connection,
            common_interface=self._common_interface,
            handler=self._answer,
            evented=self._evented,
            others=[(wan, _alone(router)) for wan, router in self._others],
            namespace=self._namespace,
        )
        self._tree = tree
        stack.push_async_callback(self._end_tasks)
        if self._forwarder is not None:
            stack.push_async_callback(self._forwarder.close)
            self._start(self._sweep())
        if self.ssdp_port is not None:
            ssdp = Ssdp(tree.root, self.host, self.ssdp_port)
            await ssdp.async_start()
            stack.push_async_callback(ssdp.async_stop)
            self.ssdp_port = ssdp.port

    @property
    def _started_tree(self) -> Tree:
        if self._tree is None:
            message = "The gateway has not been started"
            raise RuntimeError(message)
        return self._tree

    def _service(self, name: str) -> GatewayService:
        try:
            return self._started_tree.services[name]
        except KeyError:
            raise web.HTTPNotFound from None

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _sweep(self) -> None:
        """Close the listeners of mappings that ran out while nobody asked."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            if self._router.table.expire():
                await self.changed()

    async def _forward(self) -> None:
        if self._forwarder is not None:
            await self._forwarder.sync(self.table.values())

    def _may_forward(self, entry: Entry) -> bool:
        """Keep a gateway on loopback there, and never let it forward to itself."""
        if (entry.internal_client, entry.internal_port) == (self.host, entry.external_port):
            return False
        on_loopback = ip_address(self.host).is_loopback
        return not on_loopback or ip_address(entry.internal_client).is_loopback

    def _evented(self) -> dict[str, str]:
        """Return what events carry; no address is 0.0.0.0 there (miniupnpd 2.3.1, measured)."""
        return {
            "ExternalIPAddress": self._router.shown_address or "0.0.0.0",
            "ConnectionStatus": self.connection_status,
            "PortMappingNumberOfEntries": str(len(self.table)),
        }

    async def _answer(self, action: str, arguments: Arguments) -> Arguments:
        result = self._router.answer(action, arguments, _CALLER.get())
        if action in {"AddPortMapping", "AddAnyPortMapping", "DeletePortMapping"}:
            await self._forward()
            self._start(self._service(CONNECTION_NAME).async_send_events())
        return result

    async def _get_description(self, request: web.Request) -> web.Response:
        if self.description is not None:
            return await self.description.send(request, self.closing)
        return await to_xml(self._started_tree.root, request)

    async def _get_scpd(self, request: web.Request) -> web.Response:
        if self.scpd is not None:
            return await self.scpd.send(request, self.closing)
        return await to_xml(self._service(request.match_info["service"]), request)

    async def _post_control(self, request: web.Request) -> web.StreamResponse:
        name = request.headers.get("SOAPAction", "").strip('"').rpartition("#")[2]
        if reply := self.answers.get(name, self.control):
            return await reply.send(request, self.closing)
        response = await self._act(name, request)
        if self._router.table.dead:
            return await Reply(drop=True).send(request, self.closing)
        if self.rewrite is not None and isinstance(response.body, bytes):
            response.body = self.rewrite(name, response.body.decode()).encode()
        return response

    async def _act(self, name: str, request: web.Request) -> web.Response:
        service = self._service(request.match_info["service"])
        if name not in service.actions:
            return fault_response(401)
        _CALLER.set(request.remote)
        try:
            return await action_handler(service, request)
        except SoapFault as fault:
            return fault_response(fault.code)
        except web.HTTPBadRequest, UpnpError, ValueError:
            # The library answers malformed arguments with a bare HTTP error or a traceback.
            return fault_response(402)

    async def _subscribe(self, request: web.Request) -> web.StreamResponse:
        if self.events is not None:
            return await self.events.send(request, self.closing)
        return await subscribe(self._service(request.match_info["service"]), request)

    async def _unsubscribe(self, request: web.Request) -> web.Response:
        return await unsubscribe_handler(self._service(request.match_info["service"]), request)


def _alone(router: Router) -> Handler:
    """Return what answers for a connection that nothing else depends on."""

    async def answer(action: str, arguments: Arguments) -> Arguments:
        return router.answer(action, arguments, _CALLER.get())

    return answer
