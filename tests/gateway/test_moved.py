"""A gateway whose description is elsewhere than before is found again, at the same address only."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import pytest

from custom_components.homeport.gateway import (
    GatewayInfo,
    GatewayUnreachable,
    Link,
    Memory,
    Peer,
    discover,
)
from custom_components.homeport.host import source_address
from tests.fakes.igd import FakeIgd, Identity
from tests.fakes.reply import Reply


async def nothing() -> None:
    pass


@contextmanager
def link_to(
    session: aiohttp.ClientSession, location: str, moves: list[GatewayInfo]
) -> Iterator[Link]:
    yield Link(
        session,
        Peer(location),
        source_address,
        memory=Memory(),
        save=nothing,
        on_move=moves.append,
    )


@pytest.mark.parametrize("udn", ["uuid:the-same", "uuid:another"])
async def test_another_port_and_another_name(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, udn: str
) -> None:
    async with FakeIgd(identity=Identity(udn="uuid:the-same")) as before:
        location = before.location
    moves: list[GatewayInfo] = []
    async with FakeIgd(identity=Identity(udn=udn), ssdp_port=0) as now:
        monkeypatch.setattr(discover, "_SSDP_PORT", now.ssdp_port)
        with link_to(session, location, moves) as link:
            assert (await link.read()).connected
            assert [(move.location, move.udn) for move in moves] == [(now.location, udn)]
            await link.stop()
            # From now on it is asked where it is.
            assert (await link.read()).connected
            assert len(moves) == 1
            await link.stop()


async def test_one_that_is_gone_is_gone(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its search still answers, and says what it said before."""
    moves: list[GatewayInfo] = []
    async with FakeIgd(ssdp_port=0) as fake:
        monkeypatch.setattr(discover, "_SSDP_PORT", fake.ssdp_port)
        fake.description = Reply.html_error(503)
        with link_to(session, fake.location, moves) as link, pytest.raises(GatewayUnreachable):
            await link.read()
    assert moves == []
