"""Where a name leads is asked of the servers that are responsible for it, whatever others say."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import IPv4Address, IPv6Address
import socket
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from custom_components.homeport.outside.authority import NameTrouble
from custom_components.homeport.outside.own_url import WITHIN, NameLeads, name_leads
from tests.outside.name_server import Answer, _Server, from_zone, silent, with_code

from .access_line import within
from .bind import Bind
from .build import Lab
from .fixtures import MakeLab
from .host import family_of
from .topology import Interface, Link, Namespace, Topology

FIRST, STALE, OTHER, LIAR, SILENT, CLOSED, PRIVATE, RESOLVER = (
    *(f"11.22.60.{number}" for number in range(1, 7)),
    "10.9.9.9",
    "11.22.60.9",
)
ONLY6 = "2a00:77:99::5"
HOME, HOME6, OLD = IPv4Address("11.22.33.44"), IPv6Address("2a00:77:77:1::10"), "11.22.33.1"
MANY = tuple(f"11.22.80.{number}" for number in range(1, 100))

ZONE = Bind(
    namespace="net",
    addresses=(FIRST, ONLY6),
    zone="example.test.",
    records=(
        f"home A {HOME}",
        f"home AAAA {HOME6}",
        f"only4 A {HOME}",
        "empty TXT nothing",
        "alias CNAME only4",
        "abroad CNAME dyn.other.test.",
        "nobody CNAME nobody.other.test.",
        "loop CNAME loop.other.test.",
        "strange CNAME a\\.b\\ c.other.test.",
        *(f"many A {each}" for each in MANY),
    ),
    label="zone",
)
BEHIND = Bind(
    namespace="net",
    addresses=(STALE,),
    zone="example.test.",
    records=(f"home A {OLD}", f"home AAAA {HOME6}"),
    label="behind",
)
THERE = Bind(
    namespace="net",
    addresses=(OTHER,),
    zone="other.test.",
    records=(f"dyn AAAA {HOME6}", "loop CNAME loop.example.test.", f"home A {OLD}"),
    label="there",
)
SERVERS = {
    "ns1.test": FIRST,
    "ns2.test": STALE,
    "other.test": OTHER,
    "liar.test": LIAR,
    "silent.test": SILENT,
    "closed.test": CLOSED,
    "private.test": PRIVATE,
    "only6.test": ONLY6,
}
ZONES = {
    "example.test": ("ns1",),
    "other.test": ("other",),
}


def resolver(zones: Mapping[str, tuple[str, ...]]) -> Answer:
    """Return a home's resolver: it knows the zones, and has its own idea of the names in them."""
    return from_zone(
        {name: {"AAAA" if ":" in ip else "A": (ip,)} for name, ip in SERVERS.items()}
        | {"test": {}, "home.example.test": {"A": ("192.168.1.2",)}}
        | {
            zone: {"NS": tuple(f"{each}.test." for each in names)}
            | ({"A": (SERVERS[zone],)} if zone in SERVERS else {})
            for zone, names in zones.items()
        }
    )


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab) -> Lab:
    lan = Interface(namespace="lan", name="eth0", addresses=("11.22.60.100/24", f"{ONLY6}00/64"))
    net = Interface(
        namespace="net",
        name="eth0",
        addresses=(
            *(f"{each}/24" for each in (FIRST, STALE, OTHER, LIAR, SILENT, CLOSED, RESOLVER)),
            f"{PRIVATE}/32",
            f"{ONLY6}/64",
        ),
    )
    return make_lab(
        Topology(
            name="own-url",
            namespaces=(
                Namespace(name="lan", routes=(f"{PRIVATE} via {RESOLVER}",)),
                Namespace(name="net"),
            ),
            links=(Link(lan, net),),
            daemons=(ZONE, BEHIND, THERE),
        )
    )


@asynccontextmanager
async def answering(lab: Lab, address: str, answer: Answer) -> AsyncIterator[None]:
    sock = lab["net"].new_socket(family_of(address), socket.SOCK_DGRAM)
    sock.bind((address, 53))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Server(answer), sock=sock
    )
    try:
        yield
    finally:
        transport.close()


def leads(
    lab: Lab,
    name: str,
    zones: Mapping[str, tuple[str, ...]] = ZONES,
    liar: Answer = silent,
    resolving: Answer | None = None,
) -> NameLeads:
    """Ask from `lan`, and in time."""

    async def ask() -> NameLeads:
        async with AsyncExitStack() as stack:
            for address, answer in (
                (RESOLVER, resolving or resolver(zones)),
                (LIAR, liar),
                (SILENT, silent),
                (PRIVATE, from_zone({name: {"A": (OLD,)}})),
            ):
                await stack.enter_async_context(answering(lab, address, answer))
            async with asyncio.timeout(WITHIN + 0.5):
                return await name_leads(name, [RESOLVER])

    return within(lab["lan"], ask())


def found(ipv4: object = None, ipv6: object = None) -> NameLeads:
    return NameLeads(
        frozenset({ipv4} if ipv4 else ()), frozenset({ipv6} if ipv6 else ()), trouble=None
    )


BOTH = found(HOME, HOME6)


def trouble(what: NameTrouble) -> NameLeads:
    return NameLeads(trouble=what)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("home.example.test", BOTH),
        ("HOME.Example.test.", BOTH),
        ("only4.example.test", found(HOME)),
        ("empty.example.test", found()),
        ("alias.example.test", found(HOME)),
        ("abroad.example.test", found(None, HOME6)),
        ("nowhere.example.test", trouble(NameTrouble.NO_NAME)),
        ("nobody.example.test", trouble(NameTrouble.NO_NAME)),
        ("loop.example.test", trouble(NameTrouble.ALIASES)),
        ("strange.example.test", trouble(NameTrouble.ALIASES)),
        ("homeassistant.local", trouble(NameTrouble.NO_NAME)),
        ("a.b.c.d.e.f.g.h.home.example.test", trouble(NameTrouble.NO_NAME)),
    ],
)
def test_names(lab: Lab, name: str, expected: NameLeads) -> None:
    assert leads(lab, name) == expected


def test_more_addresses_than_a_datagram_holds(lab: Lab) -> None:
    assert leads(lab, "many.example.test").ipv4 == frozenset(map(IPv4Address, MANY))


def test_server_that_has_not_heard_of_a_change(lab: Lab) -> None:
    name, zones = "home.example.test", {"example.test": ("ns2", "ns1")}
    both = NameLeads(frozenset({HOME, IPv4Address(OLD)}), frozenset({HOME6}))
    assert leads(lab, name, zones) == both


@pytest.mark.parametrize("servers", [("silent", "ns1"), ("closed", "ns1"), ("liar", "ns1")])
def test_one_server_is_enough(lab: Lab, servers: tuple[str, ...]) -> None:
    zones = {"example.test": servers}
    assert leads(lab, "home.example.test", zones, with_code(dns.rcode.REFUSED)) == BOTH


def test_server_of_ipv6_only(lab: Lab) -> None:
    assert leads(lab, "home.example.test", {"example.test": ("only6",)}) == BOTH


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        (("silent",), NameTrouble.SILENT),
        (("closed",), NameTrouble.SILENT),
        # Not what the internet would ask.
        (("private",), NameTrouble.UNRESOLVED),
        (("unknown",), NameTrouble.UNRESOLVED),
        # It does not know this zone.
        (("other",), NameTrouble.REFUSED),
    ],
)
def test_nobody_to_ask(lab: Lab, servers: tuple[str, ...], expected: NameTrouble) -> None:
    began = time.monotonic()
    assert leads(lab, "home.example.test", {"example.test": servers}) == trouble(expected)
    print(f"\n{servers[0]}: {time.monotonic() - began:.2f} s")  # noqa: T201


def without_authority(query: dns.message.Message) -> dns.message.Message:
    """Answer as a resolver on the way does that takes all questions for itself."""
    name = query.question[0].name.to_text(omit_final_dot=True)
    return from_zone({name: {"A": ("192.168.1.2",)}})(query)  # type: ignore[return-value]


def hearsay(query: dns.message.Message) -> dns.message.Message:
    """Answer with an alias, and at once with addresses for a name of somebody else's zone."""
    response = dns.message.make_response(query)
    response.flags |= dns.flags.AA
    name = query.question[0].name
    response.answer = [
        dns.rrset.from_text(name, 60, "IN", "CNAME", "dyn.other.test."),
        dns.rrset.from_text("dyn.other.test.", 60, "IN", "A", "6.6.6.6"),
    ]
    return response


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (without_authority, trouble(NameTrouble.REFUSED)),
        (with_code(dns.rcode.SERVFAIL), trouble(NameTrouble.REFUSED)),
        (lambda query: query.to_wire()[:2] + b"\x84\0" + bytes(8), trouble(NameTrouble.REFUSED)),
        (lambda _: b"junk", trouble(NameTrouble.SILENT)),
        (lambda query: b"\0\0" + query.to_wire()[2:], trouble(NameTrouble.SILENT)),
        (hearsay, found(None, HOME6)),
    ],
)
def test_lies(lab: Lab, answer: Answer, expected: NameLeads) -> None:
    zones = {"example.test": ("liar",), "other.test": ("other",)}
    assert leads(lab, "home.example.test", zones, answer) == expected


def test_no_resolver(lab: Lab) -> None:
    for answer in (silent, with_code(dns.rcode.SERVFAIL)):
        assert leads(lab, "home.example.test", resolving=answer) == trouble(NameTrouble.UNRESOLVED)
