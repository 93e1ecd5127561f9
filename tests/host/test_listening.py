"""What listens on this machine is read from the kernel's tables, whatever stands in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
import socket
import struct
import sys
import time

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.host import listening as module
from custom_components.homeport.host.listening import (
    Listening,
    Transport,
    listening,
    parse_sockets,
    place,
)
from tests.fuzz import fuzz

TCP, UDP = Transport
WAITING = {TCP: 0x0A, UDP: 0x07}
LAN, OTHER = "192.168.1.10", "192.168.1.11"
LAN6, OTHER6 = "2a00:77:77:1::10", "2a00:77:77:1::11"
EVERYWHERE, ADDRESS, LOOPBACK, NOWHERE = Listening
HEADING = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"

pytestmark = pytest.mark.usefixtures("asking")


def row(address: str, port: int = 8123, state: int = 0x0A, number: int = 1) -> bytes:
    """Write a socket as the kernel does, field by field."""
    packed = ip_address(address).packed
    local = "".join(f"{each:08X}" for each in struct.unpack(f"={len(packed) // 4}I", packed))
    other = "0" * len(local)
    rest = "00000000:00000000 00:00000000 00000000     0        0 1061 1 0000000062ab7273 100 0"
    return f"{number:4}: {local}:{port:04X} {other}:0000 {state:02X} {rest}\n".encode()


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "127.0.0.1", LAN, "::", "::1", LAN6, "fe80::1234:5678:9abc:def0"]
)
def test_socket(address: str) -> None:
    table = HEADING + row(address)
    assert list(parse_sockets(table, 0x0A, 8123)) == [ip_address(address)]
    assert list(parse_sockets(table, 0x0A, 8124)) == []
    assert list(parse_sockets(table, 0x07, 8123)) == []


def test_ipv4_by_a_socket_of_ipv6() -> None:
    assert list(parse_sockets(row(f"::ffff:{LAN}"), 0x0A, 8123)) == [IPv4Address(LAN)]


@pytest.mark.skipif(sys.byteorder != "little", reason="written as a little-endian machine does")
def test_as_it_stands_in_real_tables() -> None:
    table = (
        b"   0: 0100007F:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0\n"
        b"   1: B80D0120000000000000000001000000:07E8 00000000000000000000000000000000:0000 0A 0\n"
    )
    expected = [IPv4Address("127.0.0.1"), IPv6Address("2001:db8::1")]
    assert list(parse_sockets(table, 0x0A, 2024)) == expected


GOOD = row(LAN).rstrip()
ODD = {
    "cut off": GOOD[:30],
    "no number": GOOD.replace(b"1:", b" :", 1),
    "an address too short": GOOD.replace(GOOD.split()[1][:8], b"0000"),
    "an address too long": GOOD.replace(GOOD.split()[1][:8], b"0" * 40),
    "small letters": GOOD.lower(),
    "a port too long": GOOD.replace(b":1FBB", b":11FBB"),
    "a sign": GOOD.replace(b":1FBB", b":+FBB"),
    "something before it": b"x" + GOOD,
}


@pytest.mark.parametrize("line", ODD.values(), ids=ODD)
def test_lines_like_no_other_hide_nothing(line: bytes) -> None:
    assert list(parse_sockets(line, 0x0A, 8123)) == []
    table = line + b"\n" + row(OTHER)
    assert list(parse_sockets(table, 0x0A, 8123)) == [IPv4Address(OTHER)]


@fuzz
@example(b"\x850: ", 1)
@given(st.binary(max_size=20), st.integers(0, len(GOOD)))
def test_any_table(noise: bytes, place: int) -> None:
    """Noise in place of what stands there, as a table and as a line of one."""
    changed = GOOD[:place] + noise + GOOD[place + len(noise) :]
    for table in (noise, changed, changed + b"\n" + row(OTHER)):
        for found in parse_sockets(table, 0x0A, 8123):
            assert isinstance(found, IPv4Address | IPv6Address)


@pytest.mark.parametrize(
    ("bound", "expected", "expected6"),
    [
        ((), NOWHERE, NOWHERE),
        (("0.0.0.0",), EVERYWHERE, NOWHERE),
        (("::",), NOWHERE, EVERYWHERE),
        (("0.0.0.0", "::"), EVERYWHERE, EVERYWHERE),
        ((LAN, LAN6), ADDRESS, ADDRESS),
        ((OTHER, OTHER6), NOWHERE, NOWHERE),
        (("127.0.0.1", "::1"), LOOPBACK, LOOPBACK),
        (("127.0.0.53",), LOOPBACK, LOOPBACK),
        (("::1",), LOOPBACK, LOOPBACK),
        (("127.0.0.1", LAN), ADDRESS, NOWHERE),
        (("127.0.0.1", OTHER), NOWHERE, NOWHERE),
        (("127.0.0.1", "::"), LOOPBACK, EVERYWHERE),
    ],
)
def test_place(bound: tuple[str, ...], expected: Listening, expected6: Listening) -> None:
    addresses = [ip_address(each) for each in bound]
    assert place(addresses, IPv4Address(LAN)) is expected
    assert place(addresses, IPv6Address(LAN6)) is expected6


@contextmanager
def bound(transport: Transport, address: str, *, both: bool = False) -> Iterator[int]:
    """Have a socket wait, and yield its port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if transport is TCP else socket.SOCK_DGRAM
    with socket.socket(family, kind) as sock:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)
        sock.bind((address, 0))
        if transport is TCP:
            sock.listen()
        yield sock.getsockname()[1]


@pytest.mark.parametrize("transport", Transport)
async def test_sockets_of_this_machine(transport: Transport) -> None:
    here, there = IPv4Address("127.0.0.1"), IPv4Address("127.0.0.2")
    with bound(transport, "0.0.0.0") as port:
        assert await listening(transport, here, port) is EVERYWHERE
    with bound(transport, "127.0.0.2") as port:
        assert await listening(transport, there, port) is ADDRESS
        assert await listening(transport, here, port) is LOOPBACK
    assert await listening(transport, there, port) is NOWHERE
    # Another transport's socket is none, and one that is connected hears nobody else.
    with bound(UDP if transport is TCP else TCP, "0.0.0.0") as port:
        assert await listening(transport, here, port) is NOWHERE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.connect(("127.0.0.1", 9))
        assert await listening(UDP, here, sock.getsockname()[1]) is NOWHERE


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="there is no IPv6")
@pytest.mark.parametrize("transport", Transport)
async def test_a_socket_for_both_families_is_told_from_one_for_ipv6(transport: Transport) -> None:
    for both, expected in ((True, EVERYWHERE), (False, NOWHERE)):
        with bound(transport, "::", both=both) as port:
            assert await listening(transport, IPv4Address("127.0.0.1"), port) is expected
            assert await listening(transport, IPv6Address("::1"), port) is EVERYWHERE


def shown(monkeypatch: pytest.MonkeyPatch, ipv4: Path, ipv6: Path) -> None:
    table = replace(module._TABLES[TCP], paths=(ipv4, ipv6))
    monkeypatch.setitem(module._TABLES, TCP, table)


async def test_where_the_kernel_does_not_tell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "tcp"
    table.write_bytes(HEADING + row(LAN))
    shown(monkeypatch, table, tmp_path / "tcp6")  # without IPv6 there is none
    assert await listening(TCP, IPv4Address(LAN), 8123) is ADDRESS
    assert await listening(TCP, IPv4Address(LAN), 8124) is NOWHERE
    shown(monkeypatch, tmp_path / "none", tmp_path / "tcp6")
    assert await listening(TCP, IPv4Address(LAN), 8123) is None
    shown(monkeypatch, tmp_path, tmp_path / "tcp6")
    assert await listening(TCP, IPv4Address(LAN), 8123) is None


async def test_a_port_that_must_not_be_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A socket for all of IPv6 is there, and it cannot be found out whether it takes IPv4."""
    ipv4, ipv6 = tmp_path / "tcp", tmp_path / "tcp6"
    ipv4.write_bytes(HEADING)
    ipv6.write_bytes(HEADING + row("::"))
    shown(monkeypatch, ipv4, ipv6)
    assert await listening(TCP, IPv4Address("203.0.113.7"), 8123) is None  # not ours
    assert await listening(TCP, IPv6Address(LAN6), 8123) is EVERYWHERE


async def test_a_large_table_is_read_and_a_huge_one_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "tcp"
    lines = module._MOST // len(row(OTHER)) - 1
    table.write_bytes(row(OTHER) * lines + row(LAN))
    shown(monkeypatch, table, tmp_path / "tcp6")
    began = time.perf_counter()
    assert await listening(TCP, IPv4Address(LAN), 8123) is ADDRESS
    print(f"\n{lines} sockets in {time.perf_counter() - began:.3f} s")  # noqa: T201
    table.write_bytes(table.read_bytes() + row(OTHER) * 2)
    assert await listening(TCP, IPv4Address(LAN), 8123) is None
