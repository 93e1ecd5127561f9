"""What a benchmark is, and what its figures come to."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
import statistics
import subprocess
from time import monotonic

from tests.lab import Host

from .home import Home


@dataclass(frozen=True, slots=True)
class Series:
    """One thing that was measured again and again."""

    name: str
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """Something to measure.

    - `method`: what exactly is measured, and how finely
    - `rounds`: how often
    - `run`: measures that often, and leaves the home as it was
    """

    name: str
    title: str
    method: str
    rounds: int
    run: Callable[[Home, int], Awaitable[Sequence[Series]]]


async def run_program(host: Host, *argv: str) -> None:
    """Run a program directly in the host's network: no shell and no `ip netns` to wait for."""

    def run() -> None:
        with host.inside():
            subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)

    await asyncio.to_thread(run)


async def moment(done: Awaitable[object]) -> float:
    """Wait for something and return when that was, on the monotonic clock."""
    await done
    return monotonic()


def table(series: Sequence[Series]) -> str:
    """Return a table that can be read as it is and as Markdown; times are in milliseconds."""
    rows = [("ms", "n", "min", "median", "p95", "max"), *(_row(each) for each in series)]
    widths = [max(2, *(len(row[column]) for row in rows)) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join((lines[0], _line(rule, widths), *lines[1:]))


def _row(series: Series) -> tuple[str, ...]:
    seconds = sorted(series.seconds)
    figures = (seconds[0], statistics.median(seconds), _p95(seconds), seconds[-1])
    return series.name, str(len(seconds)), *(f"{figure * 1000:.1f}" for figure in figures)


def _p95(seconds: Sequence[float]) -> float:
    if len(seconds) == 1:
        return seconds[0]
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *figures = row
    cells = [name.ljust(widths[0])]
    cells += [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
    return f"| {' | '.join(cells)} |"
