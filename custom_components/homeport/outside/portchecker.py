"""portchecker.io, or one's own: it knocks at any IPv4 address."""

from typing import Final

from .bound_session import OpenSession
from .errors import OtherAddress, OutsideInvalid
from .exchange import base_url, exchange, is_address
from .family import IPAddress
from .prober import TCP_ONLY, Abilities, Answer, Limit, Outcome, Question

URL: Final = "https://portchecker.io"
TIMEOUT: Final = 10.0
"""Seconds. It gives up a connection after one."""


class PortcheckerProber:
    """A service that answers `POST /api/query` with {"host", "check": [{"port", "status"}]}.

    It refuses IPv6, and does not tell a refused connection from one that timed out. Source:
    dsgnr/portchecker.io, backend/api/app/routes/v2.py and schemas/api.py.
    """

    kind: Final = "portchecker"
    abilities: Final = Abilities(
        transports=TCP_ONLY,
        families=frozenset({4}),
        own_address_only=False,
        tells_why=False,
        public=False,
        sees_nonce=False,
    )
    # None is published; it is one person's service, who has to pay for what it is used.
    limit: Final = Limit(burst=5, seconds=60)

    def __init__(self, open_session: OpenSession, url: str = URL) -> None:
        """Take what opens sessions, and the service's base URL."""
        self._open_session = open_session
        self._url = base_url(url)
        self.key = f"{self.kind} {self._url}"

    async def check(self, question: Question) -> Answer:
        """Let it knock at the address under test; see Prober."""
        if not self.abilities.can(question):
            raise OutsideInvalid("not what it can do")
        asked = {"host": str(question.address), "ports": [question.port]}
        async with self._open_session(question.address.version, None) as session:
            said = await exchange(session, self._url / "api/query", TIMEOUT, post=asked)
        accepted = parse_answer(said, question.address, question.port)
        return Answer(Outcome.ACCEPTED if accepted else Outcome.UNREACHABLE)


def parse_answer(said: object, address: IPAddress, port: int) -> bool:
    """Say whether a connection to this address and port was accepted.

    Some versions answer with the bare list of checks. Raises OtherAddress when another host was
    tried, and OutsideInvalid for what is no answer to the question.
    """
    if isinstance(said, dict):
        if said.get("error") not in (None, False):
            raise OutsideInvalid("it could not look")
        if not is_address(said.get("host", str(address)), address):
            raise OtherAddress
        said = said.get("check")
    if not isinstance(said, list) or len(said) != 1 or not isinstance(said[0], dict):
        raise OutsideInvalid("not an answer of a prober")
    probed, status = said[0].get("port"), said[0].get("status")
    if type(status) is not bool or type(probed) is not int or probed != port:
        raise OutsideInvalid("not an answer to this question")
    return status
