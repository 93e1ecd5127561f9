"""The outside is asked over real sockets on loopback, and nothing may be left behind."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.conftest import _nothing_left, http
from tests.fakes.outside import Outside

__all__ = ["_nothing_left", "http", "outside"]


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    """Run an echo and a prober."""
    async with Outside() as started:
        yield started
