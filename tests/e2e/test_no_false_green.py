"""Nothing is shown as reachable that is not, on every line where it might look so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
import time

import pytest
import pytest_asyncio

from tests.lab import Authority
from tests.lab.home import NET, NET6

from .cells import Ports, Row
from .false_green import NAME, RESOLVER, SCENES, Scene, by_name
from .prober_lab import own_prober
from .running_line import running_line

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 3
"""Lines that start beside each other; more would only wait for a processor."""


@dataclass(frozen=True, slots=True)
class Playing:
    """A scene that is under way: what was seen so far, and its end."""

    rows: list[Row]
    end: asyncio.Task[None]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Playing]]:
    """Play all scenes beside each other: looking at a port is mostly waiting."""
    begin = time.monotonic()
    starting = asyncio.Semaphore(AT_ONCE)

    async def play(title: str, rows: list[Row]) -> None:
        line, options, scene = SCENES[title]
        folder: Path = tmp_path_factory.mktemp("scene")
        prober = own_prober(authority, folder, NET, NET6, names={NAME: f"{NAME}.dyn.example"})
        daemons = [prober.daemons[0], *([RESOLVER] if scene is by_name else [])]
        async with AsyncExitStack() as stack:
            async with starting:
                running = await stack.enter_async_context(
                    running_line(line, authority, folder, *daemons, **options)
                )
            await scene(Scene(running, prober, Ports(title, running.homeport, rows)))
            assert "Traceback" not in running.homeport.server.log.read_text()

    def start(title: str) -> Playing:
        rows: list[Row] = []
        return Playing(rows, asyncio.create_task(play(title, rows)))

    items = [item for item in request.session.items if item.path == request.path]
    playing = {title: start(title) for title in (item.callspec.params["title"] for item in items)}
    yield playing
    ends = [each.end for each in playing.values()]
    for end in ends:
        end.cancel()
    await asyncio.wait(ends)
    print(f"\nall lines: {time.monotonic() - begin:.0f} s")  # noqa: T201


@pytest.mark.parametrize("title", SCENES)
async def test_no_false_green(played: dict[str, Playing], title: str) -> None:
    rows = played[title].rows
    try:
        await played[title].end
    finally:
        print("", *rows, sep="\n")  # noqa: T201
    assert [row for row in rows if not row.is_right] == []
