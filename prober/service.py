"""The service: HTTP in, one knock, JSON out."""

from collections.abc import Awaitable, Callable
import logging
import math
from time import monotonic
from traceback import extract_tb
from typing import Any, Final, TypeAlias

from aiohttp import web

from .address import IPAddress, is_allowed, network_of
from .caller import find_caller
from .config import Config, Token
from .dial import Met, Outcome, dial
from .limits import Buckets
from .question import MAX_BODY, Question, Transport, parse_port, parse_question
from .refused import Refused
from .target import IsAllowed, Resolve, find_target, resolve

_LOGGER = logging.getLogger(__name__)

DIALS: Final = 2_000
"""Knocks at the same time. Each takes a descriptor, and the caller's connection another."""
# A home with fifty ports asks for both families at once, and now and then again.
PER_ADDRESS: Final = (120, 1.0)
PER_TOKEN: Final = (240, 0.5)

_Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
_HTTP_CODES: Final = {404: "not_found", 405: "bad_method", 413: "too_large"}
_SCHEME: Final = "Bearer "  # RFC 6750 section 2.1


class Service:
    """Answers callers. `is_allowed` and `resolve` are what tests on one machine replace."""

    def __init__(
        self, config: Config, *, is_allowed: IsAllowed = is_allowed, resolve: Resolve = resolve
    ) -> None:
        """Take what the operator wants."""
        self._config = config
        self._is_allowed = is_allowed
        self._resolve = resolve
        self._by_address = Buckets(*PER_ADDRESS)
        self._by_token = Buckets(*PER_TOKEN)
        self._dials = 0

    def app(self) -> web.Application:
        """Return what a web server serves."""
        app = web.Application(middlewares=[_answering], client_max_size=MAX_BODY)
        app.add_routes(
            [
                web.post("/v1/check", self._check),
                web.get("/", self._text),
                web.get("/json", self._json),
                web.get("/port/{port}", self._port),
            ]
        )
        return app

    async def _check(self, request: web.Request) -> web.Response:
        """Answer {"address", "transport", "port", "outcome", "nonce", "seconds"}.

        Where another address is meant than may be dialled, `outcome` is null and `address` the one
        that the caller is seen at: nothing was dialled.
        """
        caller, token = self._admitted(request)
        question = parse_question(await request.read())
        target = await find_target(question, caller, token.names, self._allows, self._resolve)
        begin = monotonic()
        met = await self._dial(question, target) if target else None
        return web.json_response(
            {
                "address": str(target or caller),
                "transport": question.transport.value,
                "port": question.port,
                "outcome": met.outcome.value if met else None,
                "nonce": met.nonce if met else False,
                "seconds": round(monotonic() - begin, 3),
            }
        )

    async def _text(self, request: web.Request) -> web.Response:
        """Answer as echoip does; so do the next two."""
        caller, _ = self._admitted(request)
        return web.Response(text=f"{caller}\n")

    async def _json(self, request: web.Request) -> web.Response:
        caller, _ = self._admitted(request)
        return web.json_response({"ip": str(caller)})

    async def _port(self, request: web.Request) -> web.Response:
        caller, _ = self._admitted(request)
        port = parse_port(request.match_info["port"])
        met = await self._dial(Question(Transport.TCP, port), caller)
        reachable = met.outcome is Outcome.ACCEPTED
        return web.json_response({"ip": str(caller), "port": port, "reachable": reachable})

    def _admitted(self, request: web.Request) -> tuple[IPAddress, Token]:
        """Return who asks, and with what right. Raises Refused."""
        caller = find_caller(
            request.remote,
            request.transport is not None and bool(request.transport.get_extra_info("ssl_object")),
            self._config.proxies,
            request.headers.getall("X-Forwarded-For", []),
            request.headers.getall("X-Forwarded-Proto", []),
        )
        if not self._allows(caller):
            raise Refused(403, "caller_refused")
        _limit(self._by_address, network_of(caller))
        said = request.headers.getall("Authorization", [])
        token = None
        if len(said) == 1 and said[0].startswith(_SCHEME):
            token = self._config.token(said[0].removeprefix(_SCHEME))
        if token is None:
            raise Refused(401, "token")
        _limit(self._by_token, token.digest)
        return caller, token

    def _allows(self, address: IPAddress) -> bool:
        return address not in self._config.own_addresses and self._is_allowed(address)

    async def _dial(self, question: Question, target: IPAddress) -> Met:
        if self._dials >= DIALS:
            raise Refused(429, "busy", 5.0)
        self._dials += 1
        try:
            return await dial(question.transport, target, question.port, question.nonce)
        finally:
            self._dials -= 1


def _limit(buckets: Buckets, key: Any) -> None:
    if wait := buckets.take(key, monotonic()):
        raise Refused(429, "limit", wait)


@web.middleware
async def _answering(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Turn whatever happens into an answer. One connection is for one question."""
    try:
        response = await handler(request)
    except Refused as refused:
        response = _refusal(refused)
    except web.HTTPException as err:
        response = _refusal(Refused(err.status, _HTTP_CODES.get(err.status, "bad_request")))
    except Exception as err:  # noqa: BLE001 - its text, and its traceback's, may name the caller
        place = extract_tb(err.__traceback__)[-1]
        _LOGGER.error(  # noqa: TRY400 - the same
            "%s in %s, line %s", type(err).__name__, place.name, place.lineno
        )
        response = _refusal(Refused(500, "internal"))
    response.force_close()
    return response


def _refusal(refused: Refused) -> web.Response:
    headers = {}
    if refused.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if refused.retry_after:
        headers["Retry-After"] = str(math.ceil(refused.retry_after))
    return web.json_response({"error": refused.code}, status=refused.status, headers=headers)
