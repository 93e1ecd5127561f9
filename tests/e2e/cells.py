"""Ports in all states, each with what there is to see of it: added, checked, and shown."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from .api import ApiError, FlowKind
from .homeport import Homeport

ECHOIP, STUN, OWN = "echoip", "STUN", "own prober"
"""Who is asked."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A port of Home Assistant's machine, and what a check of it has to come to.

    - `inside`, `external`: the port at home, and on the internet side if that is another one
    - `on`: whether its switch is turned on, or tried to be; `by_hand`: whether it has none
    - `reachability`, `blocked_by`: "-" for nothing
    """

    name: str
    protocol: str
    family: int
    inside: int
    external: int = 0
    on: bool = False
    by_hand: bool = False
    reachability: str = "reachable"
    blocked_by: str = "nothing"


@dataclass(frozen=True, slots=True)
class Row:
    """What a check has come to, by whom, and on which line."""

    line: str
    prober: str
    cell: Cell
    reachability: str
    blocked_by: str
    problem: str

    @property
    def is_right(self) -> bool:
        """Say whether that is what it has to come to."""
        wanted = self.cell.reachability
        if (wanted, self.prober) == ("timed_out", ECHOIP):
            wanted = "unreachable"  # it does not tell why
        return (self.reachability, self.blocked_by) == (wanted, self.cell.blocked_by)

    def __str__(self) -> str:
        """Return it as a row of a table."""
        cell = self.cell
        how = "on" if cell.on else "by hand" if cell.by_hand else "off"
        what = f"{cell.name}, {how}, {cell.protocol} IPv{cell.family}, {self.prober}"
        found = f"{self.reachability:11} {self.blocked_by:18} {self.problem:17}"
        return f"{self.line:22} {what:66} {found} {'' if self.is_right else 'WRONG'}".rstrip()


class Ports:
    """The ports of the cells of one line."""

    def __init__(self, line: str, homeport: Homeport, rows: list[Row]) -> None:
        """Begin without any; what checks have come to is added to `rows`."""
        self.homeport = homeport
        self.rows = rows
        self._line = line
        self._ids: dict[Cell, str] = {}

    async def add(self, *cells: Cell) -> None:
        """Add ports, and open those that are to be open as far as the router does."""
        for cell in cells:
            self._ids[cell] = port = await self.homeport.add_port(
                f"{cell.name} {len(self._ids)}",
                protocol=cell.protocol,
                families=[f"ipv{cell.family}"],
                internal_port=str(cell.inside),
                external_port=str(cell.external or cell.inside),
                by_hand=cell.by_hand,
                try_anyway=True,
            )
            if cell.on:
                with suppress(ApiError):
                    await self.homeport.switch(port, on=True)

    def again(self, before: Cell, **now: str) -> Cell:
        """Return a cell of the same port, of which there is something else to see now."""
        cell = replace(before, **now)
        self._ids[cell] = self._ids[before]
        return cell

    async def ask(self, **probers: str) -> None:
        """Name these in the form of the probers, and wait until the line is known again."""
        step = await self.homeport.server.run_flow(
            FlowKind.OPTIONS, self.homeport.entry_id, {"next_step_id": "probers"}, probers
        )
        assert step["type"] == "create_entry", step
        await self.homeport.detect_line()

    async def know_exposed_host(self) -> None:
        """Wait until a port was looked at over IPv4 that nothing is opened for."""
        entity = await self.homeport.entity("exposed_host")
        await self.homeport.server.wait_state(
            entity, lambda state: state["attributes"].get("ipv4") is not None, within=40
        )

    async def check(self, prober: str, cells: Iterable[Cell]) -> None:
        """Check some at once, and keep what that has come to."""
        entities = {
            cell: await self.homeport.entity(
                f"reachability{'' if cell.family == 4 else '_ipv6'}", self._ids[cell]
            )
            for cell in cells
        }
        said: Mapping[str, Any] = await self.homeport.server.call_service(
            "homeport.check_port", target={"entity_id": list(entities.values())}, response=True
        )
        for cell, entity in entities.items():
            answer = said[entity][f"ipv{cell.family}"]
            seen = [answer[key] or "-" for key in ("reachability", "blocked_by", "problem")]
            self.rows.append(Row(self._line, prober, cell, *seen))
