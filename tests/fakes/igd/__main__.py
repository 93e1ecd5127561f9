"""The simulated gateway as a program: python -m tests.fakes.igd --help."""

from argparse import ArgumentTypeError
import asyncio
from dataclasses import asdict
import json

from aiohttp import web

from tests.fakes.command import control_post, parser, run
from tests.fakes.igd import Connection, FakeIgd, Identity, Quirk


def _fault(text: str) -> tuple[str, int]:
    action, _, code = text.partition("=")
    if not code.isdecimal():
        message = f"{text!r} is not Action=code"
        raise ArgumentTypeError(message)
    return action, int(code)


def control_routes(igd: FakeIgd) -> list[web.RouteDef]:
    """Return the scripting interface.

    - POST /wan-address, /connection-status: the new value as text, "" is none
    - POST /fault: {"action": str, "code": int or null, "once": bool}; null takes it away
    - GET /table, /requests: JSON
    """

    async def fault(body: str) -> None:
        asked = json.loads(body)
        action, code = asked["action"], asked["code"]
        igd.faults.pop(action, None)
        if code is not None:
            igd.faults[action] = [int(code)] if asked.get("once") else int(code)

    async def wan_address(body: str) -> None:
        await igd.set_wan_address(body.strip())

    async def connection_status(body: str) -> None:
        await igd.set_connection_status(body.strip())

    async def table(_: web.Request) -> web.Response:
        return web.json_response([asdict(entry) for entry in igd.table.values()])

    async def requests(_: web.Request) -> web.Response:
        return web.json_response([{"action": a, "arguments": b} for a, b in igd.requests])

    return [
        control_post("/wan-address", wan_address),
        control_post("/connection-status", connection_status),
        control_post("/fault", fault),
        web.get("/table", table),
        web.get("/requests", requests),
    ]


async def main() -> None:
    """Run until SIGTERM or SIGINT."""
    options = parser("tests.fakes.igd", "A simulated UPnP router.")
    options.add_argument("--wan-address", default="11.22.33.44", help='"" is none')
    options.add_argument("--connection-status", default="Connected")
    options.add_argument("--udn", default=Identity().udn)
    options.add_argument("--name", default=Identity().friendly_name)
    options.add_argument("--connection", type=Connection, default=Connection.WANIP1)
    options.add_argument("--quirk", type=Quirk, action="append", default=[])
    options.add_argument("--fault", type=_fault, action="append", default=[])
    options.add_argument("--ssdp", action="store_true", help="be found; not on loopback")
    options.add_argument("--forward", action="store_true", help="listen on mapped TCP ports")
    chosen = options.parse_args()
    igd = FakeIgd(
        host=chosen.host,
        port=chosen.port,
        wan_address=chosen.wan_address,
        connection_status=chosen.connection_status,
        identity=Identity(udn=chosen.udn, friendly_name=chosen.name),
        connection=chosen.connection,
        quirks=chosen.quirk,
        forward=chosen.forward,
        ssdp_port=1900 if chosen.ssdp else None,
    )
    igd.faults.update(chosen.fault)
    await run(igd, chosen, control_routes(igd), lambda: f"ready {igd.location}")


if __name__ == "__main__":
    asyncio.run(main())
