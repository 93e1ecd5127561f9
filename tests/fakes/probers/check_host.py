"""check-host.net, as far as a TCP check goes. Source: check-host.net/about/api."""

import asyncio
from http import HTTPStatus
from ipaddress import AddressValueError, IPv4Address
import os
from typing import override

from aiohttp import web

from .dial import ACCEPTED
from .hosted import HostedProber, Step, main, met_by

DIAL_SECONDS = 4.0


class CheckHost(HostedProber):
    """Starts a check at `/check-tcp`, and answers with what its nodes have met at `/check-result`.

    A node that has not answered yet has null. Without "Accept: application/json" it shows a page.
    """

    @override
    def steps(self) -> list[Step]:
        return [
            Step("start", "GET", "/check-tcp", self._start),
            Step("result", "GET", "/check-result/{id}", self._result),
        ]

    def _nodes(self) -> list[str]:
        return [f"xx{number}.node.check-host.example" for number, _ in enumerate(self.met, 1)]

    async def _start(self, request: web.Request) -> web.Response:
        if request.headers.get("Accept") != "application/json":
            return web.Response(text="<html>Check host</html>", content_type="text/html")
        host, _, port = request.query["host"].rpartition(":")
        try:
            self._checked = str(IPv4Address(host))
        except AddressValueError:
            return web.json_response({"error": "invalid host"}, status=HTTPStatus.BAD_REQUEST)
        self._dialling = self.dialling(self._checked, int(port), DIAL_SECONDS)
        place = ["xx", "Somewhere", "Town", "192.0.2.1", "AS64496"]
        return web.json_response(
            {
                "ok": 1,
                "request_id": "4f96e3c5kd18",
                "permanent_link": "https://check-host.example/check-report/4f96e3c5kd18",
                "nodes": dict.fromkeys(self._nodes(), place),
            }
        )

    async def _result(self, request: web.Request) -> web.Response:
        if request.match_info["id"] != "4f96e3c5kd18":
            raise web.HTTPNotFound
        answers = dict[str, list[dict[str, object]] | None]()
        for name, task in zip(self._nodes(), self._dialling, strict=True):
            match met_by(task):
                case None:
                    answers[name] = None
                case met if met == ACCEPTED:
                    answers[name] = [{"address": self.said_address or self._checked, "time": 0.02}]
                case met:
                    answers[name] = [{"error": os.strerror(met)}]
        return web.json_response(answers)


if __name__ == "__main__":
    asyncio.run(main(CheckHost, "tests.fakes.probers.check_host"))
