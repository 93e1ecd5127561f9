"""Where the name in a URL leads, as the servers that are responsible for it say.

The resolver at home may have an answer of its own for a name of this home, or an old one.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import aiodns
import pycares

from .authority import TRIES, TRY, Authorities, NameTrouble
from .family import Family, IPAddress
from .names import valid_name

WITHIN: Final = 4.0
"""Seconds for everything."""
ALIASES: Final = 4
"""How many zones further on an alias may lead."""

type _Settled = dict[Family, frozenset[IPAddress] | NameTrouble]


@dataclass(frozen=True, slots=True)
class NameLeads:
    """The addresses that a name has at its authoritative servers: of all of them that answered.

    None is for what is not known, and `trouble` says why; no addresses are an answer.
    """

    ipv4: frozenset[IPv4Address] | None = None
    ipv6: frozenset[IPv6Address] | None = None
    trouble: NameTrouble | None = None


class Points(StrEnum):
    """How the addresses of a name and those of a home go together, for one family.

    - `home`: every one of them is this home's
    - `partly`: only some are, so that some callers do not get here
    - `elsewhere`: none is
    - `nowhere`: there are none
    """

    HOME = "home"
    PARTLY = "partly"
    ELSEWHERE = "elsewhere"
    NOWHERE = "nowhere"


def points_home(found: Collection[IPAddress] | None, ours: Collection[IPAddress]) -> Points | None:
    """Compare the addresses of a name with this home's, of one family. None if unknown."""
    if found is None:
        return None
    if not found:
        return Points.NOWHERE
    hits = set(found) & set(ours)
    if not hits:
        return Points.ELSEWHERE
    return Points.HOME if hits == set(found) else Points.PARTLY


async def name_leads(host: str, resolvers: Sequence[str] = ()) -> NameLeads:
    """Return where the host of a URL leads, within WITHIN. Never raises.

    An address needs no question. The system's resolver, or those at `resolvers` (addresses as
    LineNames takes them), are asked only for the servers of the zone.
    """
    with suppress(ValueError):
        address = ip_address(host.removeprefix("[").removesuffix("]"))
        return _leads({4: _only(address, 4), 6: _only(address, 6)})
    name = valid_name(host)
    if name is None:
        return NameLeads(trouble=NameTrouble.NO_NAME)
    settled: _Settled = {}
    try:
        resolver = aiodns.DNSResolver(list(resolvers) or None, timeout=TRY, tries=TRIES)
    except pycares.AresError, UnicodeError:
        return NameLeads(trouble=NameTrouble.UNRESOLVED)
    with suppress(TimeoutError):
        async with resolver, asyncio.timeout(WITHIN):
            await _follow(Authorities(resolver), name, settled)
    return _leads(settled)


async def _follow(authorities: Authorities, name: str, settled: _Settled) -> None:
    """Find out for both families, from zone to zone."""
    for _ in range(1 + ALIASES):
        aliases: list[str] = []
        for family, said in (await authorities.ask(name)).items():
            if isinstance(said, NameTrouble):
                settled.setdefault(family, said)
            elif said.alias is not None:
                aliases.append(said.alias)
            elif said.exists:
                settled.setdefault(family, said.addresses)
            else:
                settled.setdefault(family, NameTrouble.NO_NAME)
        # A name has one alias at most (RFC 1034 section 3.6.2), so it is the same for both.
        alias = valid_name(aliases[0]) if aliases and len(settled) < 2 else None
        if alias is None:
            break
        name = alias
    for family in (4, 6):
        settled.setdefault(family, NameTrouble.ALIASES)


def _leads(settled: _Settled) -> NameLeads:
    found = {family: settled.get(family, NameTrouble.SILENT) for family in (4, 6)}
    trouble = next((each for each in found.values() if isinstance(each, NameTrouble)), None)
    return NameLeads(
        ipv4=_addresses(found[4], IPv4Address),
        ipv6=_addresses(found[6], IPv6Address),
        trouble=trouble,
    )


def _addresses[AddressT: IPAddress](
    found: frozenset[IPAddress] | NameTrouble, kind: type[AddressT]
) -> frozenset[AddressT] | None:
    if isinstance(found, NameTrouble):
        return None
    return frozenset(each for each in found if isinstance(each, kind))


def _only(address: IPAddress, family: Family) -> frozenset[IPAddress]:
    return frozenset({address} if address.version == family else ())
