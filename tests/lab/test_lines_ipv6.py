"""IPv6 that leads nowhere, IPv4 by way of IPv6, and the names that tell of either."""

import asyncio
from ipaddress import ip_address
import ssl

import pytest

from .bind import Bind
from .coturn import Coturn
from .fixtures import MakeLab, require
from .home import LAN, NET, NET6
from .lines import LINES
from .lines.fixtures import StartLine
from .lines.only_ipv6 import POOL
from .lines.outside import ADDRESSES, ECHO4, ECHO6, STUN, echo
from .lines.pieces import OWN
from .miniupnpd import Miniupnpd
from .tayga import Tayga
from .tls import Authority
from .traffic import ask_tcp, ask_udp, closed, mirror

HELLO = b"hello\n"


@pytest.fixture(scope="module", autouse=True)
def _programs() -> None:
    require({**Miniupnpd.needs, **Bind.needs, **Tayga.needs, **Coturn.needs, "upnpc": "miniupnpc"})


@pytest.mark.parametrize(
    ("name", "error", "at_once"),
    [
        ("ngn_reset", ConnectionRefusedError, True),
        # TCP tries again before it believes this.
        ("ngn_prohibited", PermissionError, False),
        ("ngn_drop", TimeoutError, False),
    ],
)
async def test_the_access_network_refuses(
    start_line: StartLine, name: str, error: type[OSError], *, at_once: bool
) -> None:
    lab, _ = start_line(name)
    begin = asyncio.get_running_loop().time()
    with pytest.raises(OSError) as raised:
        await lab["lan"].fetch(NET6, 80, within=3)
    assert type(raised.value) is error
    assert (asyncio.get_running_loop().time() - begin < 0.9) == at_once
    async with mirror(lab["net"]):
        assert (await ask_tcp(lab["lan"], NET)).address == OWN


async def test_nat64_by_name(start_line: StartLine) -> None:
    """What the resolver says leads to the IPv4 internet, by TCP and UDP; addresses lead nowhere."""
    lab, line = start_line("nat64")
    resolver = lab.daemon(Bind, "resolver")
    found = resolver.lookup(lab["lan"], "ipv4only.arpa.", "AAAA")
    assert found == {"64:ff9b::c000:aa", "64:ff9b::c000:ab"}
    (target,) = resolver.lookup(lab["lan"], "net.example.", "AAAA")
    async with mirror(lab["net"]):
        for ask in (ask_tcp, ask_udp):
            source = await ask(lab["lan"], target)
            assert source.address == POOL
            assert 20000 <= source.port <= 21023
    assert await closed(lab["lan"], NET, 80)
    assert line.public == ()


async def test_464xlat(start_line: StartLine) -> None:
    """Both ways lead out: by an IPv4 address and by a name."""
    lab, _ = start_line("nat64_clat")
    (target,) = lab.daemon(Bind, "resolver").lookup(lab["lan"], "net.example.", "AAAA")
    async with mirror(lab["net"]):
        for ask in (ask_tcp, ask_udp):
            for address in (NET, target):
                assert (await ask(lab["lan"], address)).address == POOL
    async with lab["lan"].serve(HELLO, 8123):
        assert await closed(lab["net"], POOL, 8123)


@pytest.mark.parametrize(
    ("name", "question", "kind", "answer"),
    [
        ("ds_lite_transix", "gw.transix.jp.", "AAAA", "2404:8e00::feed:100"),
        ("ds_lite_transix", "118.22.50.1", "PTR", "1.50.22.118.shared.user.transix.jp."),
        ("ds_lite_xpass", "118.22.51.4", "PTR", "118-22-51-4.east.xps.vectant.ne.jp."),
        ("map_e_v6plus", "106.72.63.108", "PTR", "M106072063108.v4.enabler.ne.jp."),
        ("map_e_ocn", "153.187.7.137", "PTR", "p123456-ipoe.ipoe.ocn.ne.jp."),
        ("map_e_ocn", "gw.transix.jp.", "AAAA", None),
    ],
)
def test_the_line_s_names(
    start_line: StartLine, name: str, question: str, kind: str, answer: str | None
) -> None:
    lab, line = start_line(name)
    resolver = lab.daemon(Bind, "resolver")
    if kind == "PTR":
        question = ip_address(question).reverse_pointer
    assert resolver.lookup(lab["lan"], question, kind) == ({answer} if answer else set())
    assert lab["lan"].run("cat", "/etc/resolv.conf") == f"nameserver {resolver.addresses[0]}\n"
    assert f"{line.prefix}::1" in resolver.addresses


@pytest.mark.parametrize("name", ["public", "map_e_v6plus"])
async def test_the_outside_services(make_lab: MakeLab, authority: Authority, name: str) -> None:
    """Two echoes of each family say the same over TLS, and two STUN servers answer."""
    line = LINES[name](echo(authority.issue(*ADDRESSES)), STUN)
    lab = make_lab(line.topology)
    trust = ssl.create_default_context(cafile=authority.bundle)
    async with lab["lan"].http_session() as session:
        seen = []
        for url in (*ECHO4, *ECHO6):
            async with session.get(f"{url}/ip", ssl=trust) as response:
                seen.append((await response.text()).strip())
    assert seen[:2] == [line.public[0]] * 2
    assert seen[2] == seen[3]
    assert seen[2].startswith(line.prefix)
    assert STUN.answers(lab["lan"])


async def test_a_pinhole_opens_ipv6_beside_pppoe(start_line: StartLine) -> None:
    """The gateway knows the other way out that IPv6 has."""
    lab, line = start_line("pppoe_ipoe")
    gateway = ("upnpc", "-6", "-u", f"http://[{line.router6}]:5000/rootDesc.xml")
    async with lab["lan"].serve(HELLO, 8123, "::"):
        assert await closed(lab["net"], line.lan6, 8123)
        lab["lan"].run(*gateway, "-A", "", "0", line.lan6, "8123", "6", "600")
        assert await lab["net"].fetch(line.lan6, 8123) == HELLO


@pytest.mark.parametrize("name", ["public", "pppoe", "pppoe_ipoe", "pppoe_ipv6", "ipip_fixed"])
async def test_a_mapping_opens_an_address_of_one_s_own(start_line: StartLine, name: str) -> None:
    lab, line = start_line(name)
    lab["lan"].run("upnpc", "-u", line.location, "-a", LAN, "8123", "80", "TCP", "600")
    async with lab["lan"].serve(HELLO, 8123):
        assert await lab["net"].fetch(line.wan, 80) == HELLO
