"""Only what a name server really says becomes evidence, whatever it sends, and soon."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
import re
import time

import dns.message
import dns.rcode
import dns.rrset
from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside.names import (
    MAX_TXT,
    WITHIN,
    LineNames,
    NameSigns,
    parse_txt,
    valid_name,
)
from tests.fuzz import fuzz

from .name_server import Answer, Zone, from_zone, name_server, silent, with_code

AFTR = ("gw.transix.jp", "dslite.v6connect.net")
URL = "https://prod.v6mig.example.net/cpe/v1/config"
PROVISIONING = f"v=v6mig-1 url={URL} t=b"
G = IPv4Address("11.22.33.44")

LINE: Zone = {
    "gw.transix.jp": {"AAAA": ("2404:8e00::feed:100",)},
    "4over6.info": {"TXT": ('"v=spf1 -all"', f'"{PROVISIONING}"')},
    "ipv4only.arpa": {"A": ("192.0.0.170", "192.0.0.171"), "AAAA": ("64:ff9b::c000:aa",)},
    "44.33.22.11.in-addr.arpa": {"PTR": ("44.33.22.11.Shared.user.transix.jp.",)},
    "45.33.22.11.in-addr.arpa": {"TXT": ('"no name here"',)},
    "ntt.setup": {"A": ("192.168.1.1",)},
    "public.setup": {"A": ("11.22.33.44",)},
    "both.setup": {"A": ("11.22.33.44", "172.31.255.254")},
}
SIGNS = NameSigns(
    answered=True,
    aftr=frozenset({"gw.transix.jp"}),
    provisioning=PROVISIONING,
    nat64=IPv6Network("64:ff9b::/96"),
)
NOTHING = NameSigns(answered=True)


@pytest.fixture
async def line() -> AsyncIterator[LineNames]:
    async with name_server(from_zone(LINE)) as server:
        yield LineNames([server])


async def observed(*answers: Answer) -> NameSigns:
    async with asyncio.timeout(WITHIN + 0.5):
        match answers:
            case (one,):
                async with name_server(one) as server:
                    return await LineNames([server]).observe(AFTR)
            case (one, two):
                async with name_server(one) as first, name_server(two) as second:
                    return await LineNames([first, second]).observe(AFTR)
    raise ValueError(answers)


async def test_the_signs_of_a_line_are_seen(line: LineNames) -> None:
    assert await line.observe(AFTR) == SIGNS


async def test_no_signs_are_an_answer() -> None:
    assert await observed(from_zone({})) == NOTHING
    empty: Zone = {name: {"MX": ("1 mx.example.",)} for name in (*AFTR, "4over6.info")}
    assert await observed(from_zone(empty)) == NOTHING


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(silent, id="silent"),
        pytest.param(with_code(dns.rcode.SERVFAIL), id="SERVFAIL"),
        pytest.param(with_code(dns.rcode.REFUSED), id="REFUSED"),
        pytest.param(with_code(dns.rcode.FORMERR), id="FORMERR"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"\xff" * 600, id="junk"),
        pytest.param(lambda query: query.to_wire()[:11], id="cut in the header"),
        pytest.param(
            lambda _: from_zone(LINE)(dns.message.make_query("4over6.info", "TXT")),
            id="an answer to somebody else",
        ),
    ],
)
async def test_what_says_nothing_is_no_answer(answer: Answer) -> None:
    start = time.monotonic()
    async with name_server(answer) as server:
        names = LineNames([server])
        signs, name, address = await asyncio.gather(
            names.observe(AFTR), names.reverse(G), names.resolve_private("ntt.setup")
        )
    assert (signs, name, address) == (NameSigns(), None, None)
    assert time.monotonic() - start < WITHIN + 0.3


@pytest.mark.parametrize("server", ["", "nowhere", "192.168.1.256", "fe80::1", "fe80::1%no-if"])
async def test_a_server_without_a_usable_address_does_not_answer(server: str) -> None:
    """And the system's resolver is not asked in its place."""
    names = LineNames([server])
    assert await names.observe(AFTR) == NameSigns()
    assert await names.reverse(G) is None


async def test_nobody_at_the_address_is_known_at_once(unused_udp_port: int) -> None:
    async with asyncio.timeout(0.5):
        assert await LineNames([f"127.0.0.1:{unused_udp_port}"]).observe(AFTR) == NameSigns()


async def test_a_server_that_is_silent_hides_no_other() -> None:
    assert await observed(silent, from_zone(LINE)) == SIGNS
    assert await observed(from_zone(LINE), silent) == SIGNS


async def test_what_one_server_lacks_another_may_have() -> None:
    half = {name: records for name, records in LINE.items() if name != "4over6.info"}
    assert await observed(from_zone(half), from_zone(LINE)) == SIGNS
    other: Zone = {"dslite.v6connect.net": {"AAAA": ("2001:4860::1",)}}
    both = await observed(from_zone(LINE), from_zone(other))
    assert both.aftr == frozenset(AFTR)


@pytest.mark.parametrize(
    "address",
    ["2001:db8::1", "fe80::1", "fd00::1", "::ffff:11.22.33.44", "::", "::1", "64:ff9b::102:304",
     "ff02::1", "2001:2::1"],
)  # fmt: skip
async def test_an_aftr_has_a_global_address(address: str) -> None:
    zone: Zone = {AFTR[0]: {"AAAA": (address,)}}
    assert await observed(from_zone(zone)) == NOTHING
    zone = {AFTR[0]: {"AAAA": (address, "2404:8e00::feed:100")}}
    assert (await observed(from_zone(zone))).aftr == {AFTR[0]}


async def test_a_server_that_knows_every_name_knows_no_aftr() -> None:
    """As a portal's does, and some providers' own."""

    def portal(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        name = query.question[0].name
        response.answer = [dns.rrset.from_text(name, 60, "IN", "AAAA", "2404:8e00::1")]
        return response

    assert await observed(portal) == NOTHING
    assert await observed(portal, from_zone(LINE)) == SIGNS


async def test_aliases_in_a_circle_are_no_address() -> None:
    def circle(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        name = query.question[0].name
        for one, other in ((name, "a.loop."), ("a.loop.", "b.loop."), ("b.loop.", name)):
            response.answer.append(dns.rrset.from_text(one, 60, "IN", "CNAME", str(other)))
        return response

    async with name_server(circle) as server:
        names = LineNames([server])
        assert await names.observe(AFTR) == NOTHING
        assert await names.reverse(G) == ""
        assert await names.resolve_private("ntt.setup") is None


async def test_the_name_of_an_address(line: LineNames) -> None:
    assert await line.reverse(G) == "44.33.22.11.shared.user.transix.jp"
    assert await line.reverse(IPv4Address("11.22.33.45")) == ""
    assert await line.reverse(IPv4Address("11.22.33.46")) == ""
    assert await line.reverse(IPv6Address("2001:db8::1")) == ""


async def test_the_name_is_the_first_that_can_be_one() -> None:
    records = ("evil\\010name.example.", "<b>.example.", "-.example.", "Good_1.example.")
    zone: Zone = {G.reverse_pointer: {"PTR": records}}
    async with name_server(from_zone(zone)) as server:
        assert await LineNames([server]).reverse(G) == "good_1.example"


async def test_a_delegated_reverse_name_is_followed() -> None:
    """RFC 2317: an alias, and the name behind it, in one answer."""

    def delegated(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        name = query.question[0].name
        response.answer = [
            dns.rrset.from_text(name, 60, "IN", "CNAME", "44.40-47.33.22.11.in-addr.arpa."),
            dns.rrset.from_text(
                "44.40-47.33.22.11.in-addr.arpa.", 60, "IN", "PTR", "home.example."
            ),
        ]
        return response

    async with name_server(delegated) as server:
        assert await LineNames([server]).reverse(G) == "home.example"


async def test_only_a_private_address_is_taken(line: LineNames) -> None:
    assert await line.resolve_private("ntt.setup") == IPv4Address("192.168.1.1")
    assert await line.resolve_private("public.setup") is None
    assert await line.resolve_private("both.setup") == IPv4Address("172.31.255.254")
    assert await line.resolve_private("nothing.setup") is None


def open_things() -> tuple[int, int]:
    """Return how many descriptors and threads there are."""
    return len(list(Path("/proc/self/fd").iterdir())), len(list(Path("/proc/self/task").iterdir()))


async def test_nothing_stays_open() -> None:
    """Descriptors and threads, also of those who were asked in vain or given up."""
    async with name_server(from_zone(LINE)) as good, name_server(silent) as bad:
        names = LineNames([good, bad])
        await LineNames([good]).reverse(G)  # starts the thread that ends all resolvers
        before = open_things()
        for _ in range(8):
            await LineNames([good]).observe(AFTR)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await names.observe(AFTR)
        await names.observe(AFTR)
        async with asyncio.timeout(5):
            while any(now > then for now, then in zip(open_things(), before, strict=True)):
                await asyncio.sleep(0.01)


TXT = {
    "as published": (PROVISIONING.encode(), PROVISIONING),
    "in another order": (b"url=http://p.example/ t=a v=v6mig-1",) * 2,
    "empty": (b"", None),
    "of another protocol": (b"v=spf1 -all", None),
    "of another version": (b"v=v6mig-11 url=https://p.example/ t=b", None),
    "the longest": (b"v=v6mig-1 ".ljust(MAX_TXT, b"x"),) * 2,
    "too long": (b"v=v6mig-1 ".ljust(MAX_TXT + 1, b"x"), None),
    "a line break": (b"v=v6mig-1 url=https://p.example/\nt=b", None),
    "a NUL": (b"v=v6mig-1 url=https://p.example/\0 t=b", None),
    "not ASCII": ("v=v6mig-1 url=https://例.example/".encode(), None),
    "not UTF-8": (b"v=v6mig-1 \xff\xfe", None),
}


@pytest.mark.parametrize(
    ("record", "text"), [pytest.param(*case, id=name) for name, case in TXT.items()]
)
def test_the_provisioning_record(record: bytes, text: str | bytes | None) -> None:
    expected = text.decode() if isinstance(text, bytes) else text
    assert parse_txt([record]) == expected
    assert parse_txt([b"\xff", b"x" * 60_000, record]) == expected


HOSTNAMES = {
    "home.example": "home.example",
    "HOME.Example.": "home.example",
    "a": "a",
    "_sip._tcp.example": "_sip._tcp.example",
    "1-2-3-4.example": "1-2-3-4.example",
    ("a" * 63 + ".") * 3 + "a" * 61: ("a" * 63 + ".") * 3 + "a" * 61,
    ("a" * 63 + ".") * 3 + "a" * 62: None,
    "a" * 64 + ".example": None,
    "": None,
    ".": None,
    "home..example": None,
    ".example": None,
    "home.example..": None,
    "-home.example": None,
    "home-.example": None,
    "ho me.example": None,
    "home.example\n": None,
    "home\\.example": None,
    "<b>.example": None,
    "h\u00f6me.example": None,
    "\u212aelvin.example": None,  # its lower case would be a plain k
}


@pytest.mark.parametrize(("text", "name"), HOSTNAMES.items())
def test_hostnames(text: str, name: str | None) -> None:
    assert valid_name(text) == name


def spelt(alphabet: str, size: int) -> st.SearchStrategy[str]:
    """Draw texts of these characters; bytes are drawn much faster than texts are."""
    return st.binary(max_size=size).map(
        lambda data: "".join(alphabet[octet % len(alphabet)] for octet in data)
    )


RECORDS = st.binary(max_size=40) | spelt("v=6mig-1 url\t\n\xe9", 520).map(
    lambda text: f"v=v6mig-1 {text}".encode()
)


@fuzz
@given(st.lists(RECORDS, max_size=4))
def test_any_txt_records(records: list[bytes]) -> None:
    text = parse_txt(records)
    if text is not None:
        assert text.encode("ascii") in records
        assert len(text) <= MAX_TXT
        assert re.fullmatch(r"[ -~]+", text)
        assert "v=v6mig-1" in text.split(" ")


@fuzz
@given(st.text(max_size=20) | spelt("aAzZ09-_.", 270) | spelt("a.\n \\\u00e9\u212a", 30))
@example("a." * 127)
@example(("a" * 63 + ".") * 5)
def test_any_reverse_name(text: str) -> None:
    name = valid_name(text)
    if name is not None:
        assert name == text.lower().removesuffix(".")
        assert re.fullmatch(r"[a-z0-9_.-]{1,253}", name)
        assert all(0 < len(label) < 64 for label in name.split("."))
        assert valid_name(name) == name


@fuzz
@given(st.ip_addresses())
def test_every_address_has_a_question(ip: IPv4Address | IPv6Address) -> None:
    """What is asked for is itself a name that may be asked for."""
    assert valid_name(ip_address(str(ip)).reverse_pointer) == ip.reverse_pointer
