"""The router as the keeper has to deal with it: its power, its table, and who gets through it."""

import asyncio
from dataclasses import dataclass, replace
import os
import re
import shutil
import signal
from time import monotonic

from tests.lab import Lab, Miniupnpd

_RULE = re.compile(r"^ *\d+ (TCP|UDP) +(\d+)->([\d.]+):(\d+) +'(.*?)' '.*?' (\d+)", re.MULTILINE)
_PATIENCE = 0.15
"""Seconds that one attempt to connect may take; a router drops what it does not let pass."""


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """A row of the router's table, as `upnpc -l` shows it; `lease` in seconds, 0 for ever."""

    external_port: int
    client: str
    internal_port: int
    description: str
    lease: int


@dataclass
class RouterControl:
    """A router with miniupnpd, and its socket on the wall."""

    lab: Lab
    daemon: Miniupnpd

    @classmethod
    def of(cls, lab: Lab) -> RouterControl:
        """Return that of a lab with one such router, which is on."""
        return cls(lab, lab.daemon(Miniupnpd))

    def cut_power(self) -> None:
        """Kill the daemon before it can say goodbye; all its rules are gone."""
        folder = self.lab.folder / self.daemon.name
        os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
        self.lab.stop(self.daemon)
        shutil.rmtree(folder)
        self.daemon.reset(self.lab[self.daemon.namespace])

    def power_on(self, http_port: int) -> float:
        """Start the daemon and return when it answered, on the monotonic clock."""
        self.daemon = replace(self.daemon, http_port=http_port)
        self.lab.start(self.daemon)
        return monotonic()

    def rules(self) -> list[Rule]:
        """Return its table."""
        return rules(self.lab, self.daemon.location)

    def add(self, *arguments: str) -> None:
        """Let another program on Home Assistant's machine add a rule, as `upnpc` takes it."""
        self.lab["lan"].run("upnpc", "-u", self.daemon.location, *arguments)

    def delete(self, *external_ports: int) -> None:
        """Let another program delete rules."""
        for port in external_ports:
            self.add("-d", str(port), "TCP")


def rules(lab: Lab, location: str) -> list[Rule]:
    """Return the table of the router whose description is at this URL."""
    # The daemon takes a quarter of a second for each of a hundred rules.
    listed = lab["lan"].run("upnpc", "-u", location, "-l", within=90)
    return [
        Rule(int(external), client, int(internal), description, int(lease))
        for _, external, client, internal, description, lease in _RULE.findall(listed)
    ]


async def reached_now(lab: Lab, port: int) -> bytes | None:
    """Return what the internet gets from a port at once, None when it gets nothing."""
    try:
        return await lab["net"].fetch(lab.wan_address, port, within=_PATIENCE)
    except OSError:
        return None


async def back_after(lab: Lab, port: int, since: float, within: float) -> float:
    """Wait until the internet reaches a port; return the seconds since then. Raises TimeoutError.

    `since` is a moment on the monotonic clock, and the time limit counts from there.
    """
    async with asyncio.timeout(max(since + within - monotonic(), 0)):
        while await reached_now(lab, port) is None:
            await asyncio.sleep(0.02)
    return monotonic() - since
