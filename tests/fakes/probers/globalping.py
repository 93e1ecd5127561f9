"""Globalping, as far as a TCP ping goes.

Sources: jsdelivr/globalping, public/v1/spec.yaml and docs/measurement; jsdelivr/globalping-probe,
src/command/handlers/ping/tcp-ping.ts.
"""

import asyncio
import errno
from http import HTTPStatus
from typing import Any, override

from aiohttp import web

from .dial import ACCEPTED
from .hosted import HostedProber, Step, main, met_by

DIAL_SECONDS = 5.0
ID = "PY5fMsREMmIq45VR"


class Globalping(HostedProber):
    """Starts a measurement at `POST /v1/measurements`, and has its results at `GET …/ID`.

    Only what is not the default stands in an answer's options. A lost packet has a time of -1; an
    error fails the test, with what Node.js says of it.
    """

    @override
    def steps(self) -> list[Step]:
        return [
            Step("start", "POST", "/v1/measurements", self._start),
            Step("result", "GET", "/v1/measurements/{id}", self._result),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        asked = await request.json()
        options = asked["measurementOptions"]
        if asked["type"] != "ping" or options.get("protocol") != "TCP":
            return web.json_response({"error": {"type": "validation_error"}}, status=400)
        self._target, self._port = asked["target"], options.get("port", 80)
        del self.met[asked["limit"] :]
        self._dialling = self.dialling(self._target, self._port, DIAL_SECONDS)
        return web.json_response(
            {"id": ID, "probesCount": len(self.met)}, status=HTTPStatus.ACCEPTED
        )

    async def _result(self, request: web.Request) -> web.Response:
        if request.match_info["id"] != ID:
            raise web.HTTPNotFound
        port = self._port if self.said_port is None else self.said_port
        options = {"packets": 1, "protocol": "TCP"} | ({} if port == 80 else {"port": port})
        results = [self._test(met_by(task)) for task in self._dialling]
        over = all(task.done() for task in self._dialling)
        return web.json_response(
            {
                "id": ID,
                "type": "ping",
                "target": self._target,
                "status": "finished" if over else "in-progress",
                "createdAt": "2026-11-24T16:19:52.909Z",
                "updatedAt": "2026-11-24T16:19:53.909Z",
                "probesCount": len(results),
                "measurementOptions": options,
                "results": [{"probe": {"country": "XX"}, "result": each} for each in results],
            }
        )

    def _test(self, met: int | None) -> dict[str, Any]:
        if met is None:
            return {"status": "in-progress", "rawOutput": ""}
        address = self.said_address or self._target
        head = f"PING {address} ({address}) on port {self._port}."
        if met not in (ACCEPTED, errno.ETIMEDOUT):
            error = f"connect {errno.errorcode[met]} {self._target}:{self._port}"
            return {
                "status": "failed",
                "failureSource": None,
                "rawOutput": f"{head}\n{error}\n",
                "resolvedAddress": address,
                "timings": [],
                "stats": dict.fromkeys(("min", "max", "avg", "total", "loss", "rcv", "drop")),
            }
        reply, rtt = ("Reply", 20.48) if met == ACCEPTED else ("No reply", -1)
        received = int(met == ACCEPTED)
        return {
            "status": "finished",
            "rawOutput": f"{head}\n{reply} from {address} on port {self._port}: tcp_conn=1\n",
            "resolvedAddress": address,
            "resolvedHostname": address,
            "timings": [{"rtt": rtt}],
            "stats": {"total": 1, "rcv": received, "drop": 1 - received, "loss": 100 * received},
        }


if __name__ == "__main__":
    asyncio.run(main(Globalping, "tests.fakes.probers.globalping"))
