"""The prober runs for real on loopback, where tests stand in for who is on the internet."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from ipaddress import IPv4Network, ip_address, ip_network
import socket
from typing import Any

import pytest
import pytest_socket

from prober.config import Config, Token, digest_of
from prober.server import served
from prober.service import Service
from prober.target import IsAllowed, Resolve, resolve
from tests.fakes.conftest import _nothing_left, http

from .asking import SECRET, Prober, Start

__all__ = ["_nothing_left", "http", "start"]

HERE = ip_address("127.0.0.1")
CONFIG = Config(
    tokens=(Token(digest_of(SECRET), {"home": "home.example.net"}),),
    listen=((HERE, 0),),
    proxies=(ip_network("127.0.0.1"),),
)
"""Behind a proxy, which the tests play: so callers have any address."""


def on_loopback(address: object) -> bool:
    return address in IPv4Network("127.0.0.0/8") or str(address).startswith("2a00:77:")


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> None:
    """Let it connect to all addresses of this machine, and to nowhere else."""
    # The plugin lets connect to 127.0.0.1 only; what it has put there comes back after the test.
    monkeypatch.setattr(socket.socket, "connect", socket.socket.connect)
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"])


@pytest.fixture
async def start(socket_enabled: None) -> AsyncIterator[Start]:
    """Start a prober; it ends with the test."""
    async with AsyncExitStack() as stack:

        async def start_(
            *,
            is_allowed: IsAllowed = on_loopback,
            resolve: Resolve = resolve,
            **changes: Any,
        ) -> Prober:
            config = replace(CONFIG, **changes)
            service = Service(config, is_allowed=is_allowed, resolve=resolve)
            [(host, port)] = await stack.enter_async_context(served(config, service.app()))
            return Prober(host, port, tls=config.certificate is not None)

        yield start_
