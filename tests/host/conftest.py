"""The kernel is asked over real sockets, and none of them may be left behind."""

import _socket
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
import socket

import pytest


@pytest.fixture
async def asking(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Allow every address, for nothing is sent; no socket, reader or task is left at the end."""
    monkeypatch.setattr(socket.socket, "connect", _socket.socket.connect)
    files = _sockets()
    yield
    assert _sockets() == files
    assert asyncio.all_tasks() <= {asyncio.current_task()}


def _sockets() -> set[str]:
    links = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return {str(link) for link in links if str(link).startswith("socket:")}
