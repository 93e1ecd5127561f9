"""The services of the gateway: actions and state variables as tables, and their events."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, override
from xml.etree import ElementTree as ET

from async_upnp_client.client import UpnpRequester
from async_upnp_client.const import HttpRequest, ServiceInfo, StateVariableTypeInfo
from async_upnp_client.server import (
    EventSubscriber,
    UpnpServerService,
    create_event_var,
    create_state_var,
)

type Handler = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Answers an action: (name, arguments in) to arguments out; refuses with SoapFault."""

type Evented = Callable[[], Mapping[str, str]]
"""The present values of the evented variables."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action: arguments by name, each with its related state variable."""

    name: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


_KEY = {
    "NewRemoteHost": "RemoteHost",
    "NewExternalPort": "ExternalPort",
    "NewProtocol": "PortMappingProtocol",
}
_TARGET = {
    "NewInternalPort": "InternalPort",
    "NewInternalClient": "InternalClient",
    "NewEnabled": "PortMappingEnabled",
    "NewPortMappingDescription": "PortMappingDescription",
    "NewLeaseDuration": "PortMappingLeaseDuration",
}

CONNECTION_ACTIONS = (
    Action(
        "GetConnectionTypeInfo",
        outputs={
            "NewConnectionType": "ConnectionType",
            "NewPossibleConnectionTypes": "PossibleConnectionTypes",
        },
    ),
    Action(
        "GetStatusInfo",
        outputs={
            "NewConnectionStatus": "ConnectionStatus",
            "NewLastConnectionError": "LastConnectionError",
            "NewUptime": "Uptime",
        },
    ),
    Action("GetExternalIPAddress", outputs={"NewExternalIPAddress": "ExternalIPAddress"}),
    Action("AddPortMapping", inputs=_KEY | _TARGET),
    Action("DeletePortMapping", inputs=_KEY),
    Action("GetSpecificPortMappingEntry", inputs=_KEY, outputs=_TARGET),
    Action(
        "GetGenericPortMappingEntry",
        inputs={"NewPortMappingIndex": "PortMappingNumberOfEntries"},
        outputs=_KEY | _TARGET,
    ),
)
"""The part of WANIPConnection:1 and :2 and WANPPPConnection:1 that the fake answers."""

CONNECTION2_ACTIONS = (
    *CONNECTION_ACTIONS,
    Action("AddAnyPortMapping", inputs=_KEY | _TARGET, outputs={"NewReservedPort": "ExternalPort"}),
    Action(
        "GetListOfPortMappings",
        inputs={
            "NewStartPort": "ExternalPort",
            "NewEndPort": "ExternalPort",
            "NewProtocol": "PortMappingProtocol",
            "NewManage": "PortMappingEnabled",
            "NewNumberOfPorts": "PortMappingNumberOfEntries",
        },
        outputs={"NewPortListing": "PortMappingDescription"},
    ),
)
"""What WANIPConnection:2 adds."""

CONNECTION_VARIABLES = {
    "ConnectionType": create_state_var("string"),
    "PossibleConnectionTypes": create_state_var("string"),
    "ConnectionStatus": create_event_var("string"),
    "LastConnectionError": create_state_var("string"),
    "Uptime": create_state_var("ui4"),
    "ExternalIPAddress": create_event_var("string"),
    "PortMappingNumberOfEntries": create_event_var("ui2"),
    "RemoteHost": create_state_var("string"),
    "ExternalPort": create_state_var("ui2"),
    "InternalPort": create_state_var("ui2"),
    "InternalClient": create_state_var("string"),
    "PortMappingProtocol": create_state_var("string", allowed=["TCP", "UDP"]),
    "PortMappingEnabled": create_state_var("boolean"),
    "PortMappingDescription": create_state_var("string"),
    "PortMappingLeaseDuration": create_state_var("ui4"),
}

COMMON_ACTIONS = (
    Action(
        "GetCommonLinkProperties",
        outputs={
            "NewWANAccessType": "WANAccessType",
            "NewLayer1UpstreamMaxBitRate": "Layer1UpstreamMaxBitRate",
            "NewLayer1DownstreamMaxBitRate": "Layer1DownstreamMaxBitRate",
            "NewPhysicalLinkStatus": "PhysicalLinkStatus",
        },
    ),
)
"""The part of WANCommonInterfaceConfig:1 without which some clients ignore a gateway."""

COMMON_VARIABLES = {
    "WANAccessType": create_state_var("string"),
    "Layer1UpstreamMaxBitRate": create_state_var("ui4"),
    "Layer1DownstreamMaxBitRate": create_state_var("ui4"),
    "PhysicalLinkStatus": create_event_var("string"),
}


class GatewayService(UpnpServerService):
    """A service whose actions all go to one handler and whose events carry present values."""

    def __init__(
        self,
        requester: UpnpRequester,
        *,
        info: ServiceInfo,
        variables: Mapping[str, StateVariableTypeInfo],
        actions: tuple[Action, ...],
        handler: Handler,
        evented: Evented,
    ) -> None:
        """Use `requester` for NOTIFYs; it must not raise when a subscriber is gone."""
        self.SERVICE_DEFINITION = info
        self.STATE_VARIABLE_DEFINITIONS = variables
        self._action_table = actions
        self._handler = handler
        self._evented = evented
        self._in_order = asyncio.Lock()
        super().__init__(requester)

    @override
    def _init_actions(self) -> None:
        # The library looks for decorated methods; their parameters would need UPnP's spelling.
        for action in self._action_table:
            self._init_action(self._bound(action))

    def _bound(self, action: Action) -> Callable[..., Awaitable[dict[str, Any]]]:
        async def handle(**arguments: Any) -> dict[str, Any]:
            return await self._handler(action.name, arguments)

        handle.__annotations__ = {
            name: self.state_variable(variable).data_type_mapping["type"]
            for name, variable in action.inputs.items()
        }
        vars(handle)["__upnp_action__"] = (action.name, action.inputs, action.outputs)
        return handle

    @override
    async def async_send_events(self, subscriber: EventSubscriber | None = None) -> None:
        """Send the present values to one subscriber or to all, one after the other.

        Returns when every subscriber has answered or failed. UPnP Device Architecture 1.1
        section 4.3.2.
        """
        async with self._in_order:
            properties = ET.Element("e:propertyset", {"xmlns:e": "urn:schemas-upnp-org:event-1-0"})
            for name, value in self._evented().items():
                ET.SubElement(ET.SubElement(properties, "e:property"), name).text = value
            body = ET.tostring(properties, encoding="utf-8", xml_declaration=True).decode()
            for target in [subscriber] if subscriber else list(self._subscribers):
                await self._notify(target, body)

    async def _notify(self, subscriber: EventSubscriber, body: str) -> None:
        headers = {
            "CONTENT-TYPE": 'text/xml; charset="utf-8"',
            "NT": "upnp:event",
            "NTS": "upnp:propchange",
            "SID": subscriber.uuid,
            "SEQ": str(subscriber.get_next_seq()),
        }
        request = HttpRequest("NOTIFY", subscriber.url, headers=headers, body=body)
        await self.requester.async_http_request(request)

    @property
    def subscriber_count(self) -> int:
        """How many subscriptions are held."""
        return len(self._subscribers)
