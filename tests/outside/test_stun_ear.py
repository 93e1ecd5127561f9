"""Whatever comes to an ear, it hears what it waits for, and nothing else."""

import asyncio
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside.errors import OutsideInvalid
from custom_components.homeport.outside.stun_ear import Ear, Heard
from custom_components.homeport.outside.stun_message import Mapped, decode_response
from tests.fuzz import fuzz

from .test_stun_message import GOOD, ID, V4, hostile

SENDER = ("11.22.33.3", 3479)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Give one loop to all examples, which need it for nothing but to make futures."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


def hear(
    loop: asyncio.AbstractEventLoop, *datagrams: bytes, sender: tuple[object, ...] = SENDER
) -> Heard | None:
    async def listening() -> Heard | None:
        ear = Ear()
        heard = ear.expect(ID)
        for data in datagrams:
            ear.datagram_received(data, sender)
        return heard.result() if heard.done() else None

    return loop.run_until_complete(listening())


def test_the_first_response_counts(loop: asyncio.AbstractEventLoop) -> None:
    said = Mapped(V4, 40000)
    sender = (IPv4Address("11.22.33.3"), 3479)
    assert hear(loop, b"", GOOD[:19], GOOD, GOOD[:-1] + b"\0") == Heard(said, sender)
    assert hear(loop, GOOD, sender=("2600::3", 3479, 0, 0)) == Heard(
        said, (IPv6Address("2600::3"), 3479)
    )


@fuzz
@given(st.lists(hostile() | st.binary(max_size=100), max_size=4))
@example([GOOD])
def test_whatever_comes_the_first_response_is_heard(
    loop: asyncio.AbstractEventLoop, datagrams: list[bytes]
) -> None:
    expected: Mapped | str | None = None
    for data in datagrams:
        try:
            expected = decode_response(data, ID)
        except OutsideInvalid as err:
            expected = str(err)
        if expected is not None:
            break
    heard = hear(loop, *datagrams)
    if heard is None:
        assert expected is None
    elif isinstance(heard.said, Mapped):
        assert heard.said == expected
    else:
        assert str(heard.said) == expected
