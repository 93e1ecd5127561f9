"""Home Assistant's HTTP and WebSocket API, as its frontend uses it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
import itertools
from typing import Any

import aiohttp

type Json = dict[str, Any]
type State = Json
"""A state as the API writes it: {"entity_id", "state", "attributes", "last_changed", …}."""


class ApiError(Exception):
    """Home Assistant refused a call."""

    def __init__(self, call: str, code: int | str, details: Any) -> None:
        """Take the HTTP status or the WebSocket error code, and what came with it."""
        super().__init__(f"{call}: {code}: {details}")
        self.code = code
        self.details = details
        """The WebSocket error with "message" and "translation_key", or an HTTP body."""


class FlowKind(StrEnum):
    """What a flow is about, as the path of its API."""

    CONFIG = "flow"
    OPTIONS = "options/flow"
    SUBENTRY = "subentries/flow"


class HomeAssistantApi:
    """A logged-in user. Waits for states without polling: every change is subscribed to."""

    def __init__(self) -> None:
        """Start without a connection; `open` makes it."""
        self.states: dict[str, State] = {}
        """The present states by entity id."""
        self.seen: list[State] = []
        """All changes since the connection was made, in the order in which they came."""
        self._session: aiohttp.ClientSession | None = None
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._changed = asyncio.Event()

    # Connection

    async def open(self, session: aiohttp.ClientSession, access_token: str) -> None:
        """Use a session with a base URL, and close it in the end."""
        session.headers["Authorization"] = f"Bearer {access_token}"
        self._session = session
        self._ws = await session.ws_connect("/api/websocket", max_msg_size=0)
        await self._ws.receive_json()  # auth_required
        await self._ws.send_json({"type": "auth", "access_token": access_token})
        answer = await self._ws.receive_json()
        if answer["type"] != "auth_ok":
            raise ApiError("auth", answer["type"], answer)
        self._reader = asyncio.create_task(self._read(self._ws))
        # In this order, so that no change falls between the two.
        await self.ws_call("subscribe_events", event_type="state_changed")
        known = {state["entity_id"]: state for state in await self.ws_call("get_states")}
        self.states = known | self.states

    async def close(self) -> None:
        """Close the connection. The states that were seen are forgotten."""
        if self._reader:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        for connection in self._ws, self._session:
            if connection:
                await connection.close()
        self._reader = self._ws = self._session = None
        self.states.clear()
        self.seen.clear()

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in ws:
                self._take(message.json())
        finally:
            for future in self._answers.values():
                if not future.done():
                    future.set_exception(ConnectionError("the WebSocket was closed"))

    def _take(self, message: Json) -> None:
        if message["type"] == "result":
            future = self._answers.get(message["id"])
            if future and not future.done():
                future.set_result(message)
        elif message["type"] == "event":
            data = message["event"]["data"]
            if data["new_state"]:
                self.states[data["entity_id"]] = data["new_state"]
                self.seen.append(data["new_state"])
            else:
                self.states.pop(data["entity_id"], None)
            # A new event for the next change: any number of tasks may wait for this one.
            self._changed.set()
            self._changed = asyncio.Event()

    # Calls

    async def rest(self, method: str, path: str, data: Any = None) -> Any:
        """Call the REST API and return the decoded answer. Raises ApiError."""
        if not self._session:
            raise ConnectionError("not connected")
        async with self._session.request(method, path, json=data) as response:
            is_json = response.content_type == "application/json"
            answer = await (response.json() if is_json else response.text())
            if not response.ok:
                raise ApiError(f"{method} {path}", response.status, answer)
            return answer

    async def ws_call(self, kind: str, **fields: Any) -> Any:
        """Send one WebSocket command and return its result. Raises ApiError."""
        if not self._ws:
            raise ConnectionError("not connected")
        number = next(self._ids)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await self._ws.send_json({"id": number, "type": kind, **fields})
            answer = await future
        finally:
            del self._answers[number]
        if not answer["success"]:
            raise ApiError(kind, answer["error"]["code"], answer["error"])
        return answer["result"]

    async def call_service(
        self, action: str, *, target: Json | None = None, response: bool = False, **data: Any
    ) -> Any:
        """Run an action, "domain.name", until it is done, and return its response if asked for."""
        domain, _, service = action.partition(".")
        result = await self.ws_call(
            "call_service",
            domain=domain,
            service=service,
            service_data=data,
            target=target or {},
            return_response=response,
        )
        return result.get("response")

    # States

    async def wait_state(
        self, entity_id: str, wanted: str | Callable[[State], bool], within: float = 10
    ) -> State:
        """Return the entity's state once it is `wanted`, which may be so already.

        `wanted` is a state or a test of the whole state. Raises TimeoutError that says the last.
        """
        fits = wanted if callable(wanted) else lambda state: state["state"] == wanted

        def found() -> bool:
            state = self.states.get(entity_id)
            return state is not None and fits(state)

        await self._wait(found, entity_id, within)
        return self.states[entity_id]

    async def wait_gone(self, entity_id: str, within: float = 10) -> None:
        """Return once the entity has no state any more. Raises TimeoutError that says the last."""
        await self._wait(lambda: entity_id not in self.states, entity_id, within)

    async def wait_seen(
        self, entity_id: str, fits: Callable[[State], bool], within: float = 10
    ) -> State:
        """Return the first change of the entity that fits, also one that another has followed.

        Raises TimeoutError that says the last state.
        """

        def found() -> Iterator[State]:
            return (each for each in self.seen if each["entity_id"] == entity_id and fits(each))

        await self._wait(lambda: any(found()), entity_id, within)
        return next(found())

    async def _wait(self, check: Callable[[], bool], entity_id: str, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                while not check():
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"{entity_id} is {self.states.get(entity_id)}") from None

    # Flows

    async def start_flow(self, kind: FlowKind, handler: str | Sequence[str], **fields: Any) -> Json:
        """Start a flow and return its first step.

        `handler` is a domain, an entry id for options, or (entry id, subentry type).
        To reconfigure, give `entry_id=` or, for a subentry, `subentry_id=`.
        """
        path = f"/api/config/config_entries/{kind}"
        step: Json = await self.rest("POST", path, {"handler": handler, **fields})
        return step

    async def answer_flow(self, kind: FlowKind, flow_id: str, answer: Mapping[str, Any]) -> Json:
        """Fill in the present step and return the next one. ApiError 400 is for bad data."""
        path = f"/api/config/config_entries/{kind}/{flow_id}"
        step: Json = await self.rest("POST", path, dict(answer))
        return step

    async def run_flow(
        self,
        kind: FlowKind,
        handler: str | Sequence[str],
        *answers: Mapping[str, Any],
        **fields: Any,
    ) -> Json:
        """Start a flow, answer its steps in turn, and return what the last answer led to."""
        step = await self.start_flow(kind, handler, **fields)
        for answer in answers:
            step = await self.answer_flow(kind, step["flow_id"], answer)
        return step

    async def abort_flow(self, kind: FlowKind, flow_id: str) -> None:
        """Close a flow's dialog."""
        await self.rest("DELETE", f"/api/config/config_entries/{kind}/{flow_id}")

    async def discovered(self, domain: str) -> list[Json]:
        """Return the flows of a domain that Home Assistant has started by itself."""
        flows = await self.ws_call("config_entries/flow/progress")
        return [flow for flow in flows if flow["handler"] == domain]

    async def wait_discovered(self, domain: str, within: float = 15) -> Json:
        """Return the first such flow once there is one. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not (flows := await self.discovered(domain)):
                await asyncio.sleep(0.02)
            return flows[0]

    # Repairs

    async def issues(self, domain: str) -> list[Json]:
        """Return what a domain wants repaired: {"issue_id", "translation_placeholders", …}."""
        found = await self.ws_call("repairs/list_issues")
        return [issue for issue in found["issues"] if issue["domain"] == domain]

    async def wait_issues(self, domain: str, *wanted: str, within: float = 15) -> list[Json]:
        """Return the issues of a domain once they are those of these ids. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while True:
                found = await self.issues(domain)
                if {each["issue_id"] for each in found} == set(wanted):
                    return found
                await asyncio.sleep(0.02)

    async def start_fix(self, domain: str, issue_id: str) -> Json:
        """Press "fix" at an issue, and return the first step."""
        handler = {"handler": domain, "issue_id": issue_id}
        step: Json = await self.rest("POST", "/api/repairs/issues/fix", handler)
        return step

    async def confirm_fix(self, flow_id: str) -> Json:
        """Confirm the present step and return the next one."""
        step: Json = await self.rest("POST", f"/api/repairs/issues/fix/{flow_id}", {})
        return step

    # Config entries

    async def entries(self, domain: str) -> list[Json]:
        """Return the config entries of a domain."""
        found: list[Json] = await self.ws_call("config_entries/get", domain=domain)
        return found

    async def entry(self, entry_id: str) -> Json:
        """Return a config entry: {"entry_id", "state", "title", "num_subentries", …}."""
        found = await self.ws_call("config_entries/get_single", entry_id=entry_id)
        entry: Json = found["config_entry"]
        return entry

    async def wait_entry(self, entry_id: str, state: str = "loaded", within: float = 15) -> Json:
        """Return the entry once it is in this state. Raises TimeoutError that says the last."""
        entry: Json = {}
        try:
            async with asyncio.timeout(within):
                while (entry := await self.entry(entry_id))["state"] != state:
                    await asyncio.sleep(0.02)
                return entry
        except TimeoutError:
            raise TimeoutError(f"the entry is {entry}") from None

    async def reload_entry(self, entry_id: str) -> None:
        """Unload an entry and set it up again."""
        await self.rest("POST", f"/api/config/config_entries/entry/{entry_id}/reload")

    async def remove_entry(self, entry_id: str) -> None:
        """Delete an entry."""
        await self.rest("DELETE", f"/api/config/config_entries/entry/{entry_id}")

    async def enable_entry(self, entry_id: str, *, enabled: bool = True) -> None:
        """Enable an entry, which sets it up, or disable it."""
        disabled_by = None if enabled else "user"
        await self.ws_call("config_entries/disable", entry_id=entry_id, disabled_by=disabled_by)

    async def subentries(self, entry_id: str) -> list[Json]:
        """Return an entry's subentries: {"subentry_id", "subentry_type", "title", "unique_id"}."""
        found: list[Json] = await self.ws_call("config_entries/subentries/list", entry_id=entry_id)
        return found

    async def remove_subentry(self, entry_id: str, subentry_id: str) -> None:
        """Delete a subentry."""
        which = {"entry_id": entry_id, "subentry_id": subentry_id}
        await self.ws_call("config_entries/subentries/delete", **which)

    # Registries and log

    async def entities(self, entry_id: str = "") -> list[Json]:
        """Return the registered entities, of one config entry if given, disabled ones included."""
        found = await self.ws_call("config/entity_registry/list")
        return [entity for entity in found if entry_id in {"", entity["config_entry_id"]}]

    async def enable_entity(self, entity_id: str) -> None:
        """Enable an entity. It appears when its entry is reloaded, by itself after 30 seconds."""
        await self.ws_call("config/entity_registry/update", entity_id=entity_id, disabled_by=None)

    async def devices(self, entry_id: str) -> list[Json]:
        """Return the devices of a config entry."""
        found = await self.ws_call("config/device_registry/list")
        return [device for device in found if entry_id in device["config_entries"]]

    async def logged(self, about: str = "") -> list[Json]:
        """Return the warnings and errors whose logger's name contains `about`, the newest first."""
        records = await self.ws_call("system_log/list")
        return [record for record in records if about in record["name"]]
