"""A UPnP Internet Gateway Device (IGD:1 and IGD:2), IPv4 side."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv4Address
from itertools import islice
from typing import Final, Self

import aiohttp

from .control import Control
from .description import WanService, describe, parse_location
from .errors import (
    ActionRefused,
    ActionUnsupported,
    GatewayError,
    InvalidAnswer,
    NoPublicAddress,
    NotPermitted,
    PortTaken,
    UpnpCode,
)
from .leases import after_refusal, ladder
from .model import GatewayInfo, Granted, MappingKey, Opening, PortMapping, WanStatus
from .requester import GuardedRequester
from .table import Table, is_absent, specific
from .wan import best, external_address, wan_status

_MOST_CANDIDATES: Final = 10
"""External ports that are tried for one opening; more would be hammering."""
# Refusals after which another external port may be granted. On a MAP-E router 606 can mean that the
# port is not in the set.
_OF_THIS_PORT: Final = frozenset(
    {
        UpnpCode.ACTION_FAILED,
        UpnpCode.NOT_AUTHORIZED,
        UpnpCode.WILDCARD_NOT_PERMITTED_IN_EXTERNAL_PORT,
        UpnpCode.CONFLICT,
        UpnpCode.CONFLICT_WITH_OTHER_MECHANISMS,
    }
)


class Igd:
    """One Internet Gateway Device, with the WAN service that carries the internet connection.

    `lease_rule`: the lease in seconds that the gateway takes instead of the one that is wanted, 0 =
    forever only; None while it takes what is wanted. Who keeps it from one connection to the next
    spares the gateway the refusals.
    """

    def __init__(
        self,
        controls: Sequence[Control],
        chosen: Control,
        info: GatewayInfo,
        lease_rule: int | None,
    ) -> None:
        """Take what `connect` found."""
        self.info = info
        self.lease_rule = lease_rule
        self._controls = controls
        self._use(chosen)

    @classmethod
    async def connect(
        cls, session: aiohttp.ClientSession, location: str, *, lease_rule: int | None = None
    ) -> Self:
        """Read the description at the URL `location` and choose the WAN service.

        Raises GatewayError.
        """
        url = parse_location(location)
        requester = GuardedRequester(session, url.host or "")
        description = await describe(requester, url)
        controls = [Control(requester, service) for service in description.services]
        return cls(controls, await best(controls), description.info, lease_rule)

    @property
    def requester(self) -> GuardedRequester:
        """Return what sends requests to this gateway."""
        return self._control.requester

    @property
    def service(self) -> WanService:
        """Return the service that carries the connection."""
        return self._control.service

    @property
    def ppp(self) -> bool:
        """Whether the service that carries the connection is a PPP one."""
        return self.service.ppp

    @property
    def lists(self) -> bool:
        """Whether the gateway can list its table, as far as that was tried."""
        return self._table.lists

    async def wan_status(self) -> WanStatus:
        """Ask for the state and the address of the internet side."""
        return await wan_status(self._control)

    async def external_address(self) -> IPv4Address | None:
        """Ask for the address of the internet side alone."""
        return await external_address(self._control)

    async def choose_again(self) -> bool:
        """Look which service carries the connection now; say whether it is another one.

        Nothing is asked where there is only one.
        """
        chosen = await best(self._controls)
        if chosen is self._control:
            return False
        self._use(chosen)
        return True

    async def mapping(self, key: MappingKey) -> PortMapping | None:
        """Read one mapping back; None when there is none."""
        try:
            return await specific(self._control, key)
        except ActionUnsupported:
            table = await self._table.read()
        return next((each for each in table if each.key == key and not each.remote_host), None)

    async def mappings(self, keys: Iterable[MappingKey] = ()) -> list[PortMapping]:
        """Read the whole table, up to 1,000 mappings, in no order.

        A gateway that cannot list its table is asked for what is at `keys`.
        """
        return await self._table.read(keys)

    async def open(self, opening: Opening, lease: int) -> Granted:
        """Add or refresh a mapping for `lease` seconds, or for what the gateway takes instead.

        Whatever this client has at the external port is replaced without a word by most gateways:
        who is to spare it has to read first. Raises PortTaken, NotPermitted, NoPublicAddress,
        SamePortRequired and others of GatewayError; ValueError for what is no port or no lease.
        """
        _check(opening.external_port, lease)
        try:
            _, granted = await self._add("AddPortMapping", opening, lease)
        except ActionRefused as err:
            raise await self._explained(err, opening) from err
        return Granted(opening.external_port, granted)

    async def open_any(
        self, opening: Opening, lease: int, candidates: Iterable[int] = ()
    ) -> Granted:
        """Add a mapping at its external port or, where that is not to be had, at another one.

        The gateway picks that where it can (AddAnyPortMapping), else it is the first of
        `candidates` that is free. Raises as `open` does, for the first port that was tried.
        """
        _check(opening.external_port, lease)
        if self.service.second_version and not await self._would_replace(opening):
            with suppress(ActionUnsupported):
                return await self._add_any(opening, lease)
        first: ActionRefused | None = None
        ports = dict.fromkeys((opening.external_port, *candidates))
        for port in islice(ports, _MOST_CANDIDATES):
            tried = replace(opening, external_port=port)
            found = await self.mapping(tried.key)
            try:
                if found and not found.is_of(tried):
                    raise PortTaken(UpnpCode.CONFLICT)
                return await self.open(tried, lease)
            except NoPublicAddress:
                raise
            except ActionRefused as err:
                first = first or err
                if err.code not in _OF_THIS_PORT:
                    raise first from err
        raise first or ValueError(opening.external_port)

    async def close(self, key: MappingKey) -> None:
        """Delete a mapping. One that is not there is no error."""
        protocol, external_port = key
        try:
            await self._control.call_for_any(
                "DeletePortMapping", NewExternalPort=external_port, NewProtocol=protocol.value
            )
        except ActionRefused as err:
            if not is_absent(err):
                raise

    def _use(self, control: Control) -> None:
        self._control = control
        self._table = Table(control)

    async def _would_replace(self, opening: Opening) -> bool:
        """Say whether another mapping of the same client stands there, which is not spared."""
        found = await self.mapping(opening.key)
        same_client = found is not None and found.internal_client == str(opening.internal_client)
        return found is not None and same_client and not found.is_of(opening)

    async def _add_any(self, opening: Opening, lease: int) -> Granted:
        try:
            answer, granted = await self._add("AddAnyPortMapping", opening, lease)
        except ActionUnsupported:
            raise
        except ActionRefused as err:
            raise await self._explained(err, opening) from err
        # miniupnpd 2.3.1 declares the second name and answers the first [measured].
        for name in ("NewReservedPort", "NewExternalPort"):
            with suppress(ValueError):
                if 0 < (port := int(answer.get(name, ""))) <= 65535:
                    return Granted(port, granted)
        # It is open all the same, and has to be known: else nobody would ever close it.
        for each in await self._table.read([opening.key]):
            if each.is_of(replace(opening, external_port=each.external_port)):
                return Granted(each.external_port, granted)
        raise InvalidAnswer

    async def _add(self, action: str, opening: Opening, lease: int) -> tuple[dict[str, str], int]:
        """Add a mapping with the first lease that the gateway takes; return answer and lease.

        Another one is tried only when the gateway has said no: then nothing has been added.
        """
        rungs = ladder(lease, self.lease_rule)
        while True:
            rung, *rungs = rungs
            try:
                answer = await self._control.call_for_any(
                    action,
                    NewExternalPort=opening.external_port,
                    NewProtocol=opening.protocol.value,
                    NewInternalPort=opening.internal_port,
                    NewInternalClient=str(opening.internal_client),
                    NewEnabled=1,
                    NewPortMappingDescription=opening.description,
                    NewLeaseDuration=rung,
                )
            except ActionRefused as err:
                rungs = after_refusal(err.code, rungs)
                if not rungs:
                    raise
            else:
                if rung != lease:
                    self.lease_rule = rung
                elif rung != self.lease_rule:
                    self.lease_rule = None
                return answer, rung

    async def _explained(self, err: ActionRefused, opening: Opening) -> ActionRefused:
        """Return the refusal as what the gateway means by it, as far as it can be read there."""
        if err.code not in {UpnpCode.CONFLICT, UpnpCode.ACTION_FAILED}:
            return err
        try:
            if err.code == UpnpCode.ACTION_FAILED:
                status = await self.wan_status()
                if not (status.connected and status.address and status.address.is_global):
                    return NoPublicAddress(err.code)
            found = await self.mapping(opening.key)
        except GatewayError:
            return err
        if found and not found.is_of(opening):
            return PortTaken(err.code)
        if found is None and err.code == UpnpCode.CONFLICT:
            return NotPermitted(err.code)
        return err


def _check(external_port: int, lease: int) -> None:
    """Refuse port 0, which would be every port where a gateway takes it, and a lease of no time."""
    if not 0 < external_port <= 65535 or lease <= 0:
        raise ValueError(external_port, lease)
