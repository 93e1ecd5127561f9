"""The demo that `scripts/develop` starts works as it stands, and leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator
import os
from pathlib import Path
import signal
import sys
from time import monotonic

import pytest
import pytest_asyncio

from tests.lab import Lab
from tests.lab.fixtures import MakeLab
from tests.lab.home import home as home_topology

from .api import HomeAssistantApi
from .homeport import DOMAIN, Homeport
from .server import log_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
URL = "http://localhost:8123"


@pytest.fixture(scope="module")
def home(make_lab: MakeLab) -> Lab:
    """Build a home in which nothing runs."""
    return make_lab(home_topology())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(home: Lab) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start it as the script does, once everything is installed."""
    begin = monotonic()
    process = await asyncio.create_subprocess_exec(
        *home["lan"].command(sys.executable, "scripts/develop.py"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while b"Ctrl-C" not in (line := await process.stdout.readline()):
            assert line, "it ended"
    print(f"\nscripts/develop is ready after {monotonic() - begin:.1f} s")  # noqa: T201
    yield process
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_everything_is_there_and_works(demo: asyncio.subprocess.Process, home: Lab) -> None:
    api = HomeAssistantApi()
    session = home["lan"].http_session(base_url=URL)
    await api.open(session, await log_in(session, URL, "demo", "demo"))
    [entry] = await api.entries(DOMAIN)
    homeport = Homeport(api, entry["entry_id"])
    await homeport.state("line_mode", "public")
    found = {each["title"]: each["subentry_id"] for each in await api.subentries(homeport.entry_id)}
    assert found.keys() == {"Game server", "Camera", "home.homeport.example"}
    await homeport.state("status", "ok", found["home.homeport.example"])
    await homeport.switch(found["Game server"], on=True)
    await homeport.state("open", "on", found["Game server"])
    await homeport.press("check", found["Game server"])
    await homeport.state("reachability", "reachable", found["Game server"])
    await api.close()


async def test_ctrl_c_ends_everything(demo: asyncio.subprocess.Process) -> None:
    children = Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text().split()
    assert children
    demo.send_signal(signal.SIGINT)
    async with asyncio.timeout(20):
        assert await demo.wait() == 0
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
