"""Gateways are real servers on loopback, and nothing may be left behind after a test."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.fakes.conftest import _nothing_left
from tests.fakes.igd import FakeIgd

__all__ = ["_nothing_left", "fake", "session"]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client without limits of its own, as Home Assistant's is."""
    async with aiohttp.ClientSession() as made:
        yield made


@pytest.fixture
async def fake() -> AsyncIterator[FakeIgd]:
    """Run a well-behaved gateway."""
    async with FakeIgd() as started:
        yield started
