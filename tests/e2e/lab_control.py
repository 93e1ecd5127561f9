"""Scripting the project's own servers in the lab, and looking at the router from outside of us."""

import asyncio

from tests.lab import Host, Lab, Miniupnpd
from tests.lab.peers import OUTSIDE_CONTROL

from .api import Json


async def asked_outside(home: Lab) -> list[Json]:
    """Return what the outside services were asked so far."""
    async with (
        home["net"].http_session() as session,
        session.get(f"{OUTSIDE_CONTROL}/requests") as answer,
    ):
        asked: list[Json] = await answer.json()
        return asked


async def script(host: Host, url: str, json: Json | None = None, text: str | None = None) -> None:
    """Make one of the project's own servers behave otherwise."""
    async with host.http_session() as session, session.post(url, json=json, data=text) as answer:
        answer.raise_for_status()


async def script_outside(home: Lab, **overrides: object) -> None:
    """Make the outside services say something else."""
    await script(home["net"], f"{OUTSIDE_CONTROL}/override", json=overrides)


def table(home: Lab) -> str:
    """Return the router's own table, read by an independent client."""
    return home["lan"].run("upnpc", "-u", home.daemon(Miniupnpd).location, "-l")


async def reached(home: Lab, port: int) -> bytes | None:
    """Return what the internet gets from a port of the home, None when it gets nothing."""
    try:
        return await home["net"].fetch(home.wan_address, port, within=1)
    except OSError:
        return None


async def closed(home: Lab, port: int, within: float = 5) -> None:
    """Return once the router's own table has the port no more. Raises TimeoutError."""
    async with asyncio.timeout(within):
        while str(port) in table(home):
            await asyncio.sleep(0.05)
