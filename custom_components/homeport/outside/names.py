"""What name servers say that tells one line from another."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
import re
from typing import Final

import aiodns
import pycares

from .nat64 import WELL_KNOWN_NAME, nat64_prefix

WITHIN: Final = 2.0
"""Seconds that one question may take in all."""
MAX_SERVERS: Final = 4
"""How many servers are asked; a home has a router or two and what they announce."""

PROVISIONING_NAME: Final = "4over6.info"
"""Where HB46PP publishes who provisions the line (v6mig-prov, spec.md 1.1, section 3)."""
PROVISIONING_VERSION: Final = "v=v6mig-1"
MAX_TXT: Final = 512
"""Characters of a TXT record that is worth reading."""
MAX_NAME: Final = 253
"""Characters of a hostname without its last dot (RFC 1035 section 2.3.4: 255 octets)."""

# The first answer is awaited this long, the second after doubling: less than WITHIN together.
_TRY: Final = 0.65
_TRIES: Final = 2
# No server may know this name (RFC 6761 section 6.4): one that does makes its answers up.
_NO_NAME: Final = "homeport.invalid"
# "There is no such name", "there is no such record": an answer, which SERVFAIL is not.
_ABSENT: Final = frozenset({pycares.errno.ARES_ENOTFOUND, pycares.errno.ARES_ENODATA})
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_PRIVATE: Final = tuple(
    IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # RFC 4291 section 2.4, as far as assigned
_KINDS: Final = {
    pycares.ARecordData: "A",
    pycares.AAAARecordData: "AAAA",
    pycares.PTRRecordData: "PTR",
    pycares.TXTRecordData: "TXT",
}


@dataclass(frozen=True, slots=True)
class NameSigns:
    """What the servers said.

    - `answered`: whether any of them answered at all, be it that there is no such name
    - `aftr`: the AFTR names that have a global IPv6 address
    - `provisioning`: the TXT record of 4over6.info as it stands there, of at most 512 characters
    - `nat64`: the prefix in the addresses of ipv4only.arpa (RFC 7050)
    """

    answered: bool = False
    aftr: frozenset[str] = frozenset()
    provisioning: str | None = None
    nat64: IPv6Network | None = None


class LineNames:
    """Asks name servers, all of them side by side, so that a silent one hides nothing.

    `servers` are addresses, of which the first four are used: "192.168.1.1", "2001:db8::1", with
    the interface where it needs one ("fe80::1%eth0"), with a port as "192.168.1.1:53" or
    "[2001:db8::1]:53". None at all stands for the system's resolver. A server without a usable
    address is one that does not answer. Nothing stays open between two questions, and no answer
    is kept.
    """

    def __init__(self, servers: Sequence[str] = ()) -> None:
        """Remember whom to ask."""
        self._servers = tuple(dict.fromkeys(servers))[:MAX_SERVERS]

    async def observe(self, aftr_names: Iterable[str]) -> NameSigns:
        """Ask for everything that tells lines apart; takes at most WITHIN."""
        names = tuple(aftr_names)
        each = await self._ask_each(lambda resolver: _observe(resolver, names), NameSigns())
        return NameSigns(
            answered=any(signs.answered for signs in each),
            aftr=frozenset[str]().union(*(signs.aftr for signs in each)),
            provisioning=next((s.provisioning for s in each if s.provisioning), None),
            nat64=next((s.nat64 for s in each if s.nat64), None),
        )

    async def reverse(self, ip: IPv4Address | IPv6Address) -> str | None:
        """Return the name of an address; "" when it has none, None when nobody knows."""
        records = await self._ask(ip.reverse_pointer, pycares.PTRRecordData)
        if records is None:
            return None
        return next((name for r in records if (name := valid_name(r.dname)) is not None), "")

    async def resolve_private(self, name: str) -> IPv4Address | None:
        """Return the first private address (RFC 1918) of a name, if it has one."""
        records = await self._ask(name, pycares.ARecordData) or ()
        addresses = (IPv4Address(record.addr) for record in records)
        return next((a for a in addresses if any(a in block for block in _PRIVATE)), None)

    async def _ask[DataT](self, name: str, kind: type[DataT]) -> list[DataT] | None:
        """Return the records of all servers in their order; None when none of them answered."""
        each = await self._ask_each(lambda resolver: _query(resolver, name, kind), None)
        answers = [records for records in each if records is not None]
        return [record for records in answers for record in records] if answers else None

    async def _ask_each[T](
        self, ask: Callable[[aiodns.DNSResolver], Awaitable[T]], silence: T
    ) -> list[T]:
        return await asyncio.gather(
            *(_ask_one(server, ask, silence) for server in self._servers or (None,))
        )


def parse_txt(records: Iterable[bytes]) -> str | None:
    """Return the first TXT record that HB46PP can have put there.

    The name may have other records as well. One that is too long or has anything but printable
    ASCII in it is none.
    """
    for record in records:
        if len(record) > MAX_TXT or not record.isascii():
            continue
        text = record.decode("ascii")
        if text.isprintable() and PROVISIONING_VERSION in text.split():
            return text
    return None


def valid_name(text: str) -> str | None:
    """Return a hostname in lower case without its last dot; None for what is none (RFC 1123).

    An underscore is let through: it is forbidden, and used.
    """
    name = text.removesuffix(".")
    if not 0 < len(name) <= MAX_NAME or not name.isascii():
        return None
    name = name.lower()
    return name if all(_LABEL.fullmatch(label) for label in name.split(".")) else None


async def _ask_one[T](
    server: str | None, ask: Callable[[aiodns.DNSResolver], Awaitable[T]], silence: T
) -> T:
    servers = None if server is None else [server]
    try:
        resolver = aiodns.DNSResolver(servers, timeout=_TRY, tries=_TRIES)
    except pycares.AresError, UnicodeError:
        return silence
    async with resolver:
        return await ask(resolver)


async def _observe(resolver: aiodns.DNSResolver, aftr_names: Sequence[str]) -> NameSigns:
    txt, (invalid, nat64, *aftr) = await asyncio.gather(
        _query(resolver, PROVISIONING_NAME, pycares.TXTRecordData),
        asyncio.gather(
            *(
                _query(resolver, name, pycares.AAAARecordData)
                for name in (_NO_NAME, WELL_KNOWN_NAME, *aftr_names)
            )
        ),
    )
    return NameSigns(
        answered=any(answer is not None for answer in (txt, invalid, nat64, *aftr)),
        aftr=frozenset(
            name
            for name, answer in zip(aftr_names, aftr, strict=True)
            if not invalid and any(_is_global(record.addr) for record in answer or ())
        ),
        provisioning=parse_txt(record.data for record in txt or ()),
        nat64=nat64_prefix(IPv6Address(record.addr) for record in nat64 or ()),
    )


async def _query[DataT](
    resolver: aiodns.DNSResolver, name: str, kind: type[DataT]
) -> list[DataT] | None:
    """Return the records of that kind; [] when there are none, None when nobody knows."""
    try:
        async with asyncio.timeout(WITHIN):
            result = await resolver.query_dns(name, _KINDS[kind])
    except aiodns.error.DNSError as err:
        return [] if err.args[0] in _ABSENT else None
    except TimeoutError:
        return None
    return [record.data for record in result.answer if isinstance(record.data, kind)]


def _is_global(text: str) -> bool:
    address = IPv6Address(text)
    return address in _GLOBAL_UNICAST and address.is_global
