"""A fake that runs as a program of its own."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
import signal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Started:
    """A process that has printed its ready line."""

    process: asyncio.subprocess.Process
    line: str

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask the program to end and return its exit code."""
        self.process.send_signal(how)
        return await self.process.wait()


class Start(Protocol):
    """Starts `python -m module options`."""

    def __call__(self, module: str, *options: str) -> Awaitable[Started]: ...
