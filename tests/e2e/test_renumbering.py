"""The line changes by itself: what is shown follows, and a port that fell out is moved."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path
import socket
import time

import pytest
import pytest_asyncio

from tests.lab import Authority, Lab
from tests.lab.lines.mape import V6PLUS, V6PLUS_HOME, V6PLUS_LATER, V6PLUS_LATER_HOME, renumber
from tests.lab.lines.pieces import OWN

from .api import State
from .homeport import DOMAIN, Homeport
from .lab_control import asked_outside
from .running_line import RunningLine, running_line

OTHER_OWN = "118.22.40.99"
KINDS = "ipv4_changed", "ipv6_prefix_changed", "ipv6_changed"
FIRST_PORT = V6PLUS.ports[6][0] + 2


@pytest_asyncio.fixture
async def running(
    line_name: str, authority: Authority, tmp_path: Path
) -> AsyncIterator[RunningLine]:
    """Run a line until the end of the test."""
    async with running_line(line_name, authority, tmp_path) as line:
        yield line


@pytest.mark.parametrize("line_name", ["map_e_v6plus"])
async def test_line_is_renumbered(running: RunningLine) -> None:
    homeport, lab = running.homeport, running.lab
    await homeport.state("line_mode", "map_e")
    await homeport.state("public_ipv4", V6PLUS.ipv4)
    port = await homeport.add_port(internal_port="8080", external_port=str(FIRST_PORT))
    await homeport.switch(port, on=True)
    await homeport.state("open", "on", port)
    assert await homeport.server.issues(DOMAIN) == []

    before = len(homeport.server.seen)
    with advertised(lab, V6PLUS_LATER_HOME) as heard:
        await renumber(lab)
        events = {kind: await told(homeport, kind) for kind in KINDS}
        begin = await heard
    ipv4 = events["ipv4_changed"]["attributes"]
    assert (ipv4["old"], ipv4["new"]) == (V6PLUS.ipv4, V6PLUS_LATER.ipv4)
    prefix = events["ipv6_prefix_changed"]["attributes"]
    assert (prefix["old"], prefix["new"]) == (f"{V6PLUS_HOME}::/64", f"{V6PLUS_LATER_HOME}::/64")
    assert IPv6Address(events["ipv6_changed"]["attributes"]["new"]) in IPv6Network(prefix["new"])

    await homeport.state("public_ipv4", V6PLUS_LATER.ipv4)
    await homeport.server.wait_state(
        await homeport.entity("openable_ports"),
        lambda state: (
            state["attributes"].get("ranges")
            == [f"{first}-{last}" for first, last in V6PLUS_LATER.ports]
        ),
    )
    await homeport.state("line_mode", "map_e")
    # Nothing else is made of it while half of it is known.
    mode = await homeport.entity("line_mode")
    seen = [each["state"] for each in homeport.server.seen[before:] if each["entity_id"] == mode]
    assert set(seen) == {"map_e"}
    [issue] = await homeport.server.wait_issues(DOMAIN, f"port_not_in_set_{port}")
    raised = time.time()
    assert (issue["is_fixable"], issue["translation_key"]) == (True, "port_not_in_set")
    assert issue["translation_placeholders"]["port"] == str(FIRST_PORT)

    step = await homeport.server.start_fix(DOMAIN, issue["issue_id"])
    moved = int(step["description_placeholders"]["nearest"])
    assert any(first <= moved <= last for first, last in V6PLUS_LATER.ports)
    assert await external_port(homeport, port) == FIRST_PORT
    async with lab["lan"].serve(b"hello from the server", 8080):
        done = await homeport.server.confirm_fix(step["flow_id"])
        assert done["type"] == "create_entry"
        confirmed = time.time()
        await homeport.server.wait_issues(DOMAIN)
        assert await external_port(homeport, port) == moved
        # The gateway started anew, and may have to be asked for a while until it answers.
        await homeport.state("open", "on", port, within=40)
        opened = time.time()
        assert await lab["net"].fetch(V6PLUS_LATER.ipv4, moved) == b"hello from the server"
        await homeport.press("check", port)
        await homeport.state("reachability", "reachable", port)
    paths = [each["path"] for each in await asked_outside(lab)]
    probed = [int(path.removeprefix("/port/")) for path in paths if "/port/" in path]
    # The other one is a port that nothing is opened for, and ours as well.
    assert (probed[0], len(probed)) == (moved, 2)
    ours = V6PLUS_LATER.ports
    assert all(any(first <= each <= last for first, last in ours) for each in probed)
    assert "Traceback" not in homeport.server.log.read_text()
    shown = ", ".join(f"{kind} {at(event) - begin:.2f} s" for kind, event in events.items())
    print(f"\nfrom the advertisement: {shown}, issue {raised - begin:.2f} s")  # noqa: T201
    print(f"from the confirmation to the open port: {opened - confirmed:.2f} s")  # noqa: T201


@pytest.mark.parametrize("line_name", ["public"])
async def test_provider_hands_out_another_address(running: RunningLine) -> None:
    homeport, lab = running.homeport, running.lab
    await homeport.state("line_mode", "public")
    await homeport.state("public_ipv4", OWN)
    begin = time.time()
    lab.change_wan(OTHER_OWN)
    event = await told(homeport, "ipv4_changed", within=3)
    assert (event["attributes"]["old"], event["attributes"]["new"]) == (OWN, OTHER_OWN)
    took = at(event) - begin
    await homeport.state("public_ipv4", OTHER_OWN)
    await homeport.state("line_mode", "public")
    kinds = {
        each["attributes"]["event_type"]
        for each in homeport.server.seen
        if each["entity_id"] == event["entity_id"] and "event_type" in each["attributes"]
    }
    assert kinds - {None} == {"ipv4_changed"}
    print(f"\nfrom the other WAN address to the event: {took:.2f} s")  # noqa: T201


async def told(homeport: Homeport, kind: str, within: float = 20) -> State:
    """Return the state of the event entity when it told of a change."""
    entity = await homeport.entity("address")
    return await homeport.server.wait_seen(
        entity, lambda state: state["attributes"].get("event_type") == kind, within
    )


def at(state: State) -> float:
    """Return when a state was set, as seconds since the epoch."""
    return datetime.fromisoformat(state["last_updated"]).timestamp()


async def external_port(homeport: Homeport, subentry_id: str) -> int:
    """Return the external port that a port has."""
    found = await homeport.server.subentries(homeport.entry_id)
    [key] = [each["unique_id"] for each in found if each["subentry_id"] == subentry_id]
    return int(key.removeprefix("TCP_"))


@contextmanager
def advertised(lab: Lab, prefix: str) -> Iterator[asyncio.Future[float]]:
    """Listen on `lan` for the first advertisement of a /64, which is given by its four groups.

    The future is the seconds since the epoch when it came.
    """
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[float] = loop.create_future()
    wanted = IPv6Address(f"{prefix}::").packed

    def hear(sock: socket.socket) -> None:
        if wanted in sock.recv(65536) and not heard.done():
            heard.set_result(time.time())

    with lab["lan"].new_socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
        sock.setblocking(False)
        loop.add_reader(sock, hear, sock)
        try:
            yield heard
        finally:
            loop.remove_reader(sock)
