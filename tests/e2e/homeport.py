"""Homeport in a real Home Assistant: what a user does with it, in a call each."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.peers import OUTSIDE_URL, STUN_SERVER

from .api import FlowKind, HomeAssistantApi, Json, State
from .server import HomeAssistantServer

DOMAIN = "homeport"
OUTSIDE = {
    "echo_urls": [f"{OUTSIDE_URL}/ip"],
    "stun_servers": [STUN_SERVER],
    "prober_url": OUTSIDE_URL,
    "look_up_names": False,
    "look_behind": False,
}


@dataclass(frozen=True, slots=True)
class Homeport[ServerT: HomeAssistantApi = HomeAssistantServer]:
    """A config entry, driven through the server's API."""

    server: ServerT
    entry_id: str

    @classmethod
    async def set_up(
        cls, server: ServerT, host: str | None, outside: Mapping[str, Any] = OUTSIDE
    ) -> Homeport[ServerT]:
        """Go through the forms, with a router or without one (None)."""
        answers: list[Mapping[str, Any]] = [{"next_step_id": "no_gateway"}]
        if host is not None:
            answers = [{"next_step_id": "gateway"}, {"host": host}]
        step = await server.run_flow(FlowKind.CONFIG, DOMAIN, *answers, outside)
        assert step["type"] == "create_entry", step
        entry_id = step["result"]["entry_id"]
        await server.wait_entry(entry_id)
        return cls(server, entry_id)

    async def add_port(self, name: str = "Game", **fields: str | bool | list[str]) -> str:
        """Add a port and return the id of its subentry."""
        form = {"name": name, "protocol": "TCP", **fields}
        step = await self.server.run_flow(FlowKind.SUBENTRY, (self.entry_id, "port"), form, {})
        return await self._added(step, name)

    async def add_hostname(self, provider: str, **fields: str) -> str:
        """Add a hostname and return the id of its subentry."""
        step = await self.server.run_flow(
            FlowKind.SUBENTRY, (self.entry_id, "hostname"), {"next_step_id": provider}, fields
        )
        return await self._added(step, fields["hostname"])

    async def _added(self, step: Json, title: str) -> str:
        assert step["type"] == "create_entry", step
        [subentry_id] = [
            subentry["subentry_id"]
            for subentry in await self.server.subentries(self.entry_id)
            if subentry["title"] == title
        ]
        return str(subentry_id)

    async def remove(self, subentry_id: str) -> None:
        """Remove a port or a hostname."""
        await self.server.remove_subentry(self.entry_id, subentry_id)

    async def entity(self, key: str, subentry_id: str = "", within: float = 5) -> str:
        """Return the entity id for a key of the line, or of a subentry, once it is registered."""
        owner = f"{self.entry_id}_{subentry_id}" if subentry_id else self.entry_id
        async with asyncio.timeout(within):
            while True:
                for entity in await self.server.entities(self.entry_id):
                    if entity["unique_id"] == f"{owner}_{key}":
                        return str(entity["entity_id"])
                await asyncio.sleep(0.01)

    async def state(
        self, key: str, wanted: str, subentry_id: str = "", within: float = 10
    ) -> State:
        """Wait for a state and return it."""
        return await self.server.wait_state(await self.entity(key, subentry_id), wanted, within)

    async def switch(self, subentry_id: str, *, on: bool) -> None:
        """Turn a port's switch."""
        action = f"switch.turn_{'on' if on else 'off'}"
        target = {"entity_id": await self.entity("open", subentry_id)}
        await self.server.call_service(action, target=target)

    async def press(self, key: str, subentry_id: str) -> None:
        """Press a button."""
        target = {"entity_id": await self.entity(key, subentry_id)}
        await self.server.call_service("button.press", target=target)

    async def detect_line(self) -> Json:
        """Have the line looked at from all sides, and return what it is."""
        said: Json = await self.server.call_service(
            "homeport.detect_line", config_entry_id=self.entry_id, response=True
        )
        return said
