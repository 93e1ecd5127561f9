"""RESULTS.md: the last figures of each benchmark, and the machine that they are from."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
import os
from pathlib import Path
import platform
import re
import subprocess

from .measure import Benchmark, Series, table

RESULTS = Path(__file__).with_name("RESULTS.md")

_HEAD = """\
# Results

Written by `scripts/bench`, which replaces the part of each benchmark that it runs. Everything runs
on one machine, in network namespaces that add no delay: compare the lines of a table with each
other, not with those of another machine. The load is the average of the minute before a benchmark:
from about 0.5 on, something else was running as well, which shows in the upper figures above all.
"""


def load() -> float:
    """Return the average number of running processes in the last minute."""
    return os.getloadavg()[0]


def section(benchmark: Benchmark, series: Sequence[Series], load_before: float) -> str:
    """Return what is kept of one run."""
    now = datetime.now(UTC)
    return f"""\
## {benchmark.title}

{benchmark.method}

{now:%Y-%m-%d}, {_machine()}; load {load_before:.1f}.

{table(series)}
"""


def keep(sections: Mapping[str, str]) -> None:
    """Put sections, by title, in the place of older ones or behind them."""
    old = RESULTS.read_text() if RESULTS.exists() else ""
    _, *parts = re.split(r"^## ", old, flags=re.MULTILINE)
    kept = {part.partition("\n")[0]: f"## {part}" for part in parts} | dict(sections)
    RESULTS.write_text("\n".join([_HEAD, *(f"{part.rstrip()}\n" for part in kept.values())]))


def _machine() -> str:
    processor = re.search(
        r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE
    )
    return ", ".join(
        (
            f"{processor[1] if processor else platform.machine()} with {os.cpu_count()} cores",
            f"Linux {platform.release()}",
            f"Python {platform.python_version()}",
            f"Home Assistant {version('homeassistant')}",
            _said(["miniupnpd", "--version"], "miniupnpd"),
            _said(["upnpc"], "upnpc"),
            _said(["named", "-v"], "BIND"),
        )
    )


def _said(argv: Sequence[str], name: str) -> str:
    """Return the name and the version that a program says, whatever it thinks of being asked."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found = re.search(rf"{name}\D*([0-9][0-9.]*)", done.stdout + done.stderr)
    return f"{name} {found[1].rstrip('.') if found else '(no version)'}"
