"""MAP-E: the ports of the home's own set are opened, and no other."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.lab import Authority
from tests.lab.lines.mape import V6PLUS

from .api import ApiError, FlowKind
from .homeport import Homeport
from .keeper_control import rules
from .lab_control import reached
from .running_line import RunningLine, running_line

OURS = V6PLUS.ports[3][0] + 5
THEIRS = V6PLUS.ports[3][1] + 1
"""The neighbour's, at the same address."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningLine]:
    """Run a line whose router lets nobody map a port outside of the set."""
    folder = tmp_path_factory.mktemp("map-e")
    async with running_line("map_e_v6plus", authority, folder) as running:
        await running.homeport.state("line_mode", "map_e")
        await running.homeport.state("public_ipv4", V6PLUS.ipv4)
        yield running


async def added(homeport: Homeport, external_port: int, *, try_anyway: bool = False) -> str:
    """Add a port."""
    return await homeport.add_port(
        f"Port {external_port}",
        internal_port="8200",
        external_port=str(external_port),
        try_anyway=try_anyway,
    )


async def test_port_of_the_set_is_opened(running: RunningLine) -> None:
    homeport, lab = running.homeport, running.lab
    port = await added(homeport, OURS)
    await homeport.state("open", "off", port)
    async with lab["lan"].serve(b"hello from here", 8200):
        await homeport.switch(port, on=True)
        assert await reached(lab, OURS) == b"hello from here"
        await homeport.state("open", "on", port)
        assert [rule.external_port for rule in rules(lab, running.line.location)] == [OURS]
        await homeport.press("check", port)
        await homeport.state("reachability", "reachable", port)
        await homeport.switch(port, on=False)
        assert await reached(lab, OURS) is None
    assert rules(lab, running.line.location) == []


async def test_form_refuses_a_port_of_another_home(running: RunningLine) -> None:
    homeport = running.homeport
    form = {"name": "Theirs", "protocol": "TCP", "internal_port": "8200"}
    step = await homeport.server.run_flow(
        FlowKind.SUBENTRY, (homeport.entry_id, "port"), {**form, "external_port": str(THEIRS)}
    )
    assert (step["type"], step["errors"]) == ("form", {"external_port": "port_not_in_set"})
    first, last = V6PLUS.ports[0]
    assert f"{first}-{last}" in step["description_placeholders"]["ranges"]
    await homeport.server.abort_flow(FlowKind.SUBENTRY, step["flow_id"])


async def test_no_port_given_is_one_of_the_set(running: RunningLine) -> None:
    homeport, lab = running.homeport, running.lab
    port = await homeport.add_port("Any", internal_port="8200")
    await homeport.state("open", "off", port)
    async with lab["lan"].serve(b"hello from here", 8200):
        await homeport.switch(port, on=True)
        [rule] = rules(lab, running.line.location)
        assert any(first <= rule.external_port <= last for first, last in V6PLUS.ports)
        assert await lab["net"].fetch(V6PLUS.ipv4, rule.external_port) == b"hello from here"
    await homeport.remove(port)


async def test_router_refuses_another_port_and_the_user_reads_why(running: RunningLine) -> None:
    homeport = running.homeport
    port = await added(homeport, THEIRS, try_anyway=True)
    await homeport.state("open", "off", port)
    with pytest.raises(ApiError) as refused:
        await homeport.switch(port, on=True)
    details = refused.value.details
    print(f"\n{details}")  # noqa: T201
    await homeport.remove(port)
    # Nor is another one opened in its place, which nobody asked for and nobody would close.
    assert await asyncio.to_thread(rules, running.lab, running.line.location) == []
    # What is wrong is the port, and not a permission.
    assert str(THEIRS) in details["message"]
    assert details["translation_key"] != "upnp_606"
