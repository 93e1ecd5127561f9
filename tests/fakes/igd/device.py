"""The device tree of the gateway, as async-upnp-client serves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from async_upnp_client.client import UpnpDevice, UpnpRequester
from async_upnp_client.const import DeviceInfo, ServiceInfo
from async_upnp_client.server import UpnpServerDevice

from tests.fakes.igd.services import (
    COMMON_ACTIONS,
    COMMON_VARIABLES,
    CONNECTION2_ACTIONS,
    CONNECTION_ACTIONS,
    CONNECTION_VARIABLES,
    Evented,
    GatewayService,
    Handler,
)

DESCRIPTION_PATH = "/desc.xml"
CONNECTION_NAME = "connection"
COMMON_NAME = "common"
SCHEMAS = "schemas-upnp-org"


class Connection(StrEnum):
    """Which connection service the gateway offers; the last one makes it an IGD:2."""

    WANIP1 = "WANIPConnection:1"
    WANPPP1 = "WANPPPConnection:1"
    WANIP2 = "WANIPConnection:2"

    @property
    def version(self) -> int:
        """Version of the whole gateway."""
        return 2 if self is Connection.WANIP2 else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wan:
    """One more connection of a gateway, with a state of its own and no port mappings."""

    connection: Connection = Connection.WANIP1
    wan_address: str = ""
    connection_status: str = "Disconnected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the gateway says it is."""

    udn: str = "uuid:5ca1ab1e-0000-4000-8000-000000000001"
    friendly_name: str = "Simulated router"
    manufacturer: str = "Homeport"
    model: str = "Simulated gateway"
    model_number: str = "1"
    serial_number: str = "00000001"


class GatewayDevice(UpnpServerDevice):
    """A device made of ready services; the library itself wants a class per device."""

    def __init__(
        self,
        requester: UpnpRequester,
        base_uri: str,
        info: DeviceInfo,
        services: Sequence[GatewayService],
        embedded: Sequence[UpnpDevice],
    ) -> None:
        """`base_uri`: scheme, host and port under which LOCATION is announced."""
        UpnpDevice.__init__(self, requester, info, services, embedded)
        self.base_uri = base_uri
        self.host = urlsplit(base_uri).hostname
        self.boot_id = 1
        self.config_id = 1


@dataclass(frozen=True, slots=True)
class Tree:
    """The root device and its services by the name that stands in their URLs."""

    root: GatewayDevice
    services: dict[str, GatewayService]


def build(
    *,
    requester: UpnpRequester,
    base_uri: str,
    identity: Identity,
    connection: Connection,
    common_interface: bool,
    handler: Handler,
    evented: Evented,
    others: Sequence[tuple[Wan, Handler]] = (),
    namespace: str = SCHEMAS,
) -> Tree:
    """Return InternetGatewayDevice, WANDevice and WANConnectionDevices with their services.

    `others` come before the connection that the gateway is about, each in a device of its own;
    `namespace` is that of all connection services.
    """

    def connection_service(
        name: str, kind: Connection, handler: Handler, evented: Evented
    ) -> GatewayService:
        service_id = kind.partition("Connection")[0] + "Conn1"
        return GatewayService(
            requester,
            info=_service(name, kind, service_id, namespace),
            variables=CONNECTION_VARIABLES,
            actions=CONNECTION2_ACTIONS if kind.version == 2 else CONNECTION_ACTIONS,
            handler=handler,
            evented=evented,
        )

    services = {CONNECTION_NAME: connection_service(CONNECTION_NAME, connection, handler, evented)}
    for number, (wan, answer) in enumerate(others):
        name = f"other{number}"
        services[name] = connection_service(name, wan.connection, answer, dict)
    if common_interface:
        services[COMMON_NAME] = GatewayService(
            requester,
            info=_service(COMMON_NAME, "WANCommonInterfaceConfig:1", "WANCommonIFC1"),
            variables=COMMON_VARIABLES,
            actions=COMMON_ACTIONS,
            handler=handler,
            evented=lambda: {"PhysicalLinkStatus": "Up"},
        )

    def device(
        name: str, udn_suffix: str, held: list[GatewayService], embedded: list[GatewayDevice]
    ) -> GatewayDevice:
        info = _info(identity, f"{name}:{connection.version}", udn_suffix, f"{base_uri}/")
        return GatewayDevice(requester, base_uri, info, held, embedded)

    inner = [
        *(
            device("WANConnectionDevice", f"-3-{number}", [services[f"other{number}"]], [])
            for number in range(len(others))
        ),
        device("WANConnectionDevice", "-2", [services[CONNECTION_NAME]], []),
    ]
    common = [services[COMMON_NAME]] if common_interface else []
    root = device("InternetGatewayDevice", "", [], [device("WANDevice", "-1", common, inner)])
    return Tree(root, services)


def _info(
    identity: Identity, device_type: str, udn_suffix: str, presentation_url: str
) -> DeviceInfo:
    return DeviceInfo(
        device_type=f"urn:schemas-upnp-org:device:{device_type}",
        friendly_name=identity.friendly_name,
        manufacturer=identity.manufacturer,
        manufacturer_url=None,
        model_description=None,
        model_name=identity.model,
        model_number=identity.model_number,
        model_url=None,
        serial_number=identity.serial_number,
        udn=f"{identity.udn}{udn_suffix}",
        upc=None,
        presentation_url=presentation_url,
        url=DESCRIPTION_PATH,
        icons=[],
        xml=ET.Element("device"),
    )


def _service(
    name: str, service_type: str, service_id: str, namespace: str = SCHEMAS
) -> ServiceInfo:
    return ServiceInfo(
        service_id=f"urn:upnp-org:serviceId:{service_id}",
        service_type=f"urn:{namespace}:service:{service_type}",
        control_url=f"/control/{name}",
        event_sub_url=f"/event/{name}",
        scpd_url=f"/scpd/{name}.xml",
        xml=ET.Element("service"),
    )
