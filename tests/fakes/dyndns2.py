"""A dyndns2 service: codes as Dyn documents them, answers as nsupdate.info gives them."""

import asyncio
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, ip_address
import json
from ssl import SSLContext
from typing import override

from aiohttp import web

from tests.fakes.command import add_tls, control_post, parser, run, tls_context
from tests.fakes.reply import Reply
from tests.fakes.server import HttpFake

UPDATE_PATH = "/nic/update"

type OnChange = Callable[[str, str | None, str | None], Awaitable[None]]
"""Called with (hostname, A, AAAA) after a record has changed."""


@dataclass(frozen=True, slots=True)
class Update:
    """An update request that arrived and what it was answered; no password."""

    hostname: str
    myip: str
    user: str
    user_agent: str
    status: int
    body: str


class Dyndns2(HttpFake):
    """Keeps A and AAAA records, changed by `GET /nic/update?hostname=NAMES&myip=V4[,V6]`.

    Codes: help.dyn.com/return-codes. As measured with nsupdate.info 0.13: one line when all
    addresses were changed or none was, else one line each; the family that is not named stays;
    without myip the caller's address counts. `deletes_omitted` makes it Dyn's own service, which
    deletes the family that is not named.

    - `records`: hostname to {"A": …, "AAAA": …}
    - `script`: answers used up one request at a time; `always`: one for all after these. A text is
      answered with 200, and with 401 when it is `badauth`.
    - `requests`: every Update, also refused and scripted ones
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        users: Mapping[str, str],
        hostnames: Mapping[str, str],
        deletes_omitted: bool = False,
        on_change: OnChange | None = None,
        ssl: SSLContext | None = None,
    ) -> None:
        """`users`: name to password; `hostnames`: hostname to the user who owns it."""
        super().__init__(host=host, port=port, ssl=ssl)
        self.users = dict(users)
        self.hostnames = dict(hostnames)
        self.records: dict[str, dict[str, str]] = {}
        self.script: list[str | Reply] = []
        self.always: str | Reply | None = None
        self.requests: list[Update] = []
        self._deletes_omitted = deletes_omitted
        self._on_change = on_change

    @property
    def update_url(self) -> str:
        """URL of the update page, without a query."""
        return f"{self.url}{UPDATE_PATH}"

    @override
    def routes(self) -> list[web.RouteDef]:
        return [web.get(UPDATE_PATH, self._update)]

    async def _update(self, request: web.Request) -> web.Response:
        user, password = _credentials(request.headers.get("Authorization", ""))
        scripted = self.script.pop(0) if self.script else self.always
        if isinstance(scripted, Reply):
            self._note(request, user, scripted.status, "")
            return await scripted.send(request, self.closing)
        if scripted is not None:
            text = scripted
        elif user not in self.users or self.users[user] != password:
            text = "badauth"
        elif not request.headers.get("User-Agent"):
            text = "badagent"
        else:
            text = await self._answer(request, user)
        status = 401 if text == "badauth" else 200
        self._note(request, user, status, text)
        headers = {"WWW-Authenticate": 'Basic realm="dyndns"'} if status == 401 else {}
        return web.Response(status=status, text=text, headers=headers)

    def _note(self, request: web.Request, user: str, status: int, text: str) -> None:
        asked, agent = request.query, request.headers.get("User-Agent", "")
        names, myip = asked.get("hostname", ""), asked.get("myip", "")
        self.requests.append(Update(names, myip, user, agent, status, text))

    async def _answer(self, request: web.Request, user: str) -> str:
        myip = request.query.get("myip") or request.remote or ""
        try:
            addresses = [str(ip_address(text.strip())) for text in myip.split(",")]
        except ValueError:
            # Neither source says what an address that is none gets; "dnserr" changes nothing.
            return "dnserr"
        lines: list[str] = []
        for name in request.query.get("hostname", "").split(","):
            if "." not in name.strip("."):
                lines.append("notfqdn")
            elif name not in self.hostnames:
                lines.append("nohost")
            elif self.hostnames[name] != user:
                lines.append("!yours")
            else:
                lines += await self._set(name, addresses)
        return "\n".join(lines)

    async def _set(self, name: str, addresses: list[str]) -> list[str]:
        before = self.records.get(name, {})
        named = {_record_type(address): address for address in addresses}
        after = named if self._deletes_omitted else before | named
        self.records[name] = after
        if after != before and self._on_change is not None:
            await self._on_change(name, after.get("A"), after.get("AAAA"))
        codes = ["nochg" if before.get(_record_type(a)) == a else "good" for a in addresses]
        if len(set(codes)) == 1:
            return [f"{codes[0]} {','.join(addresses)}"]
        return [f"{code} {address}" for code, address in zip(codes, addresses, strict=True)]


def _record_type(address: str) -> str:
    return "A" if isinstance(ip_address(address), IPv4Address) else "AAAA"


def _credentials(header: str) -> tuple[str, str]:
    """Return user and password of Basic authentication (RFC 7617), empty where there is none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except Base64Error, UnicodeDecodeError:
        return "", ""
    return user, password


def control_routes(service: Dyndns2) -> list[web.RouteDef]:
    """Return the scripting interface.

    - POST /script: {"reply": text, null or the fields of Reply, "always": bool}
    - GET /records, /requests: JSON
    """

    async def script(body: str) -> None:
        asked = json.loads(body)
        reply = asked["reply"]
        if isinstance(reply, dict):
            reply = Reply(**reply)
        if asked.get("always"):
            service.always = reply
        elif reply is not None:
            service.script.append(reply)

    async def records(_: web.Request) -> web.Response:
        return web.json_response(service.records)

    async def requests(_: web.Request) -> web.Response:
        return web.json_response([asdict(update) for update in service.requests])

    return [
        control_post("/script", script),
        web.get("/records", records),
        web.get("/requests", requests),
    ]


async def main() -> None:
    """Run until SIGTERM or SIGINT."""
    options = parser("tests.fakes.dyndns2", "A dynamic DNS service.")
    add_tls(options)
    options.add_argument("--user", default="demo")
    options.add_argument("--password", default="demo")
    options.add_argument("--hostname", action="append", required=True)
    chosen = options.parse_args()
    service = Dyndns2(
        host=chosen.host,
        port=chosen.port,
        users={chosen.user: chosen.password},
        hostnames=dict.fromkeys(chosen.hostname, chosen.user),
        ssl=tls_context(chosen),
    )
    await run(service, chosen, control_routes(service), lambda: f"ready {service.update_url}")


if __name__ == "__main__":
    asyncio.run(main())
