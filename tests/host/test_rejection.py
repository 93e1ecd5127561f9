"""Of the kernel's error queue only "destination unreachable" counts, with who said it."""

from ipaddress import ip_address
import socket
import struct

from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.host.rejection import (
    Refusal,
    Rejection,
    keep_errors,
    next_rejection,
    parse_rejection,
)
from tests.fuzz import fuzz

IPV4, IPV6 = (socket.IPPROTO_IP, 11), (socket.IPPROTO_IPV6, 25)  # IP_RECVERR, IPV6_RECVERR
ICMP, ICMP6, LOCAL = 2, 3, 1  # SO_EE_ORIGIN_* of linux/errqueue.h
NAS, NAS6 = "192.168.1.20", "2a00:77:77:1::20"


def error(origin: int, icmp_type: int, code: int, sender: str) -> bytes:
    """Write what the kernel puts into a control message, field by field."""
    head = struct.pack("=IBBBBII", 113, origin, icmp_type, code, 0, 0, 0)
    packed = ip_address(sender).packed
    if len(packed) == 4:
        return head + struct.pack("=H2x4s8x", socket.AF_INET, packed)
    return head + struct.pack("=H2x4x16sI", socket.AF_INET6, packed, 0)


@pytest.mark.parametrize(
    ("code", "code6", "refusal"),
    [
        (1, 3, Refusal.ABSENT),  # host unreachable, address unreachable
        (0, 0, Refusal.ABSENT),  # net unreachable, no route
        (3, 4, Refusal.PORT),
        (13, 1, Refusal.PROHIBITED),
        (10, 1, Refusal.PROHIBITED),
        (9, 5, Refusal.PROHIBITED),  # net prohibited; the source address is not allowed
        (4, 99, None),  # a packet that is too large is a matter of path MTU
    ],
)
def test_codes(code: int, code6: int, refusal: Refusal | None) -> None:
    expected = refusal and Rejection(ip_address(NAS), refusal)
    expected6 = refusal and Rejection(ip_address(NAS6), refusal)
    assert parse_rejection(*IPV4, error(ICMP, 3, code, NAS)) == expected
    assert parse_rejection(*IPV6, error(ICMP6, 1, code6, NAS6)) == expected6


NOTHING = {
    "an error of this machine": (*IPV4, error(LOCAL, 3, 1, NAS)),
    "another family's message": (*IPV6, error(ICMP, 3, 1, NAS)),
    "another family's sender": (*IPV4, error(ICMP, 3, 1, NAS6)),
    "another family's origin": (*IPV6, error(ICMP, 1, 4, NAS6)),
    "time exceeded": (*IPV4, error(ICMP, 11, 0, NAS)),
    "packet too big": (*IPV6, error(ICMP6, 2, 0, NAS6)),
    "another control message": (socket.SOL_SOCKET, 29, error(ICMP, 3, 1, NAS)),
    "no sender": (*IPV4, error(ICMP, 3, 1, NAS)[:16]),
    "half a sender": (*IPV4, error(ICMP, 3, 1, NAS)[:23]),
    "half a sender, IPv6": (*IPV6, error(ICMP6, 1, 4, NAS6)[:39]),
    "half an error": (*IPV4, error(ICMP, 3, 1, NAS)[:12]),
    "nothing": (*IPV4, b""),
}


@pytest.mark.parametrize("message", NOTHING.values(), ids=NOTHING)
def test_nothing(message: tuple[int, int, bytes]) -> None:
    assert parse_rejection(*message) is None


@fuzz
@example(IPV4, b"\0" * 28)
@given(st.sampled_from([IPV4, IPV6]), st.binary(max_size=60))
def test_any_bytes(kind: tuple[int, int], content: bytes) -> None:
    found = parse_rejection(*kind, content)
    assert found is None or isinstance(found.refusal, Refusal)


def test_a_closed_port_of_this_machine(socket_enabled: None) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        closed = sock.getsockname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        keep_errors(sock)
        sock.settimeout(1)
        sock.connect(closed)
        sock.send(b"")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(1)
        assert next_rejection(sock) == Rejection(ip_address("127.0.0.1"), Refusal.PORT)
        assert next_rejection(sock) is None
