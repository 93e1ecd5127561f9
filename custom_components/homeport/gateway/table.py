"""Reading the table of port mappings, in as few requests as the gateway allows."""

import asyncio
from collections.abc import Iterable
from itertools import batched
from typing import Final

from .control import Control
from .errors import (
    ActionRefused,
    ActionUnsupported,
    GatewayError,
    GatewayUnreachable,
    HttpRefused,
    InvalidAnswer,
    UpnpCode,
)
from .mapping import parse_listing, parse_mapping
from .model import MappingKey, PortMapping, Transport

MOST_MAPPINGS: Final = 1000
"""Mappings that are read. No home has more, and a table without an end comes to one."""
_LONGEST = 60.0
"""Seconds for the whole table: a slow router takes some 50 ms for an entry."""
_AT_ONCE = 4
"""Requests under way at the same time. The web servers of routers have few places."""
_PASSES = 3
"""Times that the table is read while it changes underneath."""
_LONGEST_LIST = 100
"""Mappings that are asked for in one list. miniupnpd 2.3.1 dies of a list of more than 132, however
few of them are asked for (measured); others fail above 100."""
_LAST_PORT = 65535
_ABSENT = frozenset({UpnpCode.NO_SUCH_ENTRY_IN_ARRAY, UpnpCode.NO_SUCH_ENTRY})
_END = _ABSENT | {UpnpCode.INDEX_INVALID, UpnpCode.INVALID_ARGS}


def is_absent(err: ActionRefused) -> bool:
    """Say whether a gateway refuses because there is no such mapping."""
    return err.code in _ABSENT


async def specific(control: Control, key: MappingKey) -> PortMapping | None:
    """Read one mapping; None when there is none. Raises GatewayError."""
    protocol, external_port = key
    try:
        answer = await control.call_for_any(
            "GetSpecificPortMappingEntry",
            NewExternalPort=external_port,
            NewProtocol=protocol.value,
        )
    except ActionRefused as err:
        if is_absent(err):
            return None
        raise
    return parse_mapping(answer, key)


class Table:
    """The table of one service; what the gateway turns out to be bad at is not tried again."""

    def __init__(self, control: Control) -> None:
        """Take what asks the service."""
        self._control = control
        self.lists = control.service.second_version
        """Whether it can be had in a list, as far as that was tried."""
        self._at_once = _AT_ONCE

    async def read(self, keys: Iterable[MappingKey] = ()) -> list[PortMapping]:
        """Return all mappings, up to MOST_MAPPINGS, each once, whatever the order.

        A gateway that shows its table in no way is asked for each of `keys`; ActionUnsupported is
        raised where there are none. Raises GatewayError.
        """
        wanted = tuple(dict.fromkeys(keys))
        try:
            async with asyncio.timeout(_LONGEST):
                try:
                    return await self._read()
                except ActionUnsupported:
                    if not wanted:
                        raise
                    return await self._of(wanted)
        except TimeoutError as err:
            raise GatewayUnreachable(type(err).__name__) from err

    async def _read(self) -> list[PortMapping]:
        if self.lists:
            try:
                if await self._is_short():
                    return await self._listed()
            except GatewayError:
                self.lists = False
        return await self._indexed()

    async def _of(self, keys: Iterable[MappingKey]) -> list[PortMapping]:
        found: list[PortMapping | None] = []
        for some in batched(keys, self._at_once, strict=False):
            found += await asyncio.gather(*(specific(self._control, key) for key in some))
        return [each for each in found if each]

    async def _is_short(self) -> bool:
        """Say whether the table is short enough to be listed."""
        entry = await self._entry(_LONGEST_LIST)
        if isinstance(entry, PortMapping | InvalidAnswer):
            return False
        if not _is_end(entry, _LONGEST_LIST):
            raise entry
        return True

    async def _listed(self) -> list[PortMapping]:
        """Read by GetListOfPortMappings, one request for each protocol."""
        found: list[PortMapping] = []
        for protocol in Transport:
            try:
                answer = await self._control.call(
                    "GetListOfPortMappings",
                    NewStartPort=1,
                    NewEndPort=_LAST_PORT,
                    NewProtocol=protocol.value,
                    NewManage=1,  # those of other clients too
                    NewNumberOfPorts=_LONGEST_LIST,
                )
            except ActionRefused as err:
                if err.code != UpnpCode.PORT_MAPPING_NOT_FOUND:
                    raise
            else:
                listed = parse_listing(answer.get("NewPortListing", ""))
                found += [each for each in listed if each.protocol is protocol]
        return _unique(found)

    async def _indexed(self) -> list[PortMapping]:
        """Read by GetGenericPortMappingEntry until its end.

        An index moves with every change of the table, so entries can come twice or be skipped while
        it changes. Then both its ends are not where they were, and it is read anew.
        """
        for _ in range(_PASSES):
            entries = await self._pass()
            if len(entries) <= self._at_once or len(entries) >= MOST_MAPPINGS:
                break
            ends = (0, len(entries) - 1)
            now = await self._entries(ends)
            if all(_same(entries[i], each) for i, each in zip(ends, now, strict=True)):
                break
        return _unique(each for each in entries if isinstance(each, PortMapping))

    async def _pass(self) -> list[PortMapping | GatewayError]:
        entries: list[PortMapping | GatewayError] = []
        width = 1
        while len(entries) < MOST_MAPPINGS:
            wave = range(len(entries), min(len(entries) + width, MOST_MAPPINGS))
            for each in await self._entries(wave):
                if isinstance(each, PortMapping | InvalidAnswer):
                    entries.append(each)
                elif _is_end(each, len(entries)):
                    return entries
                elif self._at_once > 1 and isinstance(each, GatewayUnreachable):
                    # Perhaps it has a place for one only.
                    self._at_once = 1
                    break
                else:
                    raise each
            width = min(width * 2, self._at_once)
        return entries

    async def _entries(self, indexes: Iterable[int]) -> list[PortMapping | GatewayError]:
        found: list[PortMapping | GatewayError] = []
        for some in batched(indexes, self._at_once, strict=False):
            found += await asyncio.gather(*map(self._entry, some))
        return found

    async def _entry(self, index: int) -> PortMapping | GatewayError:
        try:
            answer = await self._control.call(
                "GetGenericPortMappingEntry", NewPortMappingIndex=index
            )
            return parse_mapping(answer)
        except GatewayError as err:
            return err


def _is_end(err: GatewayError, index: int) -> bool:
    """Say whether this is how the table ends: with 713, or with anything that is not a first entry.

    Gateways end it with other codes, or with the HTTP status of a web server at its wits' end.
    """
    if isinstance(err, ActionRefused):
        return err.code in _END or index > 0
    return isinstance(err, HttpRefused) and index > 0


def _same(one: PortMapping | GatewayError, other: PortMapping | GatewayError) -> bool:
    if isinstance(one, PortMapping) and isinstance(other, PortMapping):
        return (one.key, one.remote_host) == (other.key, other.remote_host)
    return type(one) is type(other)


def _unique(entries: Iterable[PortMapping]) -> list[PortMapping]:
    found: dict[tuple[MappingKey, str], PortMapping] = {}
    for each in entries:
        found.setdefault((each.key, each.remote_host), each)
    return list(found.values())[:MOST_MAPPINGS]
