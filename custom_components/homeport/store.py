"""What has to survive a restart: what was opened, what is wanted, what was sent."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any, Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .gateway import Opening, Transport

_VERSION = 1
_END_OF_TIME = 253_402_300_800  # the year 10000


class HomeportStore:
    """The memory of one config entry.

    - `wanted`: ids of the ports whose switch was turned on
    - `closes`: when a port that was opened for a time is to be closed, by port id
    - `openings`: what was asked of the gateway and not yet seen gone, by port id
    - `hostnames`: the updaters' states, by hostname id
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
                self.openings[port] = _opening(stored)
        self.hostnames: dict[str, Mapping[str, Any]] = {
            hostname: state
            for hostname, state in _mapping(data, "hostnames").items()
            if isinstance(state, Mapping)
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
            "openings": {
                port: {
                    "protocol": opening.protocol.value,
                    "external_port": opening.external_port,
                    "internal_client": str(opening.internal_client),
                    "internal_port": opening.internal_port,
                    "description": opening.description,
                }
                for port, opening in self.openings.items()
            },
            "hostnames": dict(self.hostnames),
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


def _opening(stored: Mapping[str, Any]) -> Opening:
    return Opening(
        protocol=Transport(stored["protocol"]),
        external_port=_port(stored["external_port"]),
        internal_client=IPv4Address(str(stored["internal_client"])),
        internal_port=_port(stored["internal_port"]),
        description=str(stored["description"]),
    )


def _time(stored: object) -> datetime:
    """Return the time for seconds since 1970; whole ones, within the years that there are."""
    if type(stored) is int and 0 <= stored < _END_OF_TIME:
        return datetime.fromtimestamp(stored, UTC)
    raise ValueError


def _port(stored: object) -> int:
    if type(stored) is int and 0 < stored < 65_536:
        return stored
    raise ValueError
