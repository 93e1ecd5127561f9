"""Homeport's own prober, on a server of the user's or of a friend's."""

from typing import Final

from yarl import URL

from .bound_session import OpenSession
from .errors import (
    OtherAddress,
    OutsideError,
    OutsideInvalid,
    OutsideRefused,
    OutsideUnreachable,
)
from .exchange import base_url, can_be_met, exchange, is_address
from .prober import (
    BOTH_FAMILIES,
    Abilities,
    Answer,
    Limit,
    Outcome,
    ProbeTransport,
    Question,
)
from .refused import ProberRefused

TIMEOUT: Final = 20.0
"""Seconds. The prober itself has an answer after at most 12, and then gives up."""

_REFUSALS: Final = {
    "token": "prober_token",
    "caller_refused": "prober_caller",
    "address_refused": "prober_name",
    "unknown_name": "prober_name",
    "name_unresolved": "prober_name",
    "proxy": "prober_proxy",
    "https_only": "prober_proxy",
    "no_route": "prober_no_route",
}
"""What prober/README.md says that it refuses, by the explanation."""


class OwnProber:
    """A service that answers `POST /v1/check`, as prober/README.md tells.

    It knocks at the address under test only if that is the caller's own, in the caller's /64, or
    what a name leads to that is set up for the token there; otherwise it says so.
    """

    kind: Final = "own"
    abilities: Final = Abilities(
        transports=frozenset(ProbeTransport),
        families=BOTH_FAMILIES,
        own_address_only=True,
        tells_why=True,
        public=False,
        sees_nonce=True,
    )
    # Within what the prober itself allows to one address: 120 at once, and one in a second.
    limit: Final = Limit(burst=100, seconds=1)

    def __init__(
        self, open_session: OpenSession, url: str, token: str, name: str | None = None
    ) -> None:
        """Take what opens sessions, the service's base URL, and the secret that it wants to see.

        `name`: that the prober is to resolve, for the IPv4 of a line with two ways out.
        """
        self._open_session = open_session
        self._url = base_url(url)
        self._token = token
        self._name = name
        self.key = f"{self.kind} {self._url}"
        self.host = self._url.host or ""

    @property
    def dials_name(self) -> bool:
        """Whether it dials a name over IPv4, and not whoever asks."""
        return self._name is not None

    async def check(self, question: Question) -> Answer:
        """Let it knock; see Prober. Raises ProberRefused also."""
        # The token goes over HTTPS only, whatever was configured.
        if not self.abilities.can(question) or not is_prober_url(str(self._url)):
            raise OutsideInvalid("not what it can do")
        asked: dict[str, object] = {
            "transport": question.transport.lower(),
            "port": question.port,
            "address": str(question.address),
            "nonce": question.nonce.hex() if question.nonce else None,
        }
        if self._name and question.address.version == 4:
            asked["name"] = self._name
        if not can_be_met(self._url, question.address.version):
            raise OutsideUnreachable("no address of this family")
        async with self._open_session(question.address.version, question.source) as session:
            try:
                said = await exchange(
                    session,
                    self._url / "v1/check",
                    TIMEOUT,
                    post=asked,
                    headers={"Authorization": f"Bearer {self._token}"},
                )
            except OutsideRefused as err:
                raise self._refusal(err) from err
        return parse_answer(said, question)

    def _refusal(self, err: OutsideRefused) -> OutsideError:
        """Return what says it so that somebody can do something about it."""
        key = _REFUSALS.get(err.code)
        if key == "prober_name" and not self._name:
            key = "prober_caller"  # it is our own address that it does not dial: it is its own
        return ProberRefused(key) if key else err


def parse_answer(said: object, question: Question) -> Answer:
    """Return what was met.

    Raises OtherAddress when another address is meant, and OutsideInvalid for what is no answer to
    the question.
    """
    if not isinstance(said, dict):
        raise OutsideInvalid("not an answer of a prober")
    transport, port = said.get("transport"), said.get("port")
    if transport != question.transport.lower() or type(port) is not int or port != question.port:
        raise OutsideInvalid("not an answer to this question")
    if "address" not in said or not isinstance(said["address"], str):
        raise OutsideInvalid("not an answer to this question")
    if not is_address(said["address"], question.address):
        raise OtherAddress
    outcome, nonce = said.get("outcome"), said.get("nonce")
    if type(nonce) is not bool or not isinstance(outcome, str) or outcome not in set(Outcome):
        raise OutsideInvalid("not an answer of a prober")
    if nonce and (outcome != Outcome.ACCEPTED or question.nonce is None):
        raise OutsideInvalid("a nonce out of nowhere")
    return Answer(Outcome(outcome), nonce)


def is_prober_url(text: str) -> bool:
    """Say whether the token may be sent there: https://, a host, perhaps a port and a path."""
    try:
        url = URL(text)
        return url.scheme == "https" and bool(url.host and url.port) and url == base_url(text)
    except ValueError, IndexError:  # yarl has the other one for "[]@"
        return False
