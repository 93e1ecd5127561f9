"""What has to survive a restart: what was opened, what is wanted, what was sent."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .gateway import (
    Hole,
    Memory,
    Opening,
    hole_from_dict,
    hole_to_dict,
    opening_from_dict,
    opening_to_dict,
)

_VERSION = 1
_END_OF_TIME = 253_402_300_800  # the year 10000


@dataclass(frozen=True, slots=True)
class SeenTarget:
    """The addresses under which a device was seen last, and how the user names it."""

    name: str
    ipv4: IPv4Address | None = None
    ipv6: IPv6Address | None = None

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read what was saved. Raises KeyError, TypeError, ValueError."""
        ipv4, ipv6 = stored["ipv4"], stored["ipv6"]
        return cls(
            str(stored["name"]),
            None if ipv4 is None else IPv4Address(str(ipv4)),
            None if ipv6 is None else IPv6Address(str(ipv6)),
        )

    def to_dict(self) -> dict[str, str | None]:
        """Return what is to be saved."""
        return {
            "name": self.name,
            "ipv4": str(self.ipv4) if self.ipv4 else None,
            "ipv6": str(self.ipv6) if self.ipv6 else None,
        }


class HomeportStore:
    """The memory of one config entry.

    - `wanted`: ids of the ports whose switch was turned on
    - `closes`: when a port that was opened for a time is to be closed, by port id
    - `openings`: what was asked of the gateway and not yet seen gone, by port id
    - `pinholes`: what was asked of the gateway's IPv6 firewall and may be open yet, by port id
    - `gateway`: what was learned of the gateway
    - `hostnames`: the updaters' states, by hostname id
    - `targets`: the addresses that the devices which ports lead to had last, by port id
    - `limits`: when outside services may be asked again, by service
    - `seen`: the addresses and the line mode that were seen last, by the kind of event about them
    """

    def __init__(self, store: Store[dict[str, Any]], data: Mapping[str, Any]) -> None:
        """Take the file and its content. A damaged part of it is as good as none."""
        self._store = store
        self._saved: dict[str, Any] = {}
        self.wanted: set[str] = {port for port in _list(data, "wanted") if isinstance(port, str)}
        self.closes: dict[str, datetime] = {}
        for port, stored in _mapping(data, "closes").items():
            with suppress(ValueError):
                self.closes[port] = _time(stored)
        self.openings: dict[str, Opening] = {}
        for port, stored in _mapping(data, "openings").items():
            with suppress(KeyError, TypeError, ValueError):
                self.openings[port] = opening_from_dict(stored)
        self.pinholes: dict[str, list[Hole]] = {}
        for port, holes in _mapping(data, "pinholes").items():
            for stored in holes if isinstance(holes, list) else ():
                with suppress(KeyError, TypeError, ValueError):
                    self.pinholes.setdefault(port, []).append(hole_from_dict(stored))
        self.gateway = Memory.from_dict(_mapping(data, "gateway"))
        self.hostnames: dict[str, Mapping[str, Any]] = {
            hostname: state
            for hostname, state in _mapping(data, "hostnames").items()
            if isinstance(state, Mapping)
        }
        self.targets: dict[str, SeenTarget] = {}
        for port, stored in _mapping(data, "targets").items():
            with suppress(KeyError, TypeError, ValueError):
                self.targets[port] = SeenTarget.from_dict(stored)
        self.limits: dict[str, dict[str, Any]] = {
            service: limit
            for service, limit in _mapping(data, "limits").items()
            if isinstance(limit, dict)
        }
        self.seen: dict[str, str] = {
            kind: value for kind, value in _mapping(data, "seen").items() if isinstance(value, str)
        }

    @classmethod
    async def load(cls, hass: HomeAssistant, entry_id: str) -> Self:
        """Read the memory of a config entry."""
        store = Store[dict[str, Any]](
            hass, _VERSION, f"{DOMAIN}.{entry_id}", private=True, atomic_writes=True
        )
        data = await store.async_load()
        return cls(store, data if isinstance(data, Mapping) else {})

    async def save(self) -> None:
        """Write everything, at once, if anything changed: what comes next may not be undone."""
        data = {
            "wanted": sorted(self.wanted),
            "closes": {port: int(time.timestamp()) for port, time in self.closes.items()},
            "openings": {port: opening_to_dict(each) for port, each in self.openings.items()},
            "pinholes": {
                port: [hole_to_dict(hole) for hole in holes]
                for port, holes in self.pinholes.items()
            },
            "gateway": self.gateway.to_dict(),
            "hostnames": dict(self.hostnames),
            "targets": {port: each.to_dict() for port, each in self.targets.items()},
            "limits": {service: dict(limit) for service, limit in self.limits.items()},
            "seen": dict(self.seen),
        }
        if data != self._saved:
            await self._store.async_save(data)
            self._saved = data

    async def remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    return value if isinstance(value, list) else []


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _time(stored: object) -> datetime:
    """Return the time for seconds since 1970; whole ones, within the years that there are."""
    if type(stored) is int and 0 <= stored < _END_OF_TIME:
        return datetime.fromtimestamp(stored, UTC)
    raise ValueError
