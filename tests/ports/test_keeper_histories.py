"""The keeper through random histories of wishes, faults, crashes and foreign mappings.

The gateway lives in memory, and every call to it and every save is a point where the story can
end with a crash. After it only what was saved is known.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from enum import Enum, auto
from ipaddress import IPv4Address
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from custom_components.homeport.gateway import (
    ActionRefused,
    GatewayError,
    GatewayUnreachable,
    MappingKey,
    Opening,
    PortMapping,
    Transport,
)
from custom_components.homeport.ports import Keeper, Kept, MappingState
from custom_components.homeport.ports.plan import LEASE

TAG = "Homeport"
PORT_IDS = ("a", "b")
# Few of everything, so that things meet.
OPENINGS = [
    Opening(Transport.TCP, external, IPv4Address("192.168.1.10"), internal, TAG)
    for external in (1001, 1002)
    for internal in (80, 81)
]
KEYS = sorted({opening.key for opening in OPENINGS})


class Mood(Enum):
    """How a gateway takes a call."""

    WELL = auto()
    REFUSES = auto()
    IS_AWAY = auto()
    DOES_IT_AND_HANGS_UP = auto()
    LIES = auto()


class Crashed(BaseException):
    """The story ended before its end: nobody catches it."""


class Story:
    """Runs the keeper to the end, or to the point of a certain number, where it crashes."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._left: int | None = None

    def close(self) -> None:
        self._runner.close()

    async def point(self) -> None:
        """Pass a point where the story can end. After a crash nothing gets past one."""
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise Crashed
        await asyncio.sleep(0)

    def tell[T](self, story: Coroutine[Any, Any, T], points: int | None = None) -> T:
        self._left = points
        try:
            return self._runner.run(story)
        finally:
            self._left = None


def found(opening: Opening, lease: int) -> PortMapping:
    return PortMapping(
        *(opening.protocol, opening.external_port, str(opening.internal_client)),
        *(opening.internal_port, opening.description),
        enabled=True,
        lease=lease,
    )


class Router:
    """A gateway that must never be told to touch what is foreign."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self.table: dict[MappingKey, PortMapping] = {}
        self.foreign: set[MappingKey] = set()
        self.moods: list[Mood] = []
        self.permanent = False

    async def _meet(self) -> Mood:
        await self._story.point()
        mood = self.moods.pop(0) if self.moods else Mood.WELL
        if mood is Mood.REFUSES:
            raise ActionRefused(501)
        if mood is Mood.IS_AWAY:
            raise GatewayUnreachable
        return mood

    async def wan_status(self) -> Any:
        raise NotImplementedError

    async def mapping(self, key: MappingKey) -> PortMapping | None:
        mood = await self._meet()
        if mood is Mood.DOES_IT_AND_HANGS_UP:
            raise GatewayUnreachable
        return self.table.get(key)

    async def open(self, opening: Opening, lease: int) -> None:
        assert 0 < opening.external_port < 65_536
        assert opening.key not in self.foreign, "would overwrite a foreign mapping"
        mood = await self._meet()
        if mood is not Mood.LIES:
            self.table[opening.key] = found(opening, 0 if self.permanent else lease)
        if mood is Mood.DOES_IT_AND_HANGS_UP:
            raise GatewayUnreachable

    async def close(self, key: MappingKey) -> None:
        assert key[1] > 0
        assert key not in self.foreign, "would delete a foreign mapping"
        mood = await self._meet()
        if mood is not Mood.LIES:
            self.table.pop(key, None)
        if mood is Mood.DOES_IT_AND_HANGS_UP:
            raise GatewayUnreachable


class Histories(RuleBasedStateMachine):
    """Wishes, faults and crashes; what must hold holds after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.router = Router(self.story)
        self.wishes: dict[str, Opening] = {}
        self.shown: dict[str, Opening] = dict(zip(PORT_IDS, OPENINGS, strict=False))
        self.saved: dict[str, Opening] = {}
        self.start()

    def start(self) -> None:
        self.keeper = Keeper(dict(self.saved), self.save)

    async def save(self) -> None:
        await self.story.point()
        self.saved = dict(self.keeper.remembered)

    def keep(self, port_id: str, points: int | None = None) -> Kept:
        opening = self.wishes.get(port_id)
        story = self.keeper.keep(
            self.router,
            port_id,
            opening or self.shown[port_id],
            wanted=opening is not None,
        )
        return self.story.tell(story, points)

    def wish(self, port_id: str, opening: Opening | None) -> None:
        """Two ports never have the same external port: the flow sees to it."""
        self.wishes.pop(port_id, None)
        if opening and opening.key not in {other.key for other in self.wishes.values()}:
            self.wishes[port_id] = self.shown[port_id] = opening

    @rule(
        port_id=st.sampled_from(PORT_IDS),
        wishes=st.lists(st.none() | st.sampled_from(OPENINGS), max_size=1),
        calls_before=st.integers(0, 4),
        mood=st.sampled_from(Mood),
        points=st.none() | st.integers(1, 8),
    )
    def poll(
        self,
        port_id: str,
        wishes: list[Opening | None],
        calls_before: int,
        mood: Mood,
        points: int | None,
    ) -> None:
        """With a new wish or the old one; one call may go wrong, or the story end."""
        for wish in wishes:
            self.wish(port_id, wish)
        self.router.moods = [Mood.WELL] * calls_before + [mood]
        try:
            self.keep(port_id, points)
        except GatewayError:
            pass
        except Crashed:
            self.start()
        self.router.moods = []

    @rule(port_id=st.sampled_from(PORT_IDS), points=st.none() | st.integers(1, 6))
    def removed(self, port_id: str, points: int | None) -> None:
        self.wishes.pop(port_id, None)
        try:
            self.story.tell(self.keeper.close(self.router, port_id), points)
        except Crashed:
            self.start()
        else:
            assert port_id not in self.keeper.remembered

    @rule(key=st.sampled_from(KEYS))
    def lost(self, key: MappingKey) -> None:
        self.router.table.pop(key, None)
        self.router.foreign.discard(key)

    @rule(permanent=st.booleans())
    def other_leases(self, permanent: bool) -> None:
        self.router.permanent = permanent

    @rule(key=st.sampled_from(KEYS), lease=st.sampled_from([1, LEASE // 2]), on=st.booleans())
    def age(self, key: MappingKey, lease: int, on: bool) -> None:
        if mapping := self.router.table.get(key):
            self.router.table[key] = replace(mapping, lease=lease, enabled=on)

    @rule(
        opening=st.sampled_from(OPENINGS),
        change=st.sampled_from(
            [{"internal_client": "192.168.1.99"}, {"internal_port": 9}, {"description": ""}]
        ),
    )
    def someone_elses(self, opening: Opening, change: dict[str, Any]) -> None:
        self.router.table[opening.key] = replace(found(opening, 0), **change)
        self.router.foreign.add(opening.key)

    @invariant()
    def nothing_of_ours_is_forgotten(self) -> None:
        for key, mapping in self.router.table.items():
            if key not in self.router.foreign:
                assert any(mapping.is_of(opening) for opening in self.saved.values())

    @rule()
    def settle(self) -> None:
        """Two readings of a gateway that is well are enough for everything to be as wanted."""
        for _ in range(2):
            kept = {port_id: self.keep(port_id) for port_id in PORT_IDS}
        ours = {key: m for key, m in self.router.table.items() if key not in self.router.foreign}
        expected = {o.key: o for o in self.wishes.values() if o.key not in self.router.foreign}
        assert ours.keys() == expected.keys()
        assert all(ours[key].is_of(opening) for key, opening in expected.items())
        for port_id, opening in self.wishes.items():
            foreign = opening.key in self.router.foreign
            state = MappingState.FOREIGN if foreign else MappingState.OPEN
            assert kept[port_id].state is state
        assert self.keeper.remembered == self.saved

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.story.close()


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
