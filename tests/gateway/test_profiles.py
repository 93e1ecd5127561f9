"""Every known quirk of routers, and what comes of it. With -s the table of them is printed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from ipaddress import IPv4Address
import sys

import aiohttp
import pytest

from custom_components.homeport.gateway import (
    ActionRefused,
    GatewayError,
    Granted,
    Igd,
    MappingKey,
    Opening,
    Transport,
)
from custom_components.homeport.gateway.events import Events
from tests.fakes.igd import FakeIgd
from tests.fakes.igd.profiles import PROFILES, Outcome, Profile

TAG = "Homeport 1a2b3c4d"


class Visit:
    """One client that takes every step at a router."""

    def __init__(self, igd: Igd, profile: Profile) -> None:
        self._igd = igd
        self._lease = profile.lease
        self._opening = Opening(
            Transport.TCP, 18123, IPv4Address(profile.client), profile.internal_port, TAG
        )
        self._granted: list[MappingKey] = []

    async def wan(self) -> str:
        status = await self._igd.wan_status()
        said = {True: "connected", False: "not connected", None: "perhaps connected"}
        return f"{said[status.connected]} {status.address}"

    async def opened(self) -> str:
        granted = await self._igd.open(self._opening, self._lease)
        return f"{self._keep(granted)} for {granted.lease} s"

    async def read(self) -> str:
        found = await self._igd.mapping(self._opening.key)
        if found is None:
            return "none"
        return f"ours, {found.lease} s" if found.is_of(self._opening) else "foreign"

    async def anywhere(self) -> str:
        opening = replace(self._opening, external_port=18125)
        return self._keep(await self._igd.open_any(opening, self._lease, (18200, 18201)))

    async def listed(self) -> str:
        found = await self._igd.mappings(self._granted)
        assert {mapping.key for mapping in found} >= set(self._granted) or len(found) == 0
        return str(len(found))

    async def closed(self) -> str:
        for key in self._granted:
            await self._igd.close(key)
            await self._igd.close(key)  # what is not there is no error
            if await self._igd.mapping(key):
                return "still there"
        return "gone" if self._granted else "-"

    def _keep(self, granted: Granted) -> str:
        self._granted.append((Transport.TCP, granted.external_port))
        return str(granted.external_port)


async def attempt(step: Callable[[], Awaitable[str]]) -> str:
    try:
        return await step()
    except ActionRefused as err:
        return f"{type(err).__name__} {err.code}"
    except GatewayError as err:
        return type(err).__name__


async def heard(igd: Igd, wait: float) -> str:
    """Say whether an event comes in this many seconds."""
    hints: asyncio.Queue[Mapping[str, str]] = asyncio.Queue()
    events = Events(igd, "127.0.0.1", hints.put_nowait)
    await events.start()
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(hints.get(), wait)
            return "heard"
    finally:
        await events.stop()
    return "silent"


async def outcome(session: aiohttp.ClientSession, profile: Profile) -> Outcome:
    async with FakeIgd(**profile.options) as fake:
        profile.prepare(fake)
        try:
            igd = await Igd.connect(session, fake.location)
        except GatewayError as err:
            nothing = dict.fromkeys(asdict(Outcome()), "-")
            return Outcome(**nothing | {"service": type(err).__name__})
        visit = Visit(igd, profile)
        steps = (visit.wan, visit.opened, visit.read, visit.anywhere, visit.listed, visit.closed)
        result = {step.__name__: await attempt(step) for step in steps}
        sent = [arguments for action, arguments in fake.requests if action.startswith("Add")]
        assert all(arguments["NewExternalPort"] for arguments in sent)
        return Outcome(
            service=igd.service.service_type.rpartition("service:")[2],
            events=await heard(igd, 5 if profile.must.events == "heard" else 0.2),
            **result,
        )


@pytest.fixture(scope="module")
def table() -> Iterator[list[tuple[Profile, Outcome]]]:
    """Collect what comes of each, and print it."""
    rows: list[tuple[Profile, Outcome]] = []
    yield rows
    usual = asdict(Outcome())
    lines = [f"\n\n{'router':27} {'what it does':86} what comes of it"]
    for profile, result in rows:
        unusual = {step: said for step, said in asdict(result).items() if said != usual[step]}
        if result.wan == "-":
            unusual = {"not connected to": result.service}
        said = ", ".join(f"{step}: {said}" for step, said in unusual.items()) or "all is well"
        lines.append(f"{profile.name:27} {profile.does:86} {said}")
    sys.stdout.write("\n".join([*lines, f"{len(rows)} routers\n"]))


@pytest.mark.parametrize("name", PROFILES)
async def test_what_comes_of_a_quirk(
    session: aiohttp.ClientSession, table: list[tuple[Profile, Outcome]], name: str
) -> None:
    profile = PROFILES[name]
    result = await outcome(session, profile)
    table.append((profile, result))
    assert result == profile.must


def test_there_are_many() -> None:
    assert len(PROFILES) >= 40
