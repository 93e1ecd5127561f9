"""The IPv6 firewall of the simulated gateway (WANIPv6FirewallControl:1)."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
import time
from typing import Any, override
from xml.etree import ElementTree as ET

from async_upnp_client.const import ServiceInfo
from async_upnp_client.server import create_event_var, create_state_var

from tests.fakes.igd.events import Notifier
from tests.fakes.igd.fake import _CALLER, FakeIgd
from tests.fakes.igd.faults import SoapFault
from tests.fakes.igd.router import Arguments
from tests.fakes.igd.services import Action, GatewayService

FIREWALL_NAME = "firewall"
SERVICE_TYPE = "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1"
LONGEST_LEASE = 86400

_TARGET = {
    "RemoteHost": "A_ARG_TYPE_IPv6Address",
    "RemotePort": "A_ARG_TYPE_Port",
    "InternalClient": "A_ARG_TYPE_IPv6Address",
    "InternalPort": "A_ARG_TYPE_Port",
    "Protocol": "A_ARG_TYPE_Protocol",
    "LeaseTime": "A_ARG_TYPE_LeaseTime",
}
_ID = {"UniqueID": "A_ARG_TYPE_UniqueID"}

FIREWALL_ACTIONS = (
    Action(
        "GetFirewallStatus",
        outputs={
            "FirewallEnabled": "FirewallEnabled",
            "InboundPinholeAllowed": "InboundPinholeAllowed",
        },
    ),
    Action("AddPinhole", inputs=_TARGET, outputs=_ID),
    Action("UpdatePinhole", inputs=_ID | {"NewLeaseTime": "A_ARG_TYPE_LeaseTime"}),
    Action("DeletePinhole", inputs=_ID),
    Action("GetPinholePackets", inputs=_ID, outputs={"PinholePackets": "A_ARG_TYPE_Packets"}),
)
"""The part of the service that the fake answers."""

FIREWALL_VARIABLES = {
    "FirewallEnabled": create_event_var("boolean"),
    "InboundPinholeAllowed": create_event_var("boolean"),
    "A_ARG_TYPE_IPv6Address": create_state_var("string"),
    "A_ARG_TYPE_Port": create_state_var("ui2"),
    "A_ARG_TYPE_Protocol": create_state_var("ui2"),
    "A_ARG_TYPE_LeaseTime": create_state_var("ui4"),
    "A_ARG_TYPE_UniqueID": create_state_var("ui2"),
    "A_ARG_TYPE_Packets": create_state_var("ui4"),
}


@dataclass(slots=True)
class Hole:
    """An open pinhole; `expires` in the clock's seconds."""

    client: str
    port: int
    protocol: int
    expires: float


class FakeFirewall(FakeIgd):
    """A gateway that also opens pinholes, to its callers only, as miniupnpd 2.3.1 (measured).

    What differs is an id that is unknown: 704, as the standard has it; with `unknown_402` it is
    what miniupnpd says.
    """

    def __init__(
        self,
        *,
        host: str = "::1",
        unknown_402: bool = False,
        clock: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        """Take more `options` of FakeIgd."""
        super().__init__(host=host, clock=clock, **options)
        self.enabled = True
        self.allowed = True
        self._unknown = 402 if unknown_402 else 704
        self._clock = clock
        self._holes: dict[int, Hole] = {}
        self._last_id = 0
        self._firewall: dict[str, Callable[[Arguments], Arguments]] = {
            "GetFirewallStatus": self._status,
            "AddPinhole": self._add,
            "UpdatePinhole": self._update,
            "DeletePinhole": self._delete,
            "GetPinholePackets": self._packets,
        }

    @property
    def holes(self) -> dict[int, Hole]:
        """The pinholes that have not run out, by id."""
        now = self._clock()
        self._holes = {number: hole for number, hole in self._holes.items() if hole.expires > now}
        return self._holes

    @override
    async def started(self, stack: AsyncExitStack) -> None:
        await super().started(stack)
        tree = self._started_tree
        service = GatewayService(
            Notifier(),
            info=ServiceInfo(
                service_id="urn:upnp-org:serviceId:WANIPv6Firewall1",
                service_type=SERVICE_TYPE,
                control_url=f"/control/{FIREWALL_NAME}",
                event_sub_url=f"/event/{FIREWALL_NAME}",
                scpd_url=f"/scpd/{FIREWALL_NAME}.xml",
                xml=ET.Element("service"),
            ),
            variables=FIREWALL_VARIABLES,
            actions=FIREWALL_ACTIONS,
            handler=self._answer_firewall,
            evented=lambda: {
                "FirewallEnabled": str(int(self.enabled)),
                "InboundPinholeAllowed": str(int(self.allowed)),
            },
        )
        tree.services[FIREWALL_NAME] = service
        connection = tree.root.all_devices[-1]
        connection.services[SERVICE_TYPE] = service
        service.device = connection

    async def _answer_firewall(self, action: str, arguments: Arguments) -> Arguments:
        self.requests.append((action, arguments))
        fault = self.faults.get(action)
        if isinstance(fault, list):
            fault = fault.pop(0) if fault else None
        if fault is not None:
            raise SoapFault(fault)
        if action != "GetFirewallStatus":
            if not self.enabled:
                raise SoapFault(702)
            if not self.allowed:
                raise SoapFault(703)
        return self._firewall[action](arguments)

    def _status(self, _: Arguments) -> Arguments:
        return {"FirewallEnabled": self.enabled, "InboundPinholeAllowed": self.allowed}

    def _add(self, arguments: Arguments) -> Arguments:
        client, port = arguments["InternalClient"], arguments["InternalPort"]
        protocol = arguments["Protocol"]
        if port == 0:
            raise SoapFault(706)
        if client in {"", "*"}:
            raise SoapFault(708)
        if protocol not in {6, 17}:
            raise SoapFault(707 if protocol == 65535 else 705)
        expires = self._expires(arguments["LeaseTime"])
        self._check_caller(client, port)
        number = next(
            (
                number
                for number, hole in self.holes.items()
                if (hole.client, hole.port, hole.protocol) == (client, port, protocol)
            ),
            None,
        )
        if number is None:
            number = self._last_id = self._last_id + 1
        self._holes[number] = Hole(client, port, protocol, expires)
        return {"UniqueID": number}

    def _update(self, arguments: Arguments) -> Arguments:
        expires = self._expires(arguments["NewLeaseTime"])
        self._hole(arguments).expires = expires
        return {}

    def _delete(self, arguments: Arguments) -> Arguments:
        self._hole(arguments)
        del self._holes[arguments["UniqueID"]]
        return {}

    def _packets(self, arguments: Arguments) -> Arguments:
        self._hole(arguments)
        return {"PinholePackets": 0}

    def _hole(self, arguments: Arguments) -> Hole:
        try:
            hole = self.holes[arguments["UniqueID"]]
        except KeyError:
            raise SoapFault(self._unknown) from None
        self._check_caller(hole.client, hole.port)
        return hole

    def _expires(self, lease: int) -> float:
        if not 0 < lease <= LONGEST_LEASE:
            raise SoapFault(402)
        return self._clock() + lease

    def _check_caller(self, client: str, port: int) -> None:
        try:
            own = IPv6Address(client) == IPv6Address(_CALLER.get() or "::")
        except AddressValueError:
            raise SoapFault(402) from None
        if not own or port < 1024:
            raise SoapFault(606)
