"""Probers that speak echoip: anybody's, or one's own."""

from typing import Final

from .bound_session import OpenSession
from .errors import OtherAddress, OutsideInvalid, OutsideUnreachable
from .exchange import base_url, can_be_met, exchange, is_address
from .family import IPAddress
from .prober import BOTH_FAMILIES, TCP_ONLY, Abilities, Answer, Limit, Outcome, Question

TIMEOUT: Final = 10.0
"""Seconds. echoip itself gives up a connection after two."""
STRICT: Final = {"ifconfig.co": Limit(burst=1, seconds=60)}
"""Limits that a service publishes; this one in the page it shows (html/index.html)."""
# One's own has no limit; a home has some ten ports, and no need to knock more often than this.
_MODEST: Final = Limit(burst=10, seconds=6)


class EchoipProber:
    """A service that speaks echoip: `GET /port/N` answers {"ip", "port", "reachable"}.

    It connects to the address that asks, and does not tell a refused connection from one that timed
    out. Source: mpolden/echoip, http/http.go.
    """

    kind: Final = "echoip"
    abilities: Final = Abilities(
        transports=TCP_ONLY,
        families=BOTH_FAMILIES,
        own_address_only=True,
        tells_why=False,
        public=False,
        sees_nonce=False,
    )

    def __init__(self, open_session: OpenSession, url: str) -> None:
        """Take what opens sessions, and the service's base URL."""
        self._open_session = open_session
        self._url = base_url(url)
        self.key = f"{self.kind} {self._url}"
        self.host = self._url.host or ""
        self.limit = STRICT.get(self._url.host or "", _MODEST)

    async def check(self, question: Question) -> Answer:
        """Let it knock at the address that the question is asked from; see Prober."""
        if not self.abilities.can(question):
            raise OutsideInvalid("not what it can do")
        if not can_be_met(self._url, question.address.version):
            raise OutsideUnreachable("no address of this family")
        async with self._open_session(question.address.version, question.source) as session:
            said = await exchange(session, self._url / "port" / str(question.port), TIMEOUT)
        reachable = parse_answer(said, question.address, question.port)
        return Answer(Outcome.ACCEPTED if reachable else Outcome.UNREACHABLE)


def parse_answer(said: object, address: IPAddress, port: int) -> bool:
    """Say whether a connection to this address and port was accepted.

    Raises OtherAddress when another address was tried, and OutsideInvalid for what is no answer to
    the question.
    """
    if not isinstance(said, dict):
        raise OutsideInvalid("not an answer of a prober")
    reachable, probed = said.get("reachable"), said.get("port")
    if type(reachable) is not bool or type(probed) is not int or probed != port or "ip" not in said:
        raise OutsideInvalid("not an answer to this question")
    if not is_address(said["ip"], address):
        raise OtherAddress
    return reachable
