"""Mappings are read back as the gateway has them, and written as they were asked for."""

from dataclasses import replace
from ipaddress import IPv4Address

import aiohttp
import pytest

from custom_components.homeport.gateway import (
    UNKNOWN_LEASE,
    ActionRefused,
    Igd,
    Opening,
    PortMapping,
    PortTaken,
    Transport,
)
from custom_components.homeport.gateway.errors import InvalidAnswer
from tests.fakes.igd import Connection, Entry, FakeIgd, Quirk
from tests.fakes.reply import Reply

from .strange import Strange, answer, fault

OPENING = Opening(Transport.UDP, 18123, IPv4Address("192.168.1.10"), 8123, "Homeport")
READ = PortMapping(Transport.UDP, 18123, "192.168.1.10", 8123, "Homeport", True, 3600)
KEY = OPENING.key
GOOD = {
    "NewInternalPort": "8123",
    "NewInternalClient": "192.168.1.10",
    "NewEnabled": "1",
    "NewPortMappingDescription": "Homeport",
    "NewLeaseDuration": "3600",
}


@pytest.mark.parametrize("connection", Connection)
async def test_what_is_opened_is_read_back_and_closed(
    session: aiohttp.ClientSession, connection: Connection
) -> None:
    async with FakeIgd(connection=connection) as fake:
        igd = await Igd.connect(session, fake.location)
        assert await igd.mapping(KEY) is None
        await igd.open(OPENING, 3600)
        found = await igd.mapping(KEY)
        assert found == READ
        assert found.is_of(OPENING)
        assert await igd.mapping((Transport.TCP, 18123)) is None
        await igd.close(KEY)
        assert await igd.mapping(KEY) is None
        assert not fake.table


async def test_the_gateway_is_told_exactly_what_is_wanted(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    igd = await Igd.connect(session, fake.location)
    await igd.open(OPENING, 86_400)
    assert fake.requests == [
        (
            "AddPortMapping",
            {
                "NewRemoteHost": "",
                "NewExternalPort": 18123,
                "NewProtocol": "UDP",
                "NewInternalPort": 8123,
                "NewInternalClient": "192.168.1.10",
                "NewEnabled": True,
                "NewPortMappingDescription": "Homeport",
                "NewLeaseDuration": 86_400,
            },
        )
    ]


@pytest.mark.parametrize("text", ["<b>\"a\" & 'b'</b>", "Türe 玄関 🚪", "]]>", "&amp;"])
async def test_a_description_survives_the_way_there_and_back(
    session: aiohttp.ClientSession, fake: FakeIgd, text: str
) -> None:
    igd = await Igd.connect(session, fake.location)
    opening = replace(OPENING, description=text)
    await igd.open(opening, 3600)
    found = await igd.mapping(KEY)
    assert found is not None
    assert found.is_of(opening)


@pytest.mark.parametrize("quirks", [(), (Quirk.DELETE_MISSING_OK,)])
async def test_closing_what_is_not_there_is_no_error(
    session: aiohttp.ClientSession, quirks: tuple[Quirk, ...]
) -> None:
    async with FakeIgd(quirks=quirks) as fake:
        await (await Igd.connect(session, fake.location)).close(KEY)


@pytest.mark.parametrize("code", ["714", "704"])
async def test_both_codes_for_no_such_entry_mean_it(
    session: aiohttp.ClientSession, code: str
) -> None:
    async with Strange({"/control": fault(code)}) as strange:
        igd = await Igd.connect(session, strange.location)
        assert await igd.mapping(KEY) is None
        await igd.close(KEY)


@pytest.mark.parametrize("code", [402, 501, 606, 713])
async def test_any_other_code_does_not_mean_that_there_is_none(
    session: aiohttp.ClientSession, fake: FakeIgd, code: int
) -> None:
    igd = await Igd.connect(session, fake.location)
    fake.faults |= {"GetSpecificPortMappingEntry": code, "DeletePortMapping": code}
    for call in (igd.mapping, igd.close):
        with pytest.raises(ActionRefused) as caught:
            await call(KEY)
        assert caught.value.code == code


async def read(session: aiohttp.ClientSession, reply: Reply) -> PortMapping | None:
    async with Strange({"/control": reply}) as strange:
        return await (await Igd.connect(session, strange.location)).mapping(KEY)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"NewEnabled": "0"}, replace(READ, enabled=False)),
        ({"NewEnabled": "false"}, replace(READ, enabled=False)),
        ({"NewEnabled": "True"}, READ),
        ({"NewEnabled": "yes"}, READ),
        ({"NewLeaseDuration": "0"}, replace(READ, lease=0)),
        *(
            ({"NewLeaseDuration": odd}, replace(READ, lease=UNKNOWN_LEASE))
            for odd in ("", "-1", "for ever", "4294967295", "9" * 5000)
        ),
        ({"NewLeaseDuration": " 60 "}, replace(READ, lease=60)),
        ({"NewPortMappingDescription": ""}, replace(READ, description="")),
        ({"NewInternalClient": "not us"}, replace(READ, internal_client="not us")),
        ({"NewInternalPort": "-1"}, replace(READ, internal_port=-1)),
    ],
)
async def test_what_routers_write(
    session: aiohttp.ClientSession, change: dict[str, str], expected: PortMapping
) -> None:
    found = await read(session, answer("GetSpecificPortMappingEntry", **(GOOD | change)))
    assert found == expected


async def test_what_routers_leave_out(session: aiohttp.ClientSession) -> None:
    least = {name: GOOD[name] for name in ("NewInternalPort", "NewInternalClient")}
    found = await read(session, answer("GetSpecificPortMappingEntry", **least))
    assert found == replace(READ, description="", lease=UNKNOWN_LEASE)


@pytest.mark.parametrize(
    "change",
    [
        {"NewInternalPort": ""},
        {"NewInternalPort": "http"},
        {"NewInternalPort": "8123.5"},
    ],
)
async def test_nonsense_is_no_mapping(
    session: aiohttp.ClientSession, change: dict[str, str]
) -> None:
    with pytest.raises(InvalidAnswer):
        await read(session, answer("GetSpecificPortMappingEntry", **(GOOD | change)))


async def test_an_empty_answer_is_no_mapping(session: aiohttp.ClientSession) -> None:
    with pytest.raises(InvalidAnswer):
        await read(session, answer("GetSpecificPortMappingEntry"))


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": Transport.TCP},
        {"external_port": 18124},
        {"internal_client": "192.168.1.11"},
        {"internal_client": "192.168.1.010"},
        {"internal_port": 8124},
        {"description": "homeport"},
        {"description": "Homepor"},
        {"description": "Homeport "},
        {"description": ""},
        {"remote_host": "203.0.113.1"},
    ],
)
def test_only_what_matches_in_everything_is_ours(change: dict[str, object]) -> None:
    assert READ.is_of(OPENING)
    assert not replace(READ, **change).is_of(OPENING)
    assert replace(READ, enabled=False, lease=0).is_of(OPENING)


@pytest.mark.parametrize(
    ("shown", "ours"),
    [
        ("Homeport 1a2b3c4d", True),
        ("Homeport 1a2b3c4", True),
        ("Homeport 1a2b", True),
        ("Homeport 1a2", False),
        ("Homeport", False),
        ("Homeport 1a2b3c4e", False),
        ("Homeport 1a2b3c4d5", False),
        ("omeport 1a2b3c4d", False),
    ],
)
def test_what_a_router_cut_off_counts_while_it_tells_whose_it_is(shown: str, ours: bool) -> None:
    opening = replace(OPENING, description="Homeport 1a2b3c4d")
    cut = replace(READ, description=shown)
    assert cut.is_of(opening) is ours
    assert not replace(cut, internal_client="192.168.1.11").is_of(opening)
    assert not replace(cut, internal_port=8124).is_of(opening)


async def test_a_taken_port_is_refused_and_the_holder_can_be_read(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    holder = Entry(
        protocol="UDP", external_port=18123, internal_client="192.168.1.99", internal_port=1
    )
    fake.table[holder.key] = holder
    igd = await Igd.connect(session, fake.location)
    with pytest.raises(PortTaken) as caught:
        await igd.open(OPENING, 3600)
    assert caught.value.code == 718
    found = await igd.mapping(KEY)
    assert found is not None
    assert found.internal_client == "192.168.1.99"
