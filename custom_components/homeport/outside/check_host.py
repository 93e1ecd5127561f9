"""check-host.net: nodes all over the world that knock at any IPv4 address."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
import re
from typing import Final

from .bound_session import OpenSession
from .errors import OtherAddress, OutsideInvalid
from .exchange import base_url, exchange, is_address
from .family import IPAddress
from .nodes import NODES, agreed
from .prober import TCP_ONLY, Abilities, Answer, Limit, Outcome, Question

URL: Final = "https://check-host.net"
TIMEOUT: Final = 12.0
"""Seconds for the whole check; then the nodes that have answered have to do."""
PAUSE: Final = 1.0
"""Seconds between two looks at the result."""
_MOST_NODES: Final = 16
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Started:
    """A check under way: its id, and the nodes that do it."""

    id: str
    nodes: tuple[str, ...]


class CheckHostProber:
    """A service that starts a check with `GET /check-tcp`, and has its result later.

    UDP it has too, but there it calls silence "open or filtered", which is no outcome. IPv6 is
    nowhere documented. Everybody can read a result who knows its link. Source:
    check-host.net/about/api.
    """

    kind: Final = "check_host"
    abilities: Final = Abilities(
        transports=TCP_ONLY,
        families=frozenset({4}),
        own_address_only=False,
        tells_why=True,
        public=True,
        sees_nonce=False,
    )
    # None is published. Each check is work for several nodes, and asks for its result a few times.
    limit: Final = Limit(burst=5, seconds=30)

    def __init__(self, open_session: OpenSession, url: str = URL) -> None:
        """Take what opens sessions, and the service's base URL."""
        self._open_session = open_session
        self._url = base_url(url)
        self.key = f"{self.kind} {self._url}"

    async def check(self, question: Question) -> Answer:
        """Let its nodes knock at the address under test; see Prober."""
        if not self.abilities.can(question):
            raise OutsideInvalid("not what it can do")
        outcomes: list[Outcome] = []
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(TIMEOUT),
                self._open_session(question.address.version, None) as session,
            ):
                asked = {"host": f"{question.address}:{question.port}", "max_nodes": str(NODES)}
                url = (self._url / "check-tcp").with_query(asked)
                started = parse_start(await exchange(session, url, TIMEOUT))
                url = self._url / "check-result" / started.id
                while len(outcomes) < len(started.nodes):
                    await asyncio.sleep(PAUSE)
                    said = await exchange(session, url, TIMEOUT)
                    outcomes = parse_result(said, started.nodes, question.address)
        return Answer(agreed(outcomes))


def parse_start(said: object) -> Started:
    """Return the check that was started. Raises OutsideInvalid."""
    if not isinstance(said, dict) or said.get("ok") != 1:
        raise OutsideInvalid("no check was started")
    request, nodes = said.get("request_id"), said.get("nodes")
    if not isinstance(request, str) or not _ID.fullmatch(request):
        raise OutsideInvalid("not the id of a check")
    if not isinstance(nodes, dict) or not 0 < len(nodes) <= _MOST_NODES:
        raise OutsideInvalid("nobody who checks")
    return Started(request, tuple(nodes))


def parse_result(said: object, nodes: Sequence[str], address: IPAddress) -> list[Outcome]:
    """Return the outcomes of those nodes that have one by now.

    Each node has null, or one of {"address", "time"} and {"error"} in a list. Raises OtherAddress
    when another address was tried, and OutsideInvalid.
    """
    if not isinstance(said, dict):
        raise OutsideInvalid("not the result of a check")
    found = [said.get(node) for node in nodes]
    return [_outcome(each, address) for each in found if each is not None]


def _outcome(said: object, address: IPAddress) -> Outcome:
    if not isinstance(said, list) or len(said) != 1 or not isinstance(said[0], dict):
        raise OutsideInvalid("not what a node says")
    error, seconds = said[0].get("error"), said[0].get("time")
    if error is None:
        if type(seconds) not in (int, float) or "address" not in said[0]:
            raise OutsideInvalid("neither a time nor an error")
        if not is_address(said[0]["address"], address):
            raise OtherAddress
        return Outcome.ACCEPTED
    if not isinstance(error, str) or seconds is not None:
        raise OutsideInvalid("not an error")
    if "refused" in error.lower():
        return Outcome.REFUSED
    return Outcome.TIMED_OUT if "timed out" in error.lower() else Outcome.UNREACHABLE
