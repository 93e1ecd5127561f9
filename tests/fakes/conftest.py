"""The fakes are tested over real sockets on loopback, and must leave nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
import sys
from typing import Any

import aiohttp
import pytest

from tests.fakes.igd import FakeIgd
from tests.fakes.program import Start, Started

DEADLINE_SECONDS = 10.0


def _open_sockets() -> int:
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(entry.readlink()))
        except FileNotFoundError:
            continue  # the descriptor of this very listing
    return sum(link.startswith("socket:") for link in links)


def _other_tasks() -> set[asyncio.Task[Any]]:
    """Return all tasks but the fixture's own, which is another one before and after a test."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


@pytest.fixture(autouse=True)
async def _nothing_left(socket_enabled: None) -> AsyncIterator[None]:
    """Fail a test whose fakes leave a task or a socket."""
    tasks, sockets = _other_tasks(), _open_sockets()
    yield
    try:
        async with asyncio.timeout(2):
            while _other_tasks() - tasks or _open_sockets() > sockets:
                await asyncio.sleep(0.01)
    except TimeoutError:
        left = _other_tasks() - tasks
        pytest.fail(f"left behind: {left}, {_open_sockets() - sockets} sockets")


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client that gives up in time."""
    timeout = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield session


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start a fake as a program of its own; it is ended after the test."""
    processes: list[asyncio.subprocess.Process] = []

    async def start_(module: str, *options: str) -> Started:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *options, stdout=asyncio.subprocess.PIPE
        )
        processes.append(process)
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE_SECONDS):
            line = (await process.stdout.readline()).decode().strip()
        return Started(process, line)

    yield start_
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
async def igd() -> AsyncIterator[FakeIgd]:
    """Start a gateway that behaves."""
    async with FakeIgd() as started:
        yield started
