"""Only what a responsible server says of its own zone is believed, whatever the bytes."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside.family import Family
from custom_components.homeport.outside.name_message import Said, question, read
from tests.fuzz import fuzz

NAME, ZONE = "home.example.com", "example.com"
HOME, HOME6 = IPv4Address("11.22.33.44"), IPv6Address("2a00:77:77:1::10")
REQUEST = question(NAME, 4)

type Record = tuple[str, str, str]


def answer(
    *records: Record,
    request: bytes = REQUEST,
    code: dns.rcode.Rcode = dns.rcode.NOERROR,
    flags: int = dns.flags.AA,
) -> bytes:
    """Answer with records: name, type and data."""
    response = dns.message.make_response(dns.message.from_wire(request))
    response.flags |= flags
    response.set_rcode(code)
    response.answer = [
        dns.rrset.from_text(f"{name}.", 60, "IN", kind, data) for name, kind, data in records
    ]
    return response.to_wire()


def said(*addresses: str) -> Said:
    return Said(frozenset(map(IPv4Address, addresses)))


A = (NAME, "A", str(HOME))
CNAME = (NAME, "CNAME", "b.example.com.")
ABROAD = (NAME, "CNAME", "home.example.net.")
NX = dns.rcode.NXDOMAIN


@pytest.mark.parametrize(
    ("records", "code", "expected"),
    [
        ((A,), 0, said(str(HOME))),
        ((A, (NAME, "A", "11.22.33.45")), 0, said(str(HOME), "11.22.33.45")),
        ((), 0, Said()),
        ((), NX, Said(exists=False)),
        # What belongs to another name is no answer to this one.
        ((("b.example.com", "A", "6.6.6.6"),), 0, Said()),
        (((NAME, "TXT", "x"),), 0, Said()),
        ((CNAME, ("b.example.com", "A", str(HOME))), 0, said(str(HOME))),
        ((CNAME,), 0, Said(alias="b.example.com")),
        ((CNAME,), NX, Said(exists=False)),
        ((ABROAD, ("home.example.net", "A", "6.6.6.6")), 0, Said(alias="home.example.net")),
        ((ABROAD,), NX, Said(alias="home.example.net")),
        # It contradicts itself.
        ((A,), NX, None),
        ((CNAME, ("b.example.com", "CNAME", f"{NAME}.")), 0, None),
    ],
)
def test_answers(records: Iterable[Record], code: int, expected: Said | None) -> None:
    assert read(REQUEST, ZONE, answer(*records, code=dns.rcode.Rcode(code))) == expected


def test_ipv6() -> None:
    request = question(NAME, 6)
    wire = answer((NAME, "AAAA", str(HOME6)), request=request)
    assert read(request, ZONE, wire) == Said(frozenset({HOME6}))


NOTHING = {
    "a resolver's": answer(A, flags=dns.flags.RA),
    "refused": answer(code=dns.rcode.REFUSED),
    "failed": answer(code=dns.rcode.SERVFAIL),
    "another family's": answer(request=REQUEST[:2] + question(NAME, 6)[2:]),
    "another name's": answer(request=REQUEST[:2] + question("b.example.com", 4)[2:]),
    "another question's": b"\0\0" + answer(A)[2:] if REQUEST[:2] != b"\0\0" else b"",
    "the question itself": REQUEST,
    "an update's": REQUEST[:2] + b"\xac\x00" + answer(A)[4:],
    "cut off": answer(A)[:-1],
    "junk behind": answer(A) + b"x",
    "nothing": b"",
}


@pytest.mark.parametrize("wire", NOTHING.values(), ids=NOTHING)
def test_no_answers(wire: bytes) -> None:
    assert read(REQUEST, ZONE, wire) is None


def test_a_question_asks_no_resolver() -> None:
    message = dns.message.from_wire(REQUEST)
    assert not message.flags & dns.flags.RD
    assert message.payload == 1232


@pytest.mark.parametrize("name", ["a..b", "a" * 64, f"{'a.' * 127}ab"])
@pytest.mark.parametrize("family", [4, 6])
def test_what_is_no_name(name: str, family: Family) -> None:
    with pytest.raises(ValueError, match="not a domain name"):
        question(name, family)


def is_sound(found: Said | None) -> bool:
    return found is None or all(isinstance(each, IPv4Address) for each in found.addresses)


@fuzz
@given(st.binary(max_size=600))
def test_any_bytes(wire: bytes) -> None:
    assert is_sound(read(REQUEST, ZONE, wire))
    assert is_sound(read(REQUEST, ZONE, REQUEST[:2] + b"\x84\x00" + wire))
    # Records behind the true question.
    assert is_sound(read(REQUEST, ZONE, answer(A)[: len(REQUEST) - 11] + wire))


GOOD = answer(ABROAD, ("home.example.net", "A", "6.6.6.6"), A)


@fuzz
@example([(len(GOOD) - 1, 0)])
@given(st.lists(st.tuples(st.integers(2, len(GOOD) - 1), st.integers(0, 255)), max_size=8))
def test_any_change_of_a_good_answer(changes: list[tuple[int, int]]) -> None:
    wire = bytearray(GOOD)
    for place, value in changes:
        wire[place] = value
    assert is_sound(read(REQUEST, ZONE, bytes(wire)))
