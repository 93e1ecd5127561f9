"""Two routers in a row: opening on both is offered, and done once the user has said yes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.lab import Authority, Lab
from tests.lab.lines.second_router import INNER, OUTER, UPSTREAM

from .api import ApiError
from .homeport import DOMAIN
from .running_line import RunningLine, running_line

TAKEN = "18090"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningLine]:
    """Run the line."""
    folder: Path = tmp_path_factory.mktemp("double")
    async with running_line("double_nat", authority, folder) as line:
        yield line


def outer_table(lab: Lab) -> str:
    """Return the second router's own table, read by an independent client."""
    return lab["rtr"].run("upnpc", "-u", UPSTREAM.location, "-l")


async def until(lab: Lab, holds: Callable[[str], bool], within: float = 10) -> None:
    async with asyncio.timeout(within):
        while not holds(outer_table(lab)):
            await asyncio.sleep(0.1)


async def test_offered_and_done(running: RunningLine) -> None:
    homeport, lab = running.homeport, running.lab
    await homeport.state("line_mode", "double_nat", within=30)
    port = await homeport.add_port(internal_port="8080", external_port="18080")
    await homeport.switch(port, on=True)
    assert "18080" not in outer_table(lab)  # nobody has agreed to that

    [issue] = await homeport.server.wait_issues(DOMAIN, f"second_router_{homeport.entry_id}")
    assert issue["translation_key"] == "second_router"
    assert issue["translation_placeholders"] == {"router": OUTER}
    step = await homeport.server.start_fix(DOMAIN, issue["issue_id"])
    assert step["description_placeholders"] == {"router": OUTER}
    done = await homeport.server.confirm_fix(step["flow_id"])
    assert done["type"] == "create_entry", done
    await until(lab, lambda table: f"18080->{INNER}:18080" in table, within=30)
    await homeport.state("open", "on", port)
    await homeport.server.wait_issues(DOMAIN)

    await homeport.switch(port, on=False)
    assert "18080" not in outer_table(lab)
    await homeport.state("open", "off", port)

    await homeport.switch(port, on=True)
    assert f"18080->{INNER}:18080" in outer_table(lab)
    # Lost there, it is opened again with the next reading.
    lab["rtr"].run("upnpc", "-u", UPSTREAM.location, "-d", "18080", "TCP")
    await homeport.detect_line()
    await until(lab, lambda table: f"18080->{INNER}:18080" in table)


async def test_what_another_has_there_is_spared(running: RunningLine) -> None:
    homeport, lab = running.homeport, running.lab
    location = UPSTREAM.location
    lab["rtr"].run("upnpc", "-u", location, "-e", "theirs", "-a", INNER, "9", TAKEN, "TCP", "600")
    port = await homeport.add_port("Other", internal_port="8081", external_port=TAKEN)
    with pytest.raises(ApiError) as refused:
        await homeport.switch(port, on=True)
    assert refused.value.details["translation_key"] == "port_taken"
    assert f"{TAKEN}->{INNER}:9 " in outer_table(lab)
    await homeport.remove(port)
    assert f"{TAKEN}->{INNER}:9 " in outer_table(lab)


async def test_removing_the_entry_closes_both(running: RunningLine) -> None:
    homeport, lab = running.homeport, running.lab
    assert "18080" in outer_table(lab)
    await homeport.server.remove_entry(homeport.entry_id)
    assert "18080" not in outer_table(lab)
