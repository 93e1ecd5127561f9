"""Announcements are understood, and anything else is left. Listening is tested in the lab."""

from ipaddress import IPv4Address

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.gateway.announcements import (
    Announcement,
    Announcements,
    Announcer,
    parse_announcement,
)
from custom_components.homeport.gateway.epoch import Epoch
from tests.fuzz import fuzz

NAT_PMP = bytes.fromhex("00800000" + "0000002a" + "0b162101")
PCP = bytes.fromhex("02800000" + "00000000" + "0000002a" + 24 * "0")
EPOCH = Epoch(42, 5.0)


def test_what_is_announced() -> None:
    wan = IPv4Address("11.22.33.1")
    assert parse_announcement(NAT_PMP, 5.0) == Announcement(Announcer.NAT_PMP, EPOCH, wan)
    lost = NAT_PMP[:8] + bytes(4)
    assert parse_announcement(lost, 5.0) == Announcement(Announcer.NAT_PMP, EPOCH, None)
    assert parse_announcement(PCP, 5.0) == Announcement(Announcer.PCP, EPOCH, None)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(NAT_PMP[:11], id="cut off"),
        pytest.param(PCP[:23], id="cut off, PCP"),
        pytest.param(b"\0\0" + NAT_PMP[2:], id="a question"),
        pytest.param(b"\x02\0" + PCP[2:], id="a question, PCP"),
        pytest.param(b"\0\x80\0\x03" + NAT_PMP[4:], id="an error"),
        pytest.param(b"\x02\x80\0\x07" + PCP[4:], id="an error, PCP"),
        pytest.param(b"\0\x80\0\x01", id="a version that is not spoken"),
        pytest.param(b"\x02\x81" + PCP[2:] + bytes(36), id="a mapping"),
    ],
)
def test_what_is_no_announcement(data: bytes) -> None:
    assert parse_announcement(data, 5.0) is None


@fuzz
@given(
    st.binary(max_size=40)
    | st.tuples(st.sampled_from([NAT_PMP[:4], PCP[:4]]), st.binary(max_size=30)).map(b"".join)
)
@example(NAT_PMP)
@example(PCP)
def test_whatever_comes_is_an_announcement_or_left(data: bytes) -> None:
    if announcement := parse_announcement(data, 5.0):
        version = {Announcer.NAT_PMP: 0, Announcer.PCP: 2}[announcement.by]
        assert data[:4] == bytes((version, 0x80, data[2], 0))
        assert announcement.epoch.at == 5.0


async def test_without_the_interface_nothing_is_heard(socket_enabled: None) -> None:
    gateways = [IPv4Address("192.168.77.1")]
    announcements = Announcements(gateways, "unheard-of", lambda _: None)
    assert not await announcements.start()
    await announcements.stop()
