"""Asking the authoritative servers of a zone for the addresses of a name."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from functools import partial
from ipaddress import ip_address
import socket
from typing import TYPE_CHECKING, Final, NamedTuple

import aiodns
import pycares

from .family import Family, IPAddress, is_public
from .names import valid_name

if TYPE_CHECKING:  # dnspython is imported in a thread only
    from .name_message import Said

TRY: Final = 0.6
"""Seconds that one answer is waited for."""
TRIES: Final = 2
SERVERS: Final = 3
"""How many of a zone's servers are asked; a zone has two at least (RFC 1034 section 4.1)."""

_PORT: Final = 53
_LABELS: Final = 8  # of a zone's name
_LONGEST: Final = 65535  # bytes; RFC 1035 section 4.2.2
_FAMILIES: Final[tuple[Family, Family]] = (4, 6)
_NO_DATA: Final = pycares.errno.ARES_ENODATA
_ABSENT: Final = frozenset({pycares.errno.ARES_ENOTFOUND, _NO_DATA})
_KINDS: Final = {
    pycares.NSRecordData: "NS",
    pycares.ARecordData: "A",
    pycares.AAAARecordData: "AAAA",
}


class NameTrouble(StrEnum):
    """Why it is not known where a name leads.

    - `no_name`: there is no such name in the internet's DNS
    - `unresolved`: who is responsible for it could not be found out
    - `silent`: none of the responsible servers answers in time
    - `refused`: what answers there is not responsible, or refuses
    - `aliases`: it is an alias of an alias of …, or of what is no name
    """

    NO_NAME = "no_name"
    UNRESOLVED = "unresolved"
    SILENT = "silent"
    REFUSED = "refused"
    ALIASES = "aliases"


class _Zone(NamedTuple):
    """A zone, and for each of its servers the addresses to try."""

    name: str
    servers: list[list[IPAddress]]


class Authorities:
    """Finds and asks the servers that are responsible for names."""

    def __init__(self, resolver: aiodns.DNSResolver) -> None:
        """Take who knows the zones' servers."""
        self._resolver = resolver

    async def ask(self, name: str) -> dict[Family, Said | NameTrouble]:
        """Return what the servers of a hostname's zone say, together, by family.

        Takes some seconds at most: one for each of the zone, its servers, and each of two ways to
        ask one of them.
        """
        zone = await self._zone(name)
        if isinstance(zone, NameTrouble):
            return dict.fromkeys(_FAMILIES, zone)
        said = await asyncio.gather(*(_ask_all(zone, name, family) for family in _FAMILIES))
        return dict(zip(_FAMILIES, said, strict=True))

    async def _zone(self, name: str) -> _Zone | NameTrouble:
        """Return the zone that a name is in: the nearest above it, or itself, that has servers."""
        labels = name.split(".")
        above = [".".join(labels[start:]) for start in range(len(labels))][-_LABELS:]
        told = await asyncio.gather(*(self._query(each, pycares.NSRecordData) for each in above))
        for zone, records in zip(above, told, strict=True):
            named = (valid_name(each.nsdname) for each in records or ())
            if names := list(dict.fromkeys(each for each in named if each))[:SERVERS]:
                servers = await asyncio.gather(*map(self._addresses, names))
                usable = [each for each in servers if each]
                return _Zone(zone, usable) if usable else NameTrouble.UNRESOLVED
        return NameTrouble.UNRESOLVED if None in told else NameTrouble.NO_NAME

    async def _addresses(self, server: str) -> list[IPAddress]:
        """Return one address of each family, as far as there is one that the internet has."""
        ipv4, ipv6 = await asyncio.gather(
            self._query(server, pycares.ARecordData, any_owner=True),
            self._query(server, pycares.AAAARecordData, any_owner=True),
        )
        told = zip(_FAMILIES, (ipv4, ipv6), strict=True)
        found = ((family, [ip_address(each.addr) for each in said or ()]) for family, said in told)
        usable = ([ip for ip in each if is_public(ip, family)] for family, each in found)
        return [each[0] for each in usable if each]

    async def _query[DataT](
        self, name: str, kind: type[DataT], *, any_owner: bool = False
    ) -> list[DataT] | None:
        """Return the records of a name; [] when there are none, None when nobody knows.

        `any_owner` takes those of the name's alias as well.
        """
        try:
            async with asyncio.timeout(TRY * TRIES + 0.1):
                result = await self._resolver.query_dns(name, _KINDS[kind])
        except aiodns.error.DNSError as err:
            # A top-level domain has servers: who knows of none passes on addresses alone.
            top = kind is pycares.NSRecordData and "." not in name
            return [] if err.args[0] in (_ABSENT - {_NO_DATA} if top else _ABSENT) else None
        except TimeoutError:
            return None
        return [
            each.data
            for each in result.answer
            if isinstance(each.data, kind)
            and (any_owner or each.name.removesuffix(".").lower() == name)
        ]


async def _ask_all(zone: _Zone, name: str, family: Family) -> Said | NameTrouble:
    """Ask the servers of a zone side by side."""
    try:
        read, request = await asyncio.to_thread(_prepare, zone.name, name, family)
    except ValueError:
        return NameTrouble.NO_NAME
    wires = await asyncio.gather(*(_ask_one(request, each) for each in zone.servers))
    answers = [each for each in wires if each is not None]
    if not answers:
        return NameTrouble.SILENT
    said = await asyncio.to_thread(lambda: [each for wire in answers if (each := read(wire))])
    return _together(said) or NameTrouble.REFUSED


def _prepare(zone: str, name: str, family: Family) -> tuple[Callable[[bytes], Said | None], bytes]:
    """Return how to read the answers and what to ask; to be run in a thread."""
    from .name_message import question, read  # noqa: PLC0415

    request = question(name, family)
    return partial(read, request, zone), request


def _together(said: Sequence[Said]) -> Said | None:
    """Return what several servers say as one: all the addresses that anybody may be told.

    They differ where one of them has not heard of a change yet.
    """
    telling = [each for each in said if each.addresses]
    if telling:
        addresses = frozenset[IPAddress]().union(*(each.addresses for each in telling))
        return replace(telling[0], addresses=addresses)
    # An alias, or that there is such a name, says more than that there is none.
    return max(said, key=lambda each: (each.alias is not None, each.exists), default=None)


async def _ask_one(request: bytes, addresses: Iterable[IPAddress]) -> bytes | None:
    """Return the answer of a server, at the first address that answers; None for silence."""
    for address in addresses:
        with suppress(OSError):  # no way there, a closed port; TimeoutError is one too
            wire = await _over_udp(request, address)
            if not _is_cut(wire):
                return wire
            async with asyncio.timeout(TRY * TRIES):
                return await _over_tcp(request, address)
    return None


async def _over_udp(request: bytes, address: IPAddress) -> bytes:
    """Ask, and ask again. Raises OSError."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (str(address), _PORT))
        for _ in range(TRIES):
            sock.send(request)
            with suppress(TimeoutError):
                async with asyncio.timeout(TRY):
                    while not _answers(wire := await loop.sock_recv(sock, _LONGEST), request):
                        pass
                    return wire
    raise TimeoutError


async def _over_tcp(request: bytes, address: IPAddress) -> bytes:
    """Ask for an answer that no datagram holds (RFC 1035 section 4.2.2). Raises OSError."""
    reader, writer = await asyncio.open_connection(str(address), _PORT)
    try:
        writer.write(len(request).to_bytes(2) + request)
        return await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
    except asyncio.IncompleteReadError as err:
        raise ConnectionResetError from err
    finally:
        writer.close()


def _answers(wire: bytes, request: bytes) -> bool:
    """Tell whether this is a response (QR) with the request's id (RFC 1035 section 4.1.1)."""
    return len(wire) >= 12 and wire[:2] == request[:2] and bool(wire[2] & 0x80)


def _is_cut(wire: bytes) -> bool:
    """Tell whether a datagram did not hold the whole answer (RFC 1035 section 4.1.1: TC)."""
    return bool(wire[2] & 0x02)
