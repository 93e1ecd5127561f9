"""One gateway, by whichever of its protocols opens a port."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from ipaddress import IPv4Address
import time
from typing import Final

from .epoch import Epoch, natpmp_lost_state, pcp_lost_state
from .errors import (
    ActionRefused,
    ActionUnsupported,
    GatewayError,
    GatewayUnreachable,
    HttpRefused,
    InvalidAnswer,
    NatPmpRefused,
    NoPublicAddress,
    NotPermitted,
    PcpRefused,
    PortTaken,
    UpnpCode,
)
from .igd import Igd
from .mapper import Mapper, Mappers
from .memory import By, Grant, Memory
from .model import Granted, MappingKey, Opening, PortMapping, WanStatus
from .reading import Reading

_LOST: Final = {By.PCP: pcp_lost_state, By.NAT_PMP: natpmp_lost_state}


# Refusals that are about UPnP, and not about this port or about the gateway's table.
_OF_UPNP: Final = frozenset(
    {
        UpnpCode.INVALID_ARGS,
        UpnpCode.SAME_PORT_VALUES_REQUIRED,
        UpnpCode.ONLY_PERMANENT_LEASES,
        UpnpCode.REMOTE_HOST_ONLY_WILDCARD,
        UpnpCode.EXTERNAL_PORT_ONLY_WILDCARD,
        UpnpCode.WILDCARD_NOT_PERMITTED_IN_INTERNAL_PORT,
    }
)


class Router:
    """The protocols of one gateway behind one interface.

    UPnP comes first, since it alone shows what is open. What it cannot do is asked for by PCP and
    NAT-PMP, and what one of these has opened stays with it.
    """

    def __init__(
        self,
        igd: Igd | None,
        mappers: Mappers,
        memory: Memory,
        save: Callable[[], Awaitable[None]],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take what the gateway speaks, the memory, which is changed in place, and what saves it.

        `now` is the time in seconds since 1970.
        """
        self.igd = igd
        self._mappers = mappers
        self._own = mappers.own
        self._memory = memory
        self._save = save
        self._now = now
        self._seen: set[MappingKey] = set()
        self._reading: Reading | None = None
        self._epochs: dict[By, Epoch] = {}

    async def wan_status(self) -> WanStatus:
        """Ask for the state and the address of the internet side."""
        status = await (self.igd or self._mappers).wan_status()
        await self._check_age()
        if self.igd:
            expected = len(self._reading.asked) if self._reading else 0
            await self.stop()
            self._reading = Reading(self.igd, expected)
        return status

    async def mapping(self, key: MappingKey) -> PortMapping | None:
        """Read one mapping back; None when there is none."""
        if grant := self._granted(key):
            return self._shown(grant)
        if self._reading:
            return await self._reading.mapping(key)
        return await self.igd.mapping(key) if self.igd else None

    async def mappings(self, keys: Iterable[MappingKey] = ()) -> list[PortMapping]:
        """Read the whole table; only what is at `keys` where the gateway shows no more."""
        granted = [grant for key in list(self._memory.grants) if (grant := self._granted(key))]
        listed = await self.igd.mappings(keys) if self.igd else []
        ours = {grant.opening.key for grant in granted}
        # UPnP shows them under a name of the router's own.
        return [
            *map(self._shown, granted),
            *(each for each in listed if each.key not in ours),
        ]

    async def open(self, opening: Opening, lease: int) -> Granted:
        """Add or refresh a mapping for `lease` seconds, or for what the gateway takes instead.

        Raises what the first protocol said where none of them opens it.
        """
        self._change(opening.key)
        grant, refusal = self._granted(opening.key), None
        async for by in self._in_order(grant.by if grant else By.IGD):
            try:
                if isinstance(by, Igd):
                    return await self._open_by_igd(by, opening, lease)
                return await self._open_by(by, opening, lease, exact=True)
            except PortTaken, NoPublicAddress:
                raise
            except (ActionRefused, HttpRefused, InvalidAnswer, PcpRefused, NatPmpRefused) as err:
                if not _may_differ(err, opening, self._own):
                    raise refusal or err from err
                refusal = refusal or err
            except GatewayUnreachable as err:
                # It may have opened it all the same: another one would open it twice.
                raise refusal or err from err
        raise refusal or GatewayUnreachable

    async def open_any(
        self, opening: Opening, lease: int, candidates: Iterable[int] = ()
    ) -> Granted:
        """Add a mapping at its external port or, where that is not to be had, at another one."""
        refusal: GatewayError | None = None
        if self.igd:
            try:
                granted = await self.igd.open_any(opening, lease, candidates)
            except (ActionRefused, HttpRefused, InvalidAnswer) as err:
                refusal = err
            else:
                self._memory.lease_rule = self.igd.lease_rule
                return granted
        for mapper in await self._mappers.answering():
            try:
                return await self._open_by(mapper, opening, lease, exact=False)
            except GatewayError as err:
                refusal = refusal or err
        raise refusal or GatewayUnreachable

    async def close(self, key: MappingKey) -> None:
        """Delete a mapping. One that is not there is no error."""
        self._change(key)
        grant = self._memory.grants.get(key)
        if grant is None:
            if self.igd:
                await self.igd.close(key)
            return
        for mapper in await self._mappers.answering():
            if mapper.by is grant.by:
                await mapper.unmap(grant.opening)
                self._forget(key)
                return
        # It ends with its lease; until then it has to be remembered.
        raise GatewayUnreachable

    async def stop(self) -> None:
        """End a reading that is under way."""
        if reading := self._reading:
            self._reading = None
            await reading.stop()

    def _change(self, key: MappingKey) -> None:
        if self._reading:
            self._reading.changed(key)

    async def _open_by_igd(self, igd: Igd, opening: Opening, lease: int) -> Granted:
        granted = await igd.open(opening, lease)
        self._memory.lease_rule = igd.lease_rule
        return granted

    async def _open_by(
        self, mapper: Mapper, opening: Opening, lease: int, *, exact: bool
    ) -> Granted:
        before = self._memory.grants.get(opening.key)
        # Known before it is there: else a crash would leave one that nobody can close.
        self._memory.grants[opening.key] = Grant(mapper.by, opening, self._now() + lease)
        if before is None or before.by is not mapper.by:
            await self._save()
        try:
            granted = await mapper.map(opening, lease, exact=exact)
        except PcpRefused, NatPmpRefused, ActionRefused:
            self._forget(opening.key)
            if before:  # which may be there until its time is over
                self._memory.grants[opening.key] = before
            raise
        if granted.external_port != opening.external_port:
            self._memory.grants.pop(opening.key)
            opening = replace(opening, external_port=granted.external_port)
        self._memory.grants[opening.key] = Grant(mapper.by, opening, self._now() + granted.lease)
        self._seen.add(opening.key)
        await self._save()
        return granted

    async def _in_order(self, first: By) -> AsyncIterator[Igd | Mapper]:
        """Return what can open a port, one after the other, from a certain one on."""
        if self.igd and first is By.IGD:
            yield self.igd
        mappers = await self._mappers.answering()
        for mapper in sorted(mappers, key=lambda each: each.by is not first):
            yield mapper
        if self.igd and first is not By.IGD:
            yield self.igd

    async def _check_age(self) -> None:
        """Notice that the gateway has lost what was opened by a protocol without a table."""
        used = {grant.by for grant in self._memory.grants.values()}
        for mapper in await self._mappers.answering() if used else ():
            if mapper.by not in used or (age := await _age(mapper)) is None:
                continue
            before, self._epochs[mapper.by] = self._epochs.get(mapper.by), age
            if before and _LOST[mapper.by](before, age):
                # To be asked for anew, by the same protocol: it may still be there.
                self._seen -= {
                    key for key, grant in self._memory.grants.items() if grant.by is mapper.by
                }

    def _granted(self, key: MappingKey) -> Grant | None:
        grant = self._memory.grants.get(key)
        if grant and grant.ends <= self._now():
            self._forget(key)
            return None
        return grant

    def _forget(self, key: MappingKey) -> None:
        self._memory.grants.pop(key, None)
        self._seen.discard(key)

    def _shown(self, grant: Grant) -> PortMapping:
        """Return what a table would show."""
        opening = grant.opening
        return PortMapping(
            protocol=opening.protocol,
            external_port=opening.external_port,
            internal_client=str(opening.internal_client),
            internal_port=opening.internal_port,
            description=opening.description,
            # One that was made before we were here shows itself by its renewal only.
            enabled=opening.key in self._seen,
            lease=max(int(grant.ends - self._now()), 1),
        )


async def _age(mapper: Mapper) -> Epoch | None:
    """Return the age of the gateway's table; None where it does not say, or does not answer."""
    try:
        return await mapper.age()
    except GatewayError:
        return None


def _may_differ(err: GatewayError, opening: Opening, own: IPv4Address | None) -> bool:
    """Say whether another protocol may open what this one has refused.

    Not a port that is refused itself: PCP and NAT-PMP would give another one instead, and miniupnpd
    2.3.1 opens the next one that its rules allow, after seconds in which it answers to nobody
    (measured on a MAP-E router).
    """
    if isinstance(err, NotPermitted):
        # Only for others: PCP knows requests on behalf of another host.
        return opening.internal_client != own
    if isinstance(err, ActionRefused) and not isinstance(err, ActionUnsupported):
        return err.code in _OF_UPNP
    return True
