"""A question is one exactly, or none."""

from contextlib import suppress
from ipaddress import ip_address
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from prober.question import Question, Transport, parse_port, parse_question
from prober.refused import Refused
from tests.fuzz import fuzz

GOOD: dict[str, Any] = {"transport": "tcp", "port": 8123}
NONCE = "00112233445566778899aabbccddeeff"


def parsed(**more: object) -> Question:
    return parse_question(json.dumps(GOOD | more).encode())


@pytest.mark.parametrize(
    ("more", "question"),
    [
        ({}, Question(Transport.TCP, 8123)),
        ({"transport": "udp", "port": 1}, Question(Transport.UDP, 1)),
        ({"port": 65535}, Question(Transport.TCP, 65535)),
        ({"nonce": NONCE}, Question(Transport.TCP, 8123, bytes.fromhex(NONCE))),
        ({"nonce": None, "name": None, "address": None}, Question(Transport.TCP, 8123)),
        ({"name": "home"}, Question(Transport.TCP, 8123, name="home")),
        (
            {"address": "2a00:77:0::1"},
            Question(Transport.TCP, 8123, address=ip_address("2a00:77::1")),
        ),
    ],
)
def test_good_questions(more: dict[str, object], question: Question) -> None:
    assert parsed(**more) == question


@pytest.mark.parametrize(
    "more",
    [
        *({"port": each} for each in (0, -1, 65536, 10**30, "8123", 8123.0, True, None, [8123])),
        *({"transport": each} for each in ("TCP", "sctp", "", None, 6, ["tcp"], {})),
        *({"nonce": each} for each in ("", "00", NONCE + "0", NONCE.upper(), "g" * 32, 5, [NONCE])),
        {"nonce": "\uff10\uff10" + NONCE[2:]},
        *({"name": each} for each in ("", "a.b", "Home", "a" * 33, 1, ["home"], "a\n")),
        *({"address": each} for each in ("", "home", 185999660, "1.2.3", "1.2.3.04", ["::1"])),
        *({"address": each} for each in ("2a00:77::1%eth0", "[2a00:77::1]", "11.22.33.44/32")),
        {"address": "11.22.33.44:80"},
        {"host": "11.22.33.99"},
        {"": 1},
    ],
    ids=str,
)
def test_bad_questions(more: dict[str, object]) -> None:
    with pytest.raises(Refused, match="bad_request"):
        parsed(**more)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b'"tcp"', b"{}", b"\xff", b"\x1f\x8b", b"[" * 1024, b'{"a":' * 200),
        *(json.dumps(GOOD).encode()[:-1], json.dumps(GOOD).encode() + b"{}"),
    ],
)
def test_what_is_no_question(body: bytes) -> None:
    with pytest.raises(Refused, match="bad_request"):
        parse_question(body)


@pytest.mark.parametrize(
    "text", ["0", "", "-1", "+1", "65536", "080", "8123.0", " 80", "\uff18\uff10", "80\n"]
)
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(Refused, match="bad_request"):
        parse_port(text)


def test_ports_of_paths() -> None:
    assert [parse_port(each) for each in ("1", "8123", "65535")] == [1, 8123, 65535]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
MEMBERS = {
    "transport": st.sampled_from(["tcp", "udp"]) | ANYTHING,
    "port": st.integers(-1, 65537) | ANYTHING,
    "nonce": st.text("0123456789abcdef", min_size=31, max_size=33) | ANYTHING,
    "name": st.text("abc-._", max_size=34) | ANYTHING,
    "address": st.ip_addresses().map(str) | ANYTHING,
}
BODIES = st.fixed_dictionaries({}, optional=MEMBERS).map(lambda said: json.dumps(said).encode())


@fuzz
@given(st.binary(max_size=300) | ANYTHING.map(lambda said: json.dumps(said).encode()) | BODIES)
def test_any_body_is_a_question_or_refused(body: bytes) -> None:
    with suppress(Refused):
        question = parse_question(body)
        assert type(question.port) is int
        assert 0 < question.port < 65536
        assert question.nonce is None or len(question.nonce) == 16
