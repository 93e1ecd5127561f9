"""portchecker.io. Source: dsgnr/portchecker.io, backend/api/app/routes/v2.py, schemas/api.py."""

import asyncio
from http import HTTPStatus
from ipaddress import ip_address
from typing import override

from aiohttp import web

from .dial import ACCEPTED
from .hosted import HostedProber, Step, main

DIAL_SECONDS = 1.0


class Portchecker(HostedProber):
    """Answers `POST /api/query` when it has dialled; it has one node, and refuses IPv6."""

    @override
    def steps(self) -> list[Step]:
        return [Step("query", "POST", "/api/query", self._query)]

    async def _query(self, request: web.Request) -> web.Response:
        asked = await request.json()
        host, [port] = asked["host"], asked["ports"]
        if ip_address(host).version != 4:
            refused = {"error": True, "msg": "IPv6 is not currently supported"}
            return web.json_response(refused, status=HTTPStatus.BAD_REQUEST)
        del self.met[1:]
        [dialling] = self.dialling(host, port, DIAL_SECONDS)
        status = await dialling == ACCEPTED
        port = port if self.said_port is None else self.said_port
        return web.json_response(
            {
                "error": False,
                "msg": None,
                "check": [{"port": port, "status": status}],
                "host": self.said_address or host,
            }
        )


if __name__ == "__main__":
    asyncio.run(main(Portchecker, "tests.fakes.probers.portchecker"))
