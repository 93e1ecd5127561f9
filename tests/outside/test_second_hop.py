"""The kernel's error queue is read for who answered; a router behind the gateway is understood."""

import asyncio
from ipaddress import IPv4Address, IPv6Address, ip_address
import socket
import struct
import time

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside import natpmp_probe
from custom_components.homeport.outside.natpmp_probe import (
    NatPmpAnswer,
    ask_natpmp,
    parse_answer,
)
from custom_components.homeport.outside.second_hop import HopAnswer, parse_error, trace
from tests.fuzz import fuzz

G = IPv4Address("11.22.33.44")
IPV4 = (socket.IPPROTO_IP, socket.IP_RECVERR)
IPV6 = (socket.IPPROTO_IPV6, socket.IPV6_RECVERR)
ICMP, ICMP6, LOCAL = 2, 3, 1  # SO_EE_ORIGIN_* of linux/errqueue.h


def error(origin: int, icmp_type: int, code: int, sender: str) -> bytes:
    """Write what the kernel puts into a control message, field by field."""
    head = struct.pack("=IBBBBII", 113, origin, icmp_type, code, 0, 0, 0)
    ip = ip_address(sender)
    if isinstance(ip, IPv4Address):
        return head + struct.pack("=H2x4s8x", socket.AF_INET, ip.packed)
    return head + struct.pack("=H2x4x16sI", socket.AF_INET6, ip.packed, 0)


def test_who_let_a_packet_expire_or_refused_it() -> None:
    for sender in ("192.168.1.1", "11.22.33.1"):
        ip = IPv4Address(sender)
        assert parse_error(*IPV4, error(ICMP, 11, 0, sender)) == HopAnswer(ip, last=False)
        assert parse_error(*IPV4, error(ICMP, 3, 3, sender)) == HopAnswer(ip, last=True)
        assert parse_error(*IPV4, error(ICMP, 3, 13, sender)) == HopAnswer(ip, last=True)
    for sender in ("2001:db8::1", "fe80::1"):
        ip = IPv6Address(sender)
        assert parse_error(*IPV6, error(ICMP6, 3, 0, sender)) == HopAnswer(ip, last=False)
        assert parse_error(*IPV6, error(ICMP6, 1, 4, sender)) == HopAnswer(ip, last=True)


NOBODY = {
    "an error of this machine": (*IPV4, error(LOCAL, 0, 0, "0.0.0.0")),
    "another family's message": (*IPV6, error(ICMP, 11, 0, "192.168.1.1")),
    "another family's sender": (*IPV4, error(ICMP, 11, 0, "2001:db8::1")),
    "another family's origin": (*IPV6, error(ICMP, 3, 0, "2001:db8::1")),
    "source quench": (*IPV4, error(ICMP, 4, 0, "192.168.1.1")),
    "packet too big": (*IPV6, error(ICMP6, 2, 0, "2001:db8::1")),
    "another control message": (socket.SOL_SOCKET, 29, error(ICMP, 11, 0, "192.168.1.1")),
    "no sender": (*IPV4, error(ICMP, 11, 0, "192.168.1.1")[:16]),
    "half a sender": (*IPV4, error(ICMP, 11, 0, "192.168.1.1")[:23]),
    "half a sender, IPv6": (*IPV6, error(ICMP6, 3, 0, "2001:db8::1")[:39]),
    "half an error": (*IPV4, error(ICMP, 11, 0, "192.168.1.1")[:12]),
    "nothing": (*IPV4, b""),
}


@pytest.mark.parametrize(
    ("level", "kind", "data"), [pytest.param(*case, id=name) for name, case in NOBODY.items()]
)
def test_who_is_not_named(level: int, kind: int, data: bytes) -> None:
    assert parse_error(level, kind, data) is None


async def test_the_target_itself_is_the_last(socket_enabled: None) -> None:
    start = time.monotonic()
    assert await trace("127.0.0.1") == (IPv4Address("127.0.0.1"),)
    assert time.monotonic() - start < 0.3


@pytest.mark.parametrize("target", ["", "router", "192.168.1.1:80", "1.2.3"])
async def test_a_target_is_an_address(target: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        await trace(target)


ANSWER = struct.pack("!BBHI4s", 0, 128, 0, 3600, G.packed)
REFUSED = struct.pack("!BBHI4s", 0, 128, 3, 3600, bytes(4))


def test_the_address_in_the_answer() -> None:
    assert parse_answer(ANSWER) == NatPmpAnswer(G)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 0xFFFF])
def test_a_refusal_is_an_answer_without_address(code: int) -> None:
    for address in (G.packed, bytes(4)):
        data = struct.pack("!BBHI4s", 0, 128, code, 3600, address)
        assert parse_answer(data) == NatPmpAnswer(None)


def test_no_address_is_none() -> None:
    assert parse_answer(ANSWER[:8] + bytes(4)) == NatPmpAnswer(None)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(ANSWER[:11], id="too short"),
        pytest.param(ANSWER + b"\0", id="too long"),
        pytest.param(b"\x02" + ANSWER[1:], id="PCP"),
        pytest.param(b"\0\0" + ANSWER[2:], id="a request"),
        pytest.param(b"\0\x81" + ANSWER[2:], id="the answer to another request"),
    ],
)
def test_what_is_no_answer(data: bytes) -> None:
    assert parse_answer(data) is None


class Router(asyncio.DatagramProtocol):
    """Answers NAT-PMP with what it is told, the first time or later."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.asked: list[bytes] = []

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked.append(data)
        if self.answers and (answer := self.answers.pop(0)):
            self._transport.sendto(answer, addr)


@pytest.mark.parametrize(
    ("answers", "expected", "seconds"),
    [
        pytest.param([ANSWER], NatPmpAnswer(G), 0.0, id="at once"),
        pytest.param([b"", ANSWER], NatPmpAnswer(G), 0.25, id="the first is lost"),
        pytest.param([b"", b"", ANSWER], NatPmpAnswer(G), 0.75, id="two are lost"),
        pytest.param([b"junk", ANSWER], NatPmpAnswer(G), 0.25, id="junk first"),
        pytest.param([REFUSED], NatPmpAnswer(None), 0.0, id="refused"),
        pytest.param([b"", b"", b""], None, 1.0, id="silence"),
    ],
)
async def test_a_router_is_asked(
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[bytes],
    expected: NatPmpAnswer | None,
    seconds: float,
) -> None:
    router = Router(*answers)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: router, local_addr=("127.0.0.1", 0)
    )
    monkeypatch.setattr(natpmp_probe, "PORT", transport.get_extra_info("sockname")[1])
    start = time.monotonic()
    try:
        assert await ask_natpmp("127.0.0.1") == expected
    finally:
        transport.close()
    assert seconds <= time.monotonic() - start + 0.01 < seconds + 1
    assert router.asked == [b"\0\0"] * len(answers)


async def test_a_machine_that_speaks_no_nat_pmp_says_so_at_once(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        monkeypatch.setattr(natpmp_probe, "PORT", sock.getsockname()[1])
    start = time.monotonic()
    assert await ask_natpmp("127.0.0.1") is None
    assert time.monotonic() - start < 0.2


LEVELS = st.sampled_from([socket.IPPROTO_IP, socket.IPPROTO_IPV6, socket.SOL_SOCKET])
KINDS = st.sampled_from([socket.IP_RECVERR, socket.IPV6_RECVERR, 0, 29])
OCTETS = st.integers(0, 255)
ERRORS = st.builds(
    error,
    st.integers(0, 4),
    st.sampled_from([0, 1, 2, 3, 4, 11]),
    OCTETS,
    st.ip_addresses().map(str),
)


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Cut something that was right, change an octet, or add some."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(0, 2))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(OCTETS)
    cut = draw(st.integers(0, len(data)) | st.just(len(data)))
    return bytes(data[:cut]) + draw(st.just(b"") | st.binary(max_size=8))


@fuzz
@given(LEVELS, KINDS, st.binary(max_size=64) | damaged(ERRORS))
@example(*IPV4, error(ICMP, 11, 0, "192.168.1.1"))
def test_any_control_message(level: int, kind: int, data: bytes) -> None:
    answer = parse_error(level, kind, data)
    if answer is not None:
        assert (level, kind) == (IPV4 if answer.sender.version == 4 else IPV6)
        assert answer.sender.packed in data[16:]


@fuzz
@given(st.binary(max_size=40) | damaged(st.just(ANSWER)))
def test_any_datagram(data: bytes) -> None:
    answer = parse_answer(data)
    assert (answer is not None) == (len(data) == 12 and data[:2] == b"\0\x80")
    if answer is not None and answer.address is not None:
        assert data[2:4] == b"\0\0"
        assert answer.address.packed == data[8:]
