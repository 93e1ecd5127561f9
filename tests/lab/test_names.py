"""Real name servers: BIND on the line, one that is silent, and one that lies at length."""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network
import sys
import time

import pytest

from custom_components.homeport.outside.names import WITHIN, LineNames, NameSigns

from .bind import Bind
from .build import Lab
from .fixtures import MakeLab
from .topology import Interface, Link, Namespace, Topology

SERVER, SERVER6, LINK_LOCAL = "192.168.77.1", "2a00:77:77:1::1", "fe80::77"
LIAR = "192.168.77.2"
SILENT = "192.168.77.3"
AFTR = ("gw.transix.jp", "dslite.v6connect.net")
G = IPv4Address("11.22.33.44")
TXT = "v=v6mig-1 url=https://prod.v6mig.example.net/cpe/v1/config t=b"

# The root zone, so that the server knows every name that is asked, and says so of all others.
LINE = Bind(
    namespace="rtr",
    # Any IPv6 address: the one with a scope is among them.
    addresses=(SERVER, "::/0"),
    zone=".",
    records=(
        "gw.transix.jp. AAAA 2404:8e00::feed:100",
        "4over6.info. TXT other",
        f'4over6.info. TXT "{TXT}"',
        "ipv4only.arpa. A 192.0.0.170",
        "ipv4only.arpa. AAAA 64:ff9b::c000:aa",
        "ipv4only.arpa. AAAA 64:ff9b::c000:ab",
        f"{G.reverse_pointer}. PTR 44.33.22.11.shared.user.transix.jp.",
        f"{IPv6Address('2001:db8::1').reverse_pointer}. PTR Home.Example.",
        "ntt.setup. A 192.168.77.1",
    ),
    label="line",
)
LONG = " ".join(f'"v=v6mig-1 {"x" * 240}"' for _ in range(100))
FALSE = Bind(
    namespace="rtr",
    addresses=(LIAR,),
    zone=".",
    records=(
        f"{AFTR[0]}. CNAME a.loop.",
        "a.loop. CNAME b.loop.",
        "b.loop. CNAME a.loop.",
        *(f"{AFTR[1]}. AAAA fd00::{number:x}" for number in range(1, 100)),
        f"4over6.info. TXT {LONG}",
        "ipv4only.arpa. AAAA ::ffff:192.0.0.170",
        f"{G.reverse_pointer}. CNAME a.loop.",
        "ntt.setup. A 11.22.33.44",
    ),
    label="liar",
)
SIGNS = NameSigns(
    answered=True,
    aftr=frozenset({AFTR[0]}),
    provisioning=TXT,
    nat64=IPv6Network("64:ff9b::/96"),
)
DROP = f"""
table inet filter {{
  chain input {{
    type filter hook input priority filter; policy accept;
    ip daddr {SILENT} drop
  }}
}}
"""


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab) -> Lab:
    lan = Interface(
        namespace="lan", name="eth0", addresses=("192.168.77.10/24", "2a00:77:77:1::10/64")
    )
    rtr = Interface(
        namespace="rtr",
        name="lan0",
        addresses=(
            *(f"{address}/24" for address in (SERVER, LIAR, SILENT)),
            *(f"{address}/64" for address in (SERVER6, LINK_LOCAL)),
        ),
    )
    return make_lab(
        Topology(
            name="names",
            namespaces=(
                Namespace(name="lan", nameservers=(SERVER,)),
                Namespace(name="rtr", nft=DROP),
            ),
            links=(Link(lan, rtr),),
            daemons=(LINE, FALSE),
        )
    )


def ask[T](lab: Lab, question: Callable[[], Awaitable[T]], *, within: float = 1.0) -> T:
    """Ask from `lan`, and in time."""

    async def bounded() -> T:
        async with asyncio.timeout(within):
            return await question()

    with lab["lan"].inside():
        return asyncio.run(bounded())


@pytest.mark.parametrize("server", [SERVER, SERVER6, f"{LINK_LOCAL}%eth0", f"[{SERVER6}]:53"])
def test_the_line_says_who_it_is(lab: Lab, server: str) -> None:
    names = LineNames([server])
    assert ask(lab, lambda: names.observe(AFTR)) == SIGNS
    assert ask(lab, lambda: names.reverse(G)) == "44.33.22.11.shared.user.transix.jp"
    assert ask(lab, lambda: names.reverse(IPv6Address("2001:db8::1"))) == "home.example"
    assert ask(lab, lambda: names.reverse(IPv4Address("11.22.33.46"))) == ""
    assert ask(lab, lambda: names.resolve_private("ntt.setup")) == IPv4Address(SERVER)


def test_lies_are_no_signs(lab: Lab) -> None:
    """Aliases in a circle, answers that need TCP, records of nobody's."""
    names = LineNames([LIAR])
    assert ask(lab, lambda: names.observe(AFTR)) == NameSigns(answered=True)
    assert not ask(lab, lambda: names.reverse(G))
    assert ask(lab, lambda: names.resolve_private("ntt.setup")) is None


def test_silence_is_bounded_and_hides_nobody(lab: Lab) -> None:
    start = time.monotonic()
    bound = WITHIN + 0.3
    assert ask(lab, lambda: LineNames([SILENT]).observe(AFTR), within=bound) == NameSigns()
    assert time.monotonic() - start > 0.6  # it was asked twice
    names = LineNames([SILENT, "192.168.77.99", SERVER])
    assert ask(lab, lambda: names.observe(AFTR), within=bound) == SIGNS
    assert ask(lab, lambda: names.reverse(G), within=bound)
    assert ask(lab, lambda: LineNames([SILENT]).reverse(G), within=bound) is None


def test_no_servers_are_those_of_the_system(lab: Lab) -> None:
    program = (
        "import asyncio\n"
        "from custom_components.homeport.outside.names import LineNames\n"
        f"print(asyncio.run(LineNames().observe({AFTR!r})))"
    )
    assert lab["lan"].run(sys.executable, "-c", program).strip() == repr(SIGNS)
