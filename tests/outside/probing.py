"""What the tests of the probers have in common."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
import json
import socket
from typing import Any

import pytest
import pytest_socket

from custom_components.homeport.outside.prober import ProbeTransport, Question
from tests.fakes.reply import Reply

LOOPBACK = "127.0.0.1"


def allow_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test connect to more of this machine than 127.0.0.1."""
    # What the plugin has put there comes back after the test.
    monkeypatch.setattr(socket.socket, "connect", socket.socket.connect)
    pytest_socket.socket_allow_hosts([LOOPBACK, "127.0.0.2", "127.0.0.7", "::1"])


def question(port: int, address: str = LOOPBACK, **more: Any) -> Question:
    """Ask about a TCP port."""
    more.setdefault("transport", ProbeTransport.TCP)
    return Question(address=ip_address(address), port=port, **more)


@asynccontextmanager
async def listening(host: str = LOOPBACK) -> AsyncIterator[int]:
    """Have a port that accepts connections, and hangs up."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, host, 0) as server:
        yield server.sockets[0].getsockname()[1]


def json_reply(value: object, **more: Any) -> Reply:
    """Answer JSON."""
    return Reply(body=json.dumps(value), content_type="application/json", **more)


NOT_AN_ANSWER = [
    pytest.param(Reply.html_error(200), id="a captive portal's page"),
    pytest.param(Reply.redirect("http://127.0.0.2:1/portal"), id="a captive portal's redirect"),
    pytest.param(Reply(body=""), id="empty"),
    pytest.param(Reply(body="null"), id="null"),
    pytest.param(Reply(body="true"), id="true"),
    pytest.param(Reply(body="[]"), id="an empty list"),
    pytest.param(Reply(body="{}"), id="an empty object"),
    pytest.param(Reply(body='"accepted"'), id="a text"),
    pytest.param(Reply(body="NaN"), id="not a number"),
    pytest.param(Reply(body="9" * 4096), id="a very large number"),
    pytest.param(Reply(body="[" * 4096), id="very deep"),
    pytest.param(Reply(body=b"\xff\x00"), id="junk bytes"),
    pytest.param(Reply(status=500), id="500"),
    pytest.param(Reply(status=204), id="no content"),
    pytest.param(Reply.huge(), id="10 MB"),
]
"""What no prober answers, whichever it is: OutsideInvalid."""
