"""What the kernel has found out about a neighbour is read, and nothing where it cannot know."""

from ipaddress import IPv4Address, IPv6Address
import struct
from typing import NoReturn

from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.host import presence as module
from custom_components.homeport.host.netlink import Message, messages
from custom_components.homeport.host.presence import Presence, parse_presence, presence
from tests.fuzz import fuzz

from . import kernel

pytestmark = pytest.mark.usefixtures("asking")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (0x00, None),  # NUD_NONE
        (0x01, Presence.MISSING),  # INCOMPLETE
        (0x02, Presence.CONFIRMED),  # REACHABLE
        (0x04, Presence.IN_DOUBT),  # STALE
        (0x08, Presence.IN_DOUBT),  # DELAY
        (0x10, Presence.IN_DOUBT),  # PROBE
        (0x20, Presence.MISSING),  # FAILED
        (0x40, None),  # NOARP: a tunnel has no neighbours
        (0x80, Presence.CONFIRMED),  # PERMANENT
    ],
)
def test_states(state: int, expected: Presence | None) -> None:
    (told,) = messages(kernel.neighbour("192.168.1.20", bytes(6), state=state))
    assert parse_presence(told) is expected


def test_answers_about_something_else() -> None:
    for told in (
        kernel.message(kernel.ERROR, struct.pack("=i", -2)),
        kernel.message(kernel.NEW_NEIGHBOUR, bytes(9)),
        kernel.link(),
    ):
        (message,) = messages(told)
        assert parse_presence(message) is None


@fuzz
@given(st.integers(0, 40), st.binary(max_size=40))
def test_any_bytes(kind: int, body: bytes) -> None:
    assert parse_presence(Message(kind, 0, 1, body)) in {None, *Presence}


@pytest.mark.parametrize(
    "address", [IPv4Address("127.0.0.1"), IPv4Address("203.0.113.1"), IPv6Address("2001:db8::1")]
)
async def test_what_is_no_neighbour(address: IPv4Address | IPv6Address) -> None:
    assert await presence(address) is None


async def test_without_netlink(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> NoReturn:
        raise PermissionError

    monkeypatch.setattr(module, "open_netlink", refuse)
    assert await presence(IPv4Address("192.168.1.20")) is None
