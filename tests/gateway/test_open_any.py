"""An opening at any port: the gateway picks it, or a candidate does, and nothing is replaced."""

from dataclasses import replace
from ipaddress import IPv4Address

import aiohttp
import pytest

from custom_components.homeport.gateway import (
    ActionRefused,
    GatewayUnreachable,
    Granted,
    Igd,
    NoPublicAddress,
    NotPermitted,
    Opening,
    PortTaken,
    Transport,
)
from tests.fakes.igd import Connection, Entry, FakeIgd, Quirk
from tests.fakes.reply import Reply

OPENING = Opening(Transport.TCP, 18123, IPv4Address("127.0.0.1"), 8123, "Homeport 1a2b3c4d")
CONSOLE = Entry(protocol="TCP", external_port=18123, internal_client="127.0.0.9", internal_port=9)


def sent(fake: FakeIgd) -> list[tuple[str, int]]:
    return [(name, each["NewExternalPort"]) for name, each in fake.requests if name[:3] == "Add"]


async def test_the_first_candidate_that_is_free_is_taken(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    for port in (18123, 18200):
        entry = replace(CONSOLE, external_port=port)
        fake.table[entry.key] = entry
    igd = await Igd.connect(session, fake.location)
    granted = await igd.open_any(OPENING, 3600, (18200, 18201, 18202))
    assert granted == Granted(18201, 3600)
    assert sent(fake) == [("AddPortMapping", 18201)]


async def test_what_is_ours_already_is_renewed(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    igd = await Igd.connect(session, fake.location)
    await igd.open(OPENING, 60)
    assert await igd.open_any(OPENING, 3600, (18200,)) == Granted(18123, 3600)
    assert len(fake.table) == 1


async def test_where_none_is_free_the_reason_is_that_of_the_first(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    fake.table[CONSOLE.key] = CONSOLE
    fake.faults["AddPortMapping"] = 729
    igd = await Igd.connect(session, fake.location)
    with pytest.raises(PortTaken):
        await igd.open_any(OPENING, 3600, (18200, 18201))
    assert sent(fake) == [("AddPortMapping", 18200), ("AddPortMapping", 18201)]


async def test_a_gateway_is_not_hammered(session: aiohttp.ClientSession, fake: FakeIgd) -> None:
    fake.faults["AddPortMapping"] = 718
    igd = await Igd.connect(session, fake.location)
    with pytest.raises(NotPermitted):
        await igd.open_any(OPENING, 3600, range(20_000, 30_000))
    assert len(sent(fake)) == 10


@pytest.mark.parametrize("code", [402, 715, 724, 725, 728])
async def test_what_no_other_port_cures_is_said_at_once(
    session: aiohttp.ClientSession, fake: FakeIgd, code: int
) -> None:
    fake.faults["AddPortMapping"] = code
    igd = await Igd.connect(session, fake.location)
    with pytest.raises(ActionRefused) as caught:
        await igd.open_any(OPENING, 3600, (18200,))
    assert caught.value.code == code
    assert {port for _, port in sent(fake)} == {18123}


async def test_without_an_address_no_port_is_tried_after_the_first(
    session: aiohttp.ClientSession,
) -> None:
    async with FakeIgd(wan_address="") as fake:
        igd = await Igd.connect(session, fake.location)
        with pytest.raises(NoPublicAddress):
            await igd.open_any(OPENING, 3600, (18200,))
        assert len(sent(fake)) == 1


async def test_the_gateways_own_choice_is_asked_for_once(session: aiohttp.ClientSession) -> None:
    """Silence is no refusal: the mapping may have been made."""
    async with FakeIgd(connection=Connection.WANIP2) as fake:
        fake.answers["AddAnyPortMapping"] = Reply(drop=True)
        igd = await Igd.connect(session, fake.location)
        with pytest.raises(GatewayUnreachable):
            await igd.open_any(OPENING, 3600, (18200,))
        assert sent(fake) == []  # it never got that far, nor did anything after it


async def test_the_gateways_own_choice_goes_down_the_ladder_too(
    session: aiohttp.ClientSession,
) -> None:
    async with FakeIgd(connection=Connection.WANIP2) as fake:
        fake.faults["AddAnyPortMapping"] = [725]
        igd = await Igd.connect(session, fake.location)
        assert await igd.open_any(OPENING, 3600) == Granted(18123, 0)
        assert igd.lease_rule == 0


async def test_a_refusal_by_a_gateway_that_chooses_is_final(
    session: aiohttp.ClientSession,
) -> None:
    async with FakeIgd(connection=Connection.WANIP2, quirks=[Quirk.SECURE_MODE]) as fake:
        igd = await Igd.connect(session, fake.location)
        elsewhere = replace(OPENING, internal_client=IPv4Address("127.0.0.7"))
        with pytest.raises(NotPermitted):
            await igd.open_any(elsewhere, 3600, (18200,))
        assert [name for name, _ in sent(fake)] == ["AddAnyPortMapping"]
