"""Globalping: volunteers' probes all over the world, which knock at any address."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
import re
from typing import Any, Final

from .bound_session import OpenSession
from .errors import OtherAddress, OutsideInvalid, OutsideRefused
from .exchange import base_url, exchange, is_address
from .nodes import NODES, agreed
from .prober import BOTH_FAMILIES, TCP_ONLY, Abilities, Answer, Limit, Outcome, Question
from .refused import ProberRefused

URL: Final = "https://api.globalping.io"
TIMEOUT: Final = 18.0
"""Seconds for the whole check. A probe gives up a connection after some ten."""
PAUSE: Final = 0.5
"""Seconds from one look at the result to the next. Source: docs/CLIENT_GUIDELINES.md."""
MAX_RESULT: Final = 32 * 1024
"""Bytes. Each probe tells at length where it is."""
DEFAULT_PORT: Final = 80
"""The port of a TCP ping; options that are the default are left out of an answer."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_ERROR: Final = re.compile(r"^connect (E[A-Z]+)\b", re.ASCII | re.MULTILINE)
# What a probe's connect() says of the other side. Others, such as ENETUNREACH where a probe has no
# IPv6, are about the probe itself.
_OUTCOMES: Final = {
    "ECONNREFUSED": Outcome.REFUSED,
    "EHOSTUNREACH": Outcome.UNREACHABLE,
    "ETIMEDOUT": Outcome.TIMED_OUT,
}


class GlobalpingProber:
    """A service that takes `POST /v1/measurements` and has the results at `GET …/ID`.

    Its TCP ping is a connect(): only a connection that was accepted is a reply, silence is a lost
    packet, and an error, as a refused connection is, fails the test with the error's name in its
    output. Everybody can read a result who knows its id. Sources: jsdelivr/globalping,
    public/v1/spec.yaml; jsdelivr/globalping-probe, src/command/handlers/ping/tcp-ping.ts.
    """

    kind: Final = "globalping"
    abilities: Final = Abilities(
        transports=TCP_ONLY,
        families=BOTH_FAMILIES,
        own_address_only=False,
        tells_why=True,
        public=True,
        sees_nonce=False,
    )
    # 250 tests an hour without a token, and each node is one: 3 * (10 + 3600 / 50) = 246.
    limit: Final = Limit(burst=10, seconds=50)

    def __init__(
        self, open_session: OpenSession, url: str = URL, *, token: str | None = None
    ) -> None:
        """Take what opens sessions, the service's base URL and a token, sent over HTTPS only."""
        self._open_session = open_session
        self._url = base_url(url)
        self.key = f"{self.kind} {self._url}"
        secret = token if self._url.scheme == "https" else None
        self._headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    async def check(self, question: Question) -> Answer:
        """Let its probes knock at the address under test; see Prober."""
        if not self.abilities.can(question):
            raise OutsideInvalid("not what it can do")
        outcomes: list[Outcome] = []
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(TIMEOUT),
                self._open_session(question.address.version, None) as session,
            ):
                url, headers = self._url / "v1/measurements", self._headers
                try:
                    asked = await exchange(
                        session, url, TIMEOUT, post=_measurement(question), headers=headers
                    )
                except OutsideRefused as err:
                    if err.status == HTTPStatus.UNAUTHORIZED:
                        raise ProberRefused("globalping_token") from err
                    raise
                measurement, finished = parse_start(asked), False
                while not finished:
                    await asyncio.sleep(PAUSE)
                    said = await exchange(
                        session, url / measurement, TIMEOUT, headers=headers, most=MAX_RESULT
                    )
                    finished, outcomes = parse_result(said, measurement, question)
        return Answer(agreed(outcomes))


def _measurement(question: Question) -> dict[str, Any]:
    return {
        "type": "ping",
        "target": str(question.address),
        "limit": NODES,
        "inProgressUpdates": False,
        # One packet is one connect(), which sends its SYN several times by itself.
        "measurementOptions": {"protocol": "TCP", "port": question.port, "packets": 1},
    }


def parse_start(said: object) -> str:
    """Return the id of the measurement that was started. Raises OutsideInvalid."""
    measurement = said.get("id") if isinstance(said, dict) else None
    if not isinstance(measurement, str) or not _ID.fullmatch(measurement):
        raise OutsideInvalid("not the id of a measurement")
    return measurement


def parse_result(said: object, measurement: str, question: Question) -> tuple[bool, list[Outcome]]:
    """Return whether a measurement is over, and the outcomes that there are by now.

    Raises OtherAddress when another address was tried, and OutsideInvalid for what is not the
    result of this very measurement.
    """
    if not isinstance(said, dict) or said.get("id") != measurement or said.get("type") != "ping":
        raise OutsideInvalid("not this measurement")
    options, results, status = (
        said.get(each) for each in ("measurementOptions", "results", "status")
    )
    # A ping without a port is an echo request, and its reply says nothing about any port.
    if not isinstance(options, dict) or options.get("protocol") != "TCP":
        raise OutsideInvalid("not over TCP")
    port = options.get("port", DEFAULT_PORT)
    if type(port) is not int or port != question.port:
        raise OutsideInvalid("not this port")
    if not is_address(said.get("target"), question.address):
        raise OtherAddress
    if not isinstance(status, str) or not isinstance(results, list) or len(results) > NODES:
        raise OutsideInvalid("not the results of a measurement")
    found = [_outcome(each, question) for each in results]
    return status != "in-progress", [each for each in found if each is not None]


def _outcome(said: object, question: Question) -> Outcome | None:
    """Return what one probe has met; None when it has not looked, or could not."""
    result = said.get("result") if isinstance(said, dict) else None
    if not isinstance(result, dict):
        raise OutsideInvalid("not what a probe says")
    match result.get("status"):
        case "finished":
            if not is_address(result.get("resolvedAddress"), question.address):
                raise OtherAddress
            return Outcome.ACCEPTED if _replied(result) else Outcome.TIMED_OUT
        case "failed":
            text = result.get("rawOutput")
            errors = set(_ERROR.findall(text)) if isinstance(text, str) else set()
            return _OUTCOMES.get(errors.pop()) if len(errors) == 1 else None
    return None


def _replied(result: Mapping[str, Any]) -> bool:
    """Say whether the one connection was accepted; a lost one has a time below zero, or none."""
    stats, timings = result.get("stats"), result.get("timings")
    received = stats.get("rcv") if isinstance(stats, dict) else None
    if type(received) is not int or not isinstance(timings, list) or len(timings) > 1:
        raise OutsideInvalid("not one connection")
    milliseconds: Any = -1.0
    if timings:
        milliseconds = timings[0].get("rtt") if isinstance(timings[0], dict) else None
        if type(milliseconds) not in (int, float):
            raise OutsideInvalid("not a time")
    if received != (milliseconds >= 0):
        raise OutsideInvalid("its count and its time do not agree")
    return received == 1
