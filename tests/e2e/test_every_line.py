"""Every line of the lab is recognised by a real Home Assistant, as its user sees it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from ipaddress import IPv6Address, IPv6Network

import pytest
import pytest_asyncio

from tests.lab import Authority, Lab
from tests.lab.lines import LINES, Line

from .api import ApiError, FlowKind, Json
from .homeport import Homeport
from .lab_control import asked_outside
from .running_line import RunningLine, running_line

pytestmark = pytest.mark.asyncio(loop_scope="module")

CERTAIN = {
    *("map_e_v6plus", "map_e_v6plus_unlimited", "map_e_ocn", "map_e_hgw"),
    *("ds_lite_transix", "cgnat", "offline_route"),
}
UNSURE = {"cgnat_silent", "squatted", "double_nat_silent", "private_wan"}
"""Where the gateway says too little, or what may be meant otherwise."""

WHY = {
    "public": "wan_matches",
    "pppoe": "mtu_of_pppoe",
    "ipip_fixed": "mtu_of_tunnel",
    "map_e_v6plus": "computed_matches",
    "map_e_ocn": "computed_matches",
    "map_e_hgw": "home_gateway_terminates",
    "a_plus_p": "ports_in_one_set",
    "ds_lite_transix": "aftr_reverse_name",
    "ds_lite_transix_silent": "aftr_reverse_name",
    "ds_lite_xpass": "echoes_disagree",
    "cgnat": "wan_shared",
    "cgnat_silent": "hop_shared",
    "squatted": "wan_squatted",
    "double_nat": "second_router_answers",
    "double_nat_silent": "second_router_answers",
    "private_wan": "second_router_silent",
    "two_exits": "wan_differs",
    "nat64": "nat64_prefix",
    "nat64_clat": "nat64_prefix",
    "ipv6_only": "nothing_answers",
    "ngn_drop": "ipv6_ngn_only",
    "offline_link": "router_disconnected",
    "offline_route": "no_route",
}
"""One of the reasons that the user reads."""

type Start = Callable[[str], Awaitable[RunningLine]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Start]:
    """Return what starts a line, and ends the one before.

    The line of the next test starts meanwhile: looking at a line is mostly waiting.
    """
    items = [item for item in request.session.items if item.path == request.path]
    coming = iter([str(item.callspec.params["name"]) for item in items])
    stacks: list[AsyncExitStack] = []

    async def begin(name: str) -> RunningLine:
        stacks.append(stack := AsyncExitStack())
        folder = tmp_path_factory.mktemp(name)
        return await stack.enter_async_context(running_line(name, authority, folder))

    def begin_next() -> asyncio.Task[RunningLine] | None:
        name = next(coming, None)
        return asyncio.create_task(begin(name)) if name else None

    next_one = begin_next()

    async def take(name: str) -> RunningLine:
        nonlocal next_one
        assert next_one
        while len(stacks) > 1:
            await stacks.pop(0).aclose()
        try:
            running = await next_one
        finally:
            next_one = begin_next()
        assert running.name == name
        return running

    yield take
    if next_one:
        next_one.cancel()
        await asyncio.wait([next_one])
    for stack in stacks:
        await stack.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def running(start: Start, name: str) -> RunningLine:
    """Return the line of a name."""
    return await start(name)


@pytest.mark.parametrize("name", LINES)
async def test_line(running: RunningLine) -> None:
    name, line, homeport = running.name, running.line, running.homeport
    said = await homeport.detect_line()
    assert said["mode"] == line.mode, said
    assert said["confidence"] == confidence(name), said
    assert said["ipv6_mode"] == line.ipv6_mode, said
    assert (said["carrier"] or "") == line.carrier, said
    assert (said["ipv4_openable"], said["ipv6_openable"]) == (
        line.ipv4_openable,
        line.ipv6_openable,
    ), said
    assert (said["ports"] or []) == [f"{first}-{last}" for first, last in line.ports]
    assert (said["wan_ipv4"] or "") == line.wan
    # Echoes that see different addresses show none.
    assert said["public_ipv4"] in (line.public if len(line.public) == 1 else {None, *line.public})
    assert in_prefix(said["public_ipv6"], line)
    assert not said["overridden"]

    reasons = {each["key"]: each["text"] for each in said["reasons"]}
    assert WHY.get(name) in {None, *reasons}, said
    assert all(text != key for key, text in reasons.items()), reasons
    if name in UNSURE:
        assert said["remedies"]

    expected = shown(line) | {
        "public_ipv4": said["public_ipv4"] or "unknown",
        "public_ipv6": said["public_ipv6"] or "unknown",
    }
    states = {key: homeport.server.states[await homeport.entity(key)]["state"] for key in expected}
    assert states == expected
    port = line.ports[0][0] if line.ports else 18080
    stopped = await obstacle(homeport, running.lab, port)
    print(f"\n{name}: stopped by {stopped}", end="")  # noqa: T201
    if line.ipv4_openable == "none":
        assert stopped == OBSTACLES[line.mode]
    log = homeport.server.log.read_text()
    assert "Traceback" not in log
    assert "Detected" not in log


def confidence(name: str) -> str:
    """Return how sure the mode of a line has to be."""
    if name in UNSURE:
        return "possible"
    return "certain" if name in CERTAIN else "likely"


def in_prefix(address: str | None, line: Line) -> bool:
    """Say whether an address is what has to be seen of the home's IPv6."""
    if line.ipv6_openable != "all":
        return address is None
    return address is not None and IPv6Address(address) in IPv6Network(f"{line.prefix}::/64")


def shown(line: Line) -> Json:
    """Return the states of the entities on a line, by key."""
    owned = sum(last - first + 1 for first, last in line.ports)
    count = {"all": 65535, "none": 0}.get(line.ipv4_openable, owned or "unknown")
    return {
        "line_mode": line.mode,
        "ipv6_mode": line.ipv6_mode,
        "carrier": line.carrier or "unknown",
        "openable_ports": "unknown" if line.ipv4_openable == "unknown" else str(count),
        "internet": "off" if line.mode == "offline" else "on",
        "ipv4_openable": {"none": "off", "unknown": "unknown"}.get(line.ipv4_openable, "on"),
        "ipv6_openable": {"none": "off", "unknown": "unknown"}.get(line.ipv6_openable, "on"),
        "second_nat": second_nat(line),
    }


def second_nat(line: Line) -> str:
    """Return what is said of another NAT."""
    if line.mode in {"cgnat", "double_nat", "private_wan"}:
        return "on"
    if line.ipv4_openable == "after_second_router":
        return "on"
    return "off" if line.public == (line.wan,) else "unknown"


OBSTACLES = {
    "ds_lite": "line_ds_lite",
    "cgnat": "line_cgnat",
    "private_wan": "line_private",
    "nat64": "line_nat64",
    "two_exits": "two_exits",
    "offline": "offline",
    "none": "offline",
}


async def obstacle(homeport: Homeport, lab: Lab, port: int) -> str | None:
    """Return what stops a port that is not opened, which nobody knocks at where it is not ours."""
    subentry = await homeport.add_port(
        internal_port="8099", external_port=str(port), try_anyway=True
    )
    entity = await homeport.entity("reachability", subentry)
    async with lab["lan"].serve(b"hello from here", 8099):
        said = await homeport.server.call_service(
            "homeport.check_port", target={"entity_id": entity}, response=True
        )
    seen: Json = said[entity]["ipv4"]
    assert seen["reachability"] != "reachable"
    probed = [each["path"] for each in await asked_outside(lab) if "/port/" in each["path"]]
    assert not probed or seen["blocked_by"] in {"no_mapping", "second_nat", None}
    await homeport.remove(subentry)
    blocked_by: str | None = seen["blocked_by"]
    return blocked_by


@pytest.mark.parametrize("name", ["map_e_v6plus"])
async def test_only_own_ports_are_opened(running: RunningLine) -> None:
    homeport, lab, line = running.homeport, running.lab, running.line
    await homeport.state("line_mode", "map_e")
    inside, (first, last) = line.ports[7][0], line.ports[8]
    [address] = line.public

    port = await homeport.add_port(internal_port="8080", external_port=str(inside))
    async with lab["lan"].serve(b"hello from the server", 8080):
        await homeport.switch(port, on=True)
        await homeport.state("open", "on", port)
        assert await lab["net"].fetch(address, inside) == b"hello from the server"
        await homeport.press("check", port)
        await homeport.state("reachability", "reachable", port)

    form = {"name": "Web", "protocol": "TCP", "internal_port": "8080"}
    for wanted, nearest in (first - 2, first), (last + 7, last):
        step = await homeport.server.run_flow(
            FlowKind.SUBENTRY, (homeport.entry_id, "port"), form | {"external_port": str(wanted)}
        )
        assert step["errors"] == {"external_port": "port_not_in_set"}
        assert step["description_placeholders"]["nearest"] == str(nearest)
        await homeport.server.abort_flow(FlowKind.SUBENTRY, step["flow_id"])

    outside = first - 2
    port = await homeport.add_port(
        "Web", internal_port="8080", external_port=str(outside), try_anyway=True
    )
    # The router knows the line as well.
    assert await refused(homeport.switch(port, on=True)) == "refused_outside_the_set"
    await homeport.state("open", "unknown", port)
    assert await refused(homeport.press("check", port)) == "not_in_port_set"
    probed = {each["path"] for each in await asked_outside(lab) if "/port/" in each["path"]}
    assert f"/port/{inside}" in probed
    # One more is looked at, that nothing is opened for: this home's as well.
    ours = {f"/port/{each}" for a, b in line.ports for each in range(a, b + 1)}
    assert probed <= ours


@pytest.mark.parametrize("name", ["ds_lite_transix", "cgnat"])
async def test_closed_line_opens_nothing(running: RunningLine) -> None:
    homeport, mode = running.homeport, running.line.mode
    await homeport.state("line_mode", mode)
    port = await homeport.add_port(internal_port="8080", external_port="18080")
    assert await refused(homeport.switch(port, on=True)) == f"line_{mode}"
    await homeport.state("open", "off", port)
    assert await refused(homeport.press("check", port)) == f"line_{mode}"
    asked = await asked_outside(running.lab)
    assert not [each for each in asked if "/port/" in each["path"]]


async def refused(doing: Awaitable[object]) -> str:
    """Return the translation key of the error that something ends with."""
    with pytest.raises(ApiError) as raised:
        await doing
    return str(raised.value.details["translation_key"])
