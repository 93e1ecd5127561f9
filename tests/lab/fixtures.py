"""What the tests of the lab and the end-to-end tests share: fixtures, and why they cannot run.

Both conftest.py files take everything in `__all__`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
import os
from pathlib import Path
import shutil

import pytest

from .build import Lab, build
from .tls import Authority
from .topology import Topology

__all__ = ["authority", "make_lab", "pytest_terminal_summary"]

type MakeLab = Callable[[Topology], Lab]

_TOOLS = {"ip": "iproute2", "mount": "mount", "nft": "nftables"}

_reasons: set[str] = set()


def missing_programs(needs: Mapping[str, str]) -> list[str]:
    """Return which of these programs have to be installed, such as "named (Debian: bind9)"."""
    return [f"{name} (Debian: {needs[name]})" for name in sorted(needs) if not shutil.which(name)]


def require(needs: Mapping[str, str]) -> None:
    """Skip the test if there is no place for the lab, or one of these programs is not here.

    `needs` are Debian packages by program.
    """
    reason = ""
    if os.geteuid() != 0 or not Path("/run/netns").is_dir():
        reason = "a network of its own: run it through scripts/private-net"
    elif missing := missing_programs({**_TOOLS, **needs}):
        reason = ", ".join(missing)
    if reason:
        _reasons.add(reason)
        pytest.skip(f"the lab needs {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say each reason once, not once for each test."""
    while _reasons:
        line = f"Tests were skipped because the lab needs {_reasons.pop()}"
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="module")
def make_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeLab]:
    """Build any topology, until the end of the module."""
    with ExitStack() as stack:

        def make(topology: Topology) -> Lab:
            require({name: of for daemon in topology.daemons for name, of in daemon.needs.items()})
            return stack.enter_context(build(topology, tmp_path_factory.mktemp(topology.name)))

        yield make


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the lab's certificate authority."""
    return Authority(tmp_path_factory.mktemp("authority"))
