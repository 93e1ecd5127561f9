"""Other devices at home: who names them, and where the router's mappings lead."""

import asyncio
from dataclasses import replace
from ipaddress import ip_address
import socket
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant

from custom_components.homeport.host import Neighbour
from tests.fakes.demo import DemoHome

if TYPE_CHECKING:
    from tests.integration.conftest import Machine

MAC = "52:54:00:12:34:56"
NAS = "nas.home.arpa"


class Names:
    """Stands in for the system's resolver."""

    def __init__(self) -> None:
        self.known: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.silent = False

    async def getaddrinfo(self, name: str, *_: object, **__: object) -> list[Any]:
        self.asked.append(name)
        if self.silent:
            await asyncio.Event().wait()
        if name not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(0, 0, 0, "", (address, 0)) for address in self.known[name]]


def clients(home: DemoHome) -> list[str]:
    """Return where the router's mappings lead."""
    return [each.internal_client for each in home.igd.table.values()]


def neighbours(machine: Machine, *addresses: str, mac: str = MAC) -> None:
    """Let the kernel know a device under these addresses, and nobody else."""
    known = tuple(Neighbour(ip_address(each), mac, "eth0") for each in addresses)
    machine.state = replace(machine.state, neighbours=known)


def tracked(hass: HomeAssistant, ip: str | None, *, mac: str = MAC, state: str = "home") -> None:
    """Let a device tracker tell where the device is."""
    attributes = {"mac": mac.upper()} | ({"ip": ip} if ip else {})
    hass.states.async_set("device_tracker.nas", state, attributes)
