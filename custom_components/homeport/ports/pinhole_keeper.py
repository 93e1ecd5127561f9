"""Keeping the gateway's IPv6 firewall as it is wanted: the doing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
import time

from ..gateway import (
    ActionRefused,
    Firewall,
    FirewallOff,
    GatewayError,
    GatewayUnreachable,
    Hole,
    PcpRefused,
    Pinhole,
    PinholeUnsupported,
    PinholeWay,
)
from .pinhole_plan import PinholePlan, PinholeState, pinhole_plan
from .plan import LEASE


@dataclass(frozen=True, slots=True)
class KeptPinhole:
    """What the firewall was left with for one port.

    - `hole`: the open one, or the one that ends by itself
    - `left`: what kept another one of the port from being closed, which is tried again
    """

    state: PinholeState
    hole: Hole | None = None
    left: GatewayError | None = None


class PinholeKeeper:
    """Opens, renews and closes the pinholes of one gateway's ports, each known by an id.

    `remembered` is what was asked of the gateway and may be open yet. It is saved before anything
    is asked for, so that not even a crash leaves a pinhole behind that nobody knows of.
    """

    def __init__(
        self,
        remembered: dict[str, list[Hole]],
        save: Callable[[], Awaitable[None]],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the memory, which is changed in place, what saves it, and the clock.

        `now` is the time in seconds since 1970.
        """
        self.remembered = remembered
        self._save = save
        self._now = now
        self._ended = False
        self._firewall: Firewall | None = None
        self._sure: set[Hole] = set()
        self._lock = asyncio.Lock()

    async def keep(
        self, firewall: Firewall, port_id: str, wanted: Callable[[], Pinhole | None]
    ) -> KeptPinhole:
        """Make the firewall have what is wanted for one port, and nothing else of it.

        `wanted` is asked when it is its turn. Another object as `firewall` says that the gateway
        may have been away in the meantime. Raises GatewayError.
        """
        async with self._lock:
            if firewall is not self._firewall:
                self._firewall = firewall
                self._sure.clear()
            pinhole = None if self._ended else wanted()
            steps = self._plan(firewall, port_id, pinhole)
            if steps.forget:
                self._drop(port_id, steps.forget)
                await self._save()
            left = await self._close(firewall, port_id, steps)
            if pinhole is None:
                if left:
                    raise left
                ending = self._plan(firewall, port_id, None).ending
                if ending:
                    return KeptPinhole(PinholeState.ENDING, max(ending, key=lambda hole: hole.ends))
                return KeptPinhole(PinholeState.CLOSED)
            if steps.read and await self._shows(firewall, steps.read):
                return KeptPinhole(PinholeState.OPEN, steps.read, left)
            try:
                hole = await self._open(firewall, port_id, pinhole)
            except FirewallOff:
                return KeptPinhole(PinholeState.FIREWALL_OFF, None, left)
            state = PinholeState.OPEN if hole in self._sure else PinholeState.MISSING
            return KeptPinhole(state, hole, left)

    async def close_all(self, firewall: Firewall) -> None:
        """Close whatever is remembered, and open nothing any more.

        Raises GatewayError, when every port has been tried.
        """
        self._ended = True
        refusal: GatewayError | None = None
        for port_id in list(self.remembered):
            try:
                await self.keep(firewall, port_id, lambda: None)
            except GatewayError as err:
                refusal = refusal or err
        if refusal:
            raise refusal

    def _plan(self, firewall: Firewall, port_id: str, wanted: Pinhole | None) -> PinholePlan:
        remembered = self.remembered.get(port_id, ())
        return pinhole_plan(wanted, remembered, firewall.place.own, self._sure, self._now())

    async def _close(
        self, firewall: Firewall, port_id: str, steps: PinholePlan
    ) -> GatewayError | None:
        """Close what is not wanted; return what kept one from being closed."""
        refusal: GatewayError | None = None
        for hole in steps.close:
            try:
                way = await self._way(firewall, hole)
                seconds = await way.close(hole, sure=hole in self._sure)
            except GatewayError as err:
                refusal = refusal or err
                await _doubt(firewall, hole, err)
                continue
            self._drop(port_id, (hole,))
            if seconds:
                ends = min(hole.ends, self._now() + seconds)
                self._put(port_id, replace(hole, ends=ends, ending=True))
            await self._save()
        return refusal

    async def _shows(self, firewall: Firewall, hole: Hole) -> bool:
        """Say whether it is there, or nothing speaks against it."""
        try:
            seen = await (await self._way(firewall, hole)).shows(hole)
        except GatewayError as err:
            await _doubt(firewall, hole, err)
            raise
        if seen is False:
            # A gateway that has lost one has lost all of them.
            self._sure.clear()
        return seen is not False

    async def _open(self, firewall: Firewall, port_id: str, pinhole: Pinhole) -> Hole:
        """Open or renew a pinhole, by the way of last time if that still goes."""
        source = firewall.source_for(pinhole.client)
        ways = await firewall.ways(source) if source else ()
        if source is None or not ways:
            raise PinholeUnsupported(pinhole)
        refusal: GatewayError | None = None
        for way in self._in_order(ways, port_id, pinhole):
            before = self._held(port_id, pinhole, way)
            lease, ends = LEASE, self._now() + LEASE
            asked = Hole(pinhole, way.by, source, lease, ends, before.number if before else None)
            if before:
                asked = replace(asked, ends=max(before.ends, ends))
            # It has to be known before it is there.
            await self._replace(port_id, before, asked)
            try:
                granted = await way.open(pinhole, lease)
            except (ActionRefused, PcpRefused) as err:
                await self._replace(port_id, asked, before)
                if isinstance(err, FirewallOff):
                    raise
                refusal = refusal or err
            except GatewayError as err:
                await _doubt(firewall, asked, err)
                refusal = refusal or err
            else:
                hole = replace(
                    asked,
                    lease=granted.lease,
                    ends=self._now() + granted.lease,
                    number=granted.number,
                )
                await self._replace(port_id, asked, hole)
                if hole.number is not None:
                    # Two cannot have one id: the other one's is from before a restart.
                    self._sure = {each for each in self._sure if each.number != hole.number}
                if await way.shows(hole) is not False:
                    self._sure.add(hole)
                return hole
        raise refusal or GatewayUnreachable

    def _in_order(
        self, ways: Sequence[PinholeWay], port_id: str, pinhole: Pinhole
    ) -> list[PinholeWay]:
        return sorted(ways, key=lambda way: self._held(port_id, pinhole, way) is None)

    def _held(self, port_id: str, pinhole: Pinhole, way: PinholeWay) -> Hole | None:
        """Return what is remembered of a pinhole by one protocol."""
        held = self.remembered.get(port_id, ())
        return next((each for each in held if (each.pinhole, each.by) == (pinhole, way.by)), None)

    async def _way(self, firewall: Firewall, hole: Hole) -> PinholeWay:
        """Return the way by which a pinhole was made. Raises GatewayUnreachable."""
        for way in await firewall.ways(hole.source):
            if way.by is hole.by:
                return way
        raise GatewayUnreachable

    async def _replace(self, port_id: str, before: Hole | None, after: Hole | None) -> None:
        if before:
            self._drop(port_id, (before,))
        if after:
            self._put(port_id, after)
        await self._save()

    def _put(self, port_id: str, hole: Hole) -> None:
        self.remembered.setdefault(port_id, []).append(hole)

    def _drop(self, port_id: str, holes: Sequence[Hole]) -> None:
        left = [each for each in self.remembered.get(port_id, ()) if each not in holes]
        self._sure.difference_update(holes)
        if left:
            self.remembered[port_id] = left
        else:
            self.remembered.pop(port_id, None)


async def _doubt(firewall: Firewall, hole: Hole, err: GatewayError) -> None:
    """Have it found out anew what the gateway speaks, after an error that asks for that."""
    if isinstance(err, GatewayUnreachable):
        await firewall.forget(hole.source)
