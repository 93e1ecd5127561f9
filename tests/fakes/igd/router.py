"""What the simulated gateway answers to actions: state and rules, no I/O."""

from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address
from typing import Any
from xml.etree import ElementTree as ET

from tests.fakes.igd.faults import SoapFault
from tests.fakes.igd.table import Entry, Key, PortTable, Quirk

type Arguments = dict[str, Any]

_CONNECTION_TYPE = {"NewConnectionType": "IP_Routed", "NewPossibleConnectionTypes": "IP_Routed"}
_LINK = {
    "NewWANAccessType": "Ethernet",
    "NewLayer1UpstreamMaxBitRate": 1_000_000_000,
    "NewLayer1DownstreamMaxBitRate": 1_000_000_000,
    "NewPhysicalLinkStatus": "Up",
}


class Router:
    """The state behind the SOAP actions."""

    def __init__(
        self,
        *,
        wan_address: str,
        connection_status: str,
        quirks: frozenset[Quirk],
        clock: Callable[[], float],
        longest_lease: int | None,
    ) -> None:
        """`wan_address` "": none. `longest_lease`: see PortTable."""
        self.wan_address = wan_address
        self.connection_status = connection_status
        self.faults: dict[str, int | list[int]] = {}
        self.requests: list[tuple[str, Arguments]] = []
        self.table = PortTable(clock=clock, quirks=quirks, longest_lease=longest_lease)
        self._quirks = quirks
        self._born = self.table.now
        self._others: dict[str, Callable[[Arguments], Arguments]] = {
            "GetConnectionTypeInfo": lambda _: dict(_CONNECTION_TYPE),
            "GetStatusInfo": self._status,
            "GetExternalIPAddress": self._external_address,
            "DeletePortMapping": self._delete,
            "GetSpecificPortMappingEntry": self._specific,
            "GetGenericPortMappingEntry": self._generic,
            "GetListOfPortMappings": self._listing,
            "GetCommonLinkProperties": lambda _: dict(_LINK),
        }

    @property
    def shown_address(self) -> str:
        """A gateway that is not connected shows no address (miniupnpd 2.3.1, measured)."""
        return "" if self.connection_status == "Disconnected" else self.wan_address

    def answer(self, action: str, arguments: Arguments, caller: str | None) -> Arguments:
        """Return the arguments out; raises SoapFault. `caller`: address that asks."""
        self.requests.append((action, arguments))
        fault = self.faults.get(action)
        if isinstance(fault, list):
            fault = fault.pop(0) if fault else None
        if fault is not None:
            raise SoapFault(fault)
        self.table.expire()
        if Quirk.STAR_HOST in self._quirks and arguments.get("NewRemoteHost", "*") != "*":
            raise SoapFault(726)
        if action == "AddPortMapping":
            self.table.add(self._wanted(arguments, caller))
            return {}
        if action == "AddAnyPortMapping":
            return {"NewReservedPort": self.table.add_any(self._wanted(arguments, caller))}
        return self._others[action](arguments)

    def _external_address(self, _: Arguments) -> Arguments:
        return {"NewExternalIPAddress": self.shown_address}

    def _status(self, _: Arguments) -> Arguments:
        return {
            "NewConnectionStatus": self.connection_status,
            "NewLastConnectionError": "ERROR_NONE",
            "NewUptime": int(self.table.now - self._born),
        }

    def _wanted(self, arguments: Arguments, caller: str | None) -> Entry:
        """Refuse as miniupnpd 2.3.1 does (measured), or return what the table is to take.

        NewEnabled is not looked at: a disabled mapping is active there, and so it is here.
        """
        if not self.wan_address or (
            Quirk.REFUSE_PRIVATE_WAN in self._quirks and not _is_global(self.wan_address)
        ):
            raise SoapFault(501)
        client = arguments["NewInternalClient"]
        if Quirk.SECURE_MODE in self._quirks and client != caller:
            raise SoapFault(718)
        protocol, external_port, remote_host = _key(arguments)
        return Entry(
            protocol=protocol,
            external_port=external_port,
            remote_host=remote_host,
            internal_client=client,
            internal_port=arguments["NewInternalPort"],
            description=arguments["NewPortMappingDescription"],
            lease=arguments["NewLeaseDuration"],
        )

    def _delete(self, arguments: Arguments) -> Arguments:
        self.table.delete(_key(arguments))
        return {}

    def _specific(self, arguments: Arguments) -> Arguments:
        return self._target(self.table.specific(_key(arguments)))

    def _generic(self, arguments: Arguments) -> Arguments:
        entry = self.table.generic(arguments["NewPortMappingIndex"])
        return {
            "NewRemoteHost": entry.remote_host,
            "NewExternalPort": entry.external_port,
            "NewProtocol": entry.protocol,
            **self._target(entry),
        }

    def _listing(self, arguments: Arguments) -> Arguments:
        entries = self.table.listing(
            arguments["NewProtocol"],
            arguments["NewStartPort"],
            arguments["NewEndPort"],
            arguments["NewNumberOfPorts"],
        )
        root = ET.Element(
            "p:PortMappingList", {"xmlns:p": "urn:schemas-upnp-org:gw:WANIPConnection"}
        )
        for entry in entries:
            listed = ET.SubElement(root, "p:PortMappingEntry")
            for name, value in {
                "NewRemoteHost": entry.remote_host,
                "NewExternalPort": entry.external_port,
                "NewProtocol": entry.protocol,
                "NewInternalPort": entry.internal_port,
                "NewInternalClient": entry.internal_client,
                "NewEnabled": 1,
                "NewDescription": entry.description,
                "NewLeaseTime": entry.remaining(self.table.now),
            }.items():
                ET.SubElement(listed, f"p:{name}").text = str(value)
        return {"NewPortListing": ET.tostring(root, encoding="unicode")}

    def _target(self, entry: Entry) -> Arguments:
        return {
            "NewInternalPort": entry.internal_port,
            "NewInternalClient": entry.internal_client,
            "NewEnabled": True,
            "NewPortMappingDescription": entry.description,
            "NewLeaseDuration": entry.remaining(self.table.now),
        }


def _key(arguments: Arguments) -> Key:
    return (arguments["NewProtocol"], arguments["NewExternalPort"], arguments["NewRemoteHost"])


def _is_global(address: str) -> bool:
    try:
        return IPv4Address(address).is_global
    except AddressValueError:
        return False
