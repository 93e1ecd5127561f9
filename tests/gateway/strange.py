"""A gateway whose every answer is scripted, for what no well-built server can be made to say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import override
from xml.sax.saxutils import escape

from aiohttp import web

from tests.fakes.igd.services import CONNECTION_ACTIONS, CONNECTION_VARIABLES
from tests.fakes.reply import Reply
from tests.fakes.server import HttpFake

WANIP1 = "WANIPConnection:1"
WANIP2 = "WANIPConnection:2"
WANPPP1 = "WANPPPConnection:1"
HEAD = '<?xml version="1.0"?>\n'
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
CONTROL = "urn:schemas-upnp-org:control-1-0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service as a description names it."""

    kind: str = WANIP1
    control: str = "/control"
    event: str = "/event"
    scpd: str = "/scpd"


def description(
    *services: Service, page: str = "", name: str = "Strange", udn: str = "uuid:1", head: str = HEAD
) -> str:
    """Return a description with the services, all in one WANConnectionDevice."""
    listed = "".join(
        f"<service><serviceType>urn:schemas-upnp-org:service:{service.kind}</serviceType>"
        f"<serviceId>urn:upnp-org:serviceId:{number}</serviceId>"
        f"<SCPDURL>{escape(service.scpd)}</SCPDURL>"
        f"<controlURL>{escape(service.control)}</controlURL>"
        f"<eventSubURL>{escape(service.event)}</eventSubURL></service>"
        for number, service in enumerate(services)
    )

    def device(kind: str, inside: str) -> str:
        return (
            f"<device><deviceType>urn:schemas-upnp-org:device:{kind}:1</deviceType>"
            f"<friendlyName>{name}</friendlyName><manufacturer>M</manufacturer>"
            f"<modelName>N</modelName><UDN>{udn}</UDN>"
            f"<presentationURL>{escape(page)}</presentationURL>{inside}</device>"
        )

    connection = device("WANConnectionDevice", f"<serviceList>{listed}</serviceList>")
    wan = device("WANDevice", f"<deviceList>{connection}</deviceList>")
    root = device("InternetGatewayDevice", f"<deviceList>{wan}</deviceList>")
    return f'{head}<root xmlns="urn:schemas-upnp-org:device-1-0">{root}</root>'


def scpd(*, without: Iterable[str] = ()) -> str:
    """Return what a connection service can do, but for some actions."""
    actions = "".join(
        f"<action><name>{action.name}</name><argumentList>"
        + "".join(
            f"<argument><name>{name}</name><direction>{direction}</direction>"
            f"<relatedStateVariable>{variable}</relatedStateVariable></argument>"
            for direction, named in (("in", action.inputs), ("out", action.outputs))
            for name, variable in named.items()
        )
        + "</argumentList></action>"
        for action in CONNECTION_ACTIONS
        if action.name not in without
    )
    variables = "".join(
        f'<stateVariable sendEvents="no"><name>{name}</name>'
        f"<dataType>{variable.data_type}</dataType></stateVariable>"
        for name, variable in CONNECTION_VARIABLES.items()
    )
    return (
        f'{HEAD}<scpd xmlns="urn:schemas-upnp-org:service-1-0"><actionList>{actions}</actionList>'
        f"<serviceStateTable>{variables}</serviceStateTable></scpd>"
    )


def xml(body: str, status: int = 200) -> Reply:
    """Return XML as an answer."""
    return Reply(status=status, body=body, content_type="text/xml")


def answer(action: str, *, kind: str = WANIP1, **arguments: str) -> Reply:
    """Return the good answer to an action."""
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in arguments.items())
    return xml(
        f'{HEAD}<s:Envelope xmlns:s="{SOAP}"><s:Body><u:{action}Response'
        f' xmlns:u="urn:schemas-upnp-org:service:{kind}">{inside}</u:{action}Response>'
        "</s:Body></s:Envelope>"
    )


def fault(code: str, *, status: int = 500, envelope: str = SOAP, namespace: str = CONTROL) -> Reply:
    """Return a UPnP error, also one that is not as the standard has it."""
    return xml(
        f'{HEAD}<s:Envelope xmlns:s="{envelope}"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
        f'<faultstring>UPnPError</faultstring><detail><UPnPError xmlns="{namespace}">'
        f"<errorCode>{code}</errorCode><errorDescription>?</errorDescription></UPnPError></detail>"
        "</s:Fault></s:Body></s:Envelope>",
        status,
    )


class Strange(HttpFake):
    """Answers by "PATH", or by "PATH#ACTION" for actions; anything else is a 404.

    - `answers`: may be changed at any time
    - `asked`: what arrived, as "METHOD PATH" or "METHOD PATH#ACTION", in order
    """

    def __init__(
        self, answers: Mapping[str, Reply] | None = None, *, host: str = "127.0.0.1"
    ) -> None:
        """Take what to answer; without it there is one good WANIPConnection:1 that says nothing."""
        super().__init__(host=host, port=0)
        self.answers: dict[str, Reply] = {
            "/desc.xml": xml(description(Service())),
            "/scpd": xml(scpd()),
            **(answers or {}),
        }
        self.asked: list[str] = []

    @property
    def location(self) -> str:
        """URL of the description."""
        return f"{self.url}/desc.xml"

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._answer)]

    async def _answer(self, request: web.Request) -> web.Response:
        action = request.headers.get("SOAPAction", "").strip('"').partition("#")[2]
        what = f"{request.path}#{action}" if action else request.path
        self.asked.append(f"{request.method} {what}")
        reply = self.answers.get(what) or self.answers.get(request.path) or Reply(status=404)
        return await reply.send(request, self.closing)
