"""For how long a mapping is asked for, what a gateway takes instead, and what is remembered."""

from ipaddress import IPv4Address

import aiohttp
from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.gateway import ActionRefused, Granted, Igd, Opening, Transport
from custom_components.homeport.gateway.leases import after_refusal, ladder
from tests.fakes.igd import FakeIgd, Quirk
from tests.fuzz import fuzz

OPENING = Opening(Transport.TCP, 18123, IPv4Address("127.0.0.1"), 8123, "Homeport")
WEEK = 604_800


@pytest.mark.parametrize(
    ("wanted", "rule", "rungs"),
    [
        (7200, None, [7200, 3600, WEEK, 0]),
        (3600, None, [3600, WEEK, 0]),
        (WEEK, None, [WEEK, 3600, 0]),
        (7200, 0, [0, 7200, 3600, WEEK]),
        (7200, 3600, [3600, 7200, WEEK, 0]),
        (7200, 7200, [7200, 3600, WEEK, 0]),
    ],
)
def test_what_a_gateway_took_before_comes_first(
    wanted: int, rule: int | None, rungs: list[int]
) -> None:
    assert ladder(wanted, rule) == rungs


@fuzz
@given(st.integers(1, 2**31), st.none() | st.integers(1, 2**31))
def test_for_ever_is_the_last_resort(wanted: int, rule: int | None) -> None:
    rungs = ladder(wanted, rule)
    assert rungs[-1] == 0
    assert rungs.count(0) == 1
    assert wanted in rungs[:2]


@pytest.mark.parametrize(
    ("code", "left"),
    [(402, [3600, 0]), (600, [3600, 0]), (601, [3600, 0]), (725, [0]), (718, []), (501, [])],
)
def test_only_a_refusal_of_the_lease_leads_to_another_one(code: int, left: list[int]) -> None:
    assert after_refusal(code, [3600, 0]) == left


def asked(fake: FakeIgd) -> list[int]:
    """Return the leases that were asked for, and forget them."""
    leases = [each["NewLeaseDuration"] for action, each in fake.requests if action[:3] == "Add"]
    fake.requests.clear()
    return leases


@pytest.mark.parametrize(
    ("quirk", "first", "granted"),
    [
        (Quirk.ONLY_PERMANENT, [7200, 0], 0),
        (Quirk.ONLY_PERMANENT_402, [7200, 3600, WEEK, 0], 0),
    ],
)
async def test_what_was_taken_is_asked_for_at_once_the_next_time(
    session: aiohttp.ClientSession, quirk: Quirk, first: list[int], granted: int
) -> None:
    async with FakeIgd(quirks=[quirk]) as fake:
        igd = await Igd.connect(session, fake.location)
        assert igd.lease_rule is None
        assert await igd.open(OPENING, 7200) == Granted(18123, granted)
        assert (asked(fake), igd.lease_rule) == (first, granted)
        assert await igd.open(OPENING, 7200) == Granted(18123, granted)
        assert asked(fake) == [granted]
        again = await Igd.connect(session, fake.location, lease_rule=igd.lease_rule)
        await again.open(OPENING, 7200)
        assert asked(fake) == [granted]


async def test_a_gateway_that_changed_its_mind_is_understood(
    session: aiohttp.ClientSession,
) -> None:
    """As after an update: for ever is not to be had any more."""
    async with FakeIgd(quirks=[Quirk.NO_PERMANENT]) as fake:
        igd = await Igd.connect(session, fake.location, lease_rule=0)
        assert await igd.open(OPENING, 7200) == Granted(18123, 7200)
        assert (asked(fake), igd.lease_rule) == ([0, 7200], None)


async def test_a_gateway_that_refuses_every_lease_is_asked_for_each_once(
    session: aiohttp.ClientSession, fake: FakeIgd
) -> None:
    fake.faults["AddPortMapping"] = 402
    igd = await Igd.connect(session, fake.location)
    with pytest.raises(ActionRefused) as caught:
        await igd.open(OPENING, 7200)
    assert caught.value.code == 402
    assert (asked(fake), igd.lease_rule) == ([7200, 3600, WEEK, 0], None)


@pytest.mark.parametrize(("port", "lease"), [(0, 60), (-1, 60), (65536, 60), (1, 0), (1, -1)])
async def test_what_is_no_port_or_no_lease_is_never_sent(
    session: aiohttp.ClientSession, fake: FakeIgd, port: int, lease: int
) -> None:
    igd = await Igd.connect(session, fake.location)
    wrong = Opening(Transport.TCP, port, IPv4Address("127.0.0.1"), 8123, "Homeport")
    for call in (igd.open, igd.open_any):
        with pytest.raises(ValueError, match=str(port)):
            await call(wrong, lease)
    assert fake.requests == []
