"""A name in a URL is compared with this home's addresses; what is not known is not compared.

Asking real servers is tested in the lab.
"""

import asyncio
from ipaddress import IPv4Address, IPv6Address
import time

import pytest

from custom_components.homeport.outside.authority import NameTrouble
from custom_components.homeport.outside.own_url import (
    WITHIN,
    NameLeads,
    Points,
    name_leads,
    points_home,
)

from .name_server import Answer, from_zone, name_server, silent

HOME, OTHER = IPv4Address("11.22.33.44"), IPv4Address("11.22.33.45")
HOME6, SECOND6, OTHER6 = (IPv6Address(f"2a00:77:77:1::{number}") for number in (10, 11, 99))
NONE: frozenset[IPv4Address] = frozenset()


@pytest.mark.parametrize(
    ("found", "ours", "expected"),
    [
        ({HOME}, {HOME}, Points.HOME),
        ({HOME6}, {HOME6, SECOND6}, Points.HOME),
        ({HOME6, SECOND6}, {HOME6, SECOND6}, Points.HOME),
        ({HOME, OTHER}, {HOME}, Points.PARTLY),
        ({HOME6, OTHER6}, {HOME6, SECOND6}, Points.PARTLY),
        ({OTHER}, {HOME}, Points.ELSEWHERE),
        # A home without an address of this family has none that a name could lead to.
        ({OTHER6}, set(), Points.ELSEWHERE),
        (set(), {HOME}, Points.NOWHERE),
        (set(), set(), Points.NOWHERE),
        (None, {HOME}, None),
    ],
)
def test_points_home(
    found: set[IPv4Address] | None, ours: set[IPv4Address], expected: Points | None
) -> None:
    assert points_home(found, ours) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("11.22.33.44", NameLeads(frozenset({HOME}), frozenset())),
        (str(HOME6), NameLeads(NONE, frozenset({HOME6}))),
        (f"[{HOME6}]", NameLeads(NONE, frozenset({HOME6}))),
    ],
)
async def test_an_address_needs_no_question(host: str, expected: NameLeads) -> None:
    asked = []
    async with name_server(asked.append) as server:
        assert await name_leads(host, [server]) == expected
    assert asked == []


@pytest.mark.parametrize("host", ["", ".", "a b.example", "-a.example", "a..b", "ä.example"])
async def test_what_is_no_name_is_not_asked_for(host: str) -> None:
    asked = []
    async with name_server(asked.append) as server:
        assert await name_leads(host, [server]) == NameLeads(trouble=NameTrouble.NO_NAME)
    assert asked == []


async def test_servers_at_home_are_not_the_internets() -> None:
    zone = {
        "example.com": {"NS": ("ns.example.com.",)},
        "ns.example.com": {"A": ("127.0.0.1", "192.168.1.1"), "AAAA": ("::1", "fe80::1")},
        "home.example.com": {"A": ("192.168.1.2",)},
    }
    async with name_server(from_zone(zone)) as server:
        leads = await name_leads("home.example.com", [server])
    assert leads == NameLeads(trouble=NameTrouble.UNRESOLVED)


@pytest.mark.parametrize("answer", [silent, lambda _: b"junk"])
async def test_a_resolver_that_does_not_answer(answer: Answer) -> None:
    began = time.monotonic()
    async with name_server(answer) as server, asyncio.timeout(WITHIN + 0.5):
        leads = await name_leads("home.example.com", [server])
    assert leads == NameLeads(trouble=NameTrouble.UNRESOLVED)
    print(f"\ngiven up after {time.monotonic() - began:.2f} s")  # noqa: T201


async def test_a_resolver_that_is_none() -> None:
    leads = await name_leads("home.example.com", ["nonsense"])
    assert leads == NameLeads(trouble=NameTrouble.UNRESOLVED)
