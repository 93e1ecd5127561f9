"""The lab is what it says: real tools see a real gateway, a real name server, and real silence."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
import os
from pathlib import Path
import re
import ssl

import aiohttp
import pytest

from . import home as base
from .bind import Bind, new_secret
from .build import Lab, build
from .errors import LabError
from .fixtures import MakeLab, missing_programs, require
from .home import LAN, LAN6, MINIUPNPD, NET, ROUTER, ROUTER6, SRV, WAN
from .miniupnpd import Miniupnpd, firewall
from .peers import SIMULATED_GATEWAY_CONTROL, SIMULATED_GATEWAY_LOCATION, outside, simulated_gateway
from .tls import Authority
from .topology import Interface, Link, Namespace, Topology

GREETING = b"a game server says hello\n"


@pytest.fixture(scope="module", autouse=True)
def _programs() -> None:
    """Skip all of this file where one of the daemons or clients in it is missing."""
    clients = {"upnpc": "miniupnpc", "natpmpc": "natpmpc", "nsupdate": "bind9-dnsutils"}
    require({**Miniupnpd.needs, **Bind.needs, **clients})


@pytest.fixture(scope="module")
def bind() -> Bind:
    return Bind(namespace="net", addresses=(NET,), records=("home A 192.0.2.1",))


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab, bind: Bind) -> Lab:
    return make_lab(base.home(MINIUPNPD, bind))


@pytest.fixture
def pinhole(lab: Lab) -> Iterator[None]:
    """Open TCP 8123 of `lan` for IPv6."""
    # Asked over IPv6: a host may open a way to itself only.
    gateway = ("upnpc", "-6", "-u", f"http://[{ROUTER6}]:{MINIUPNPD.http_port}/rootDesc.xml")
    opened = lab["lan"].run(*gateway, "-A", "", "0", LAN6, "8123", "6", "600")
    number = re.search(r"Pinhole ID\D*(\d+)", opened)
    assert number, opened
    yield
    lab["lan"].run(*gateway, "-D", number[1])


def list_processes() -> set[str]:
    """Return the ids of all processes that this one has started."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def list_namespaces() -> set[str]:
    return {path.name for path in Path("/run/netns").iterdir()}


def test_gateway_is_found(lab: Lab) -> None:
    status = lab["lan"].run("upnpc", "-s")
    assert f"ExternalIPAddress = {WAN}" in status
    assert MINIUPNPD.location in status
    print(f"\nhome with miniupnpd and BIND was built in {lab.built_in:.2f} s")  # noqa: T201


async def test_upnp_opens_and_closes(lab: Lab) -> None:
    lan, net = lab["lan"], lab["net"]
    async with lan.serve(GREETING, 8123) as callers:
        with pytest.raises(TimeoutError):
            await net.fetch(WAN, 18123, within=0.3)
        upnpc(lab, "-a", LAN, "8123", "18123", "TCP", "600")
        assert await net.fetch(WAN, 18123) == GREETING
        assert callers == [NET]
        # No hairpin: what arrives has come from outside.
        with pytest.raises((TimeoutError, ConnectionRefusedError)):
            await lan.fetch(WAN, 18123, within=0.3)
        upnpc(lab, "-d", "18123", "TCP")
        with pytest.raises(TimeoutError):
            await net.fetch(WAN, 18123, within=0.3)


async def test_upnp_opens_for_another_host(lab: Lab) -> None:
    async with lab["srv"].serve(GREETING, 25565):
        upnpc(lab, "-a", SRV, "25565", "25565", "TCP", "600")
        assert await lab["net"].fetch(WAN, 25565) == GREETING
        upnpc(lab, "-d", "25565", "TCP")


async def test_nat_pmp_opens_and_closes(lab: Lab) -> None:
    lan, net = lab["lan"], lab["net"]
    async with lan.serve(GREETING, 8123):
        opened = lan.run("natpmpc", "-g", ROUTER, "-a", "28123", "8123", "tcp", "600")
        assert "Mapped public port 28123" in opened
        assert await net.fetch(WAN, 28123) == GREETING
        lan.run("natpmpc", "-g", ROUTER, "-a", "28123", "8123", "tcp", "0")
        with pytest.raises(TimeoutError):
            await net.fetch(WAN, 28123, within=0.3)


async def test_ipv6_is_closed(lab: Lab) -> None:
    async with lab["lan"].serve(GREETING, 8123, "::"):
        assert await lab["srv"].fetch(LAN6, 8123) == GREETING
        with pytest.raises(TimeoutError):
            await lab["net"].fetch(LAN6, 8123, within=0.3)


@pytest.mark.usefixtures("pinhole")
async def test_pinhole_opens_ipv6(lab: Lab) -> None:
    async with lab["lan"].serve(GREETING, 8123, "::"):
        assert await lab["net"].fetch(LAN6, 8123) == GREETING


async def test_asyncio_talks_from_any_namespace(lab: Lab) -> None:
    """A session of this process sees what `lan` sees, and another what `net` sees."""
    async with (
        lab["lan"].http_session() as session,
        session.get(MINIUPNPD.location) as response,
    ):
        assert "InternetGatewayDevice" in await response.text()
    async with lab["net"].http_session() as session:
        with pytest.raises(aiohttp.ClientConnectorError, match="unreachable"):
            await session.get(MINIUPNPD.location)


def test_restart_forgets_every_mapping(lab: Lab) -> None:
    upnpc(lab, "-a", LAN, "8123", "18124", "TCP", "600")
    assert "18124" in upnpc(lab, "-l")
    assert "18124" in lab["rtr"].run("nft", "list", "ruleset")
    lab.restart(MINIUPNPD)
    assert "18124" not in upnpc(lab, "-l")
    assert "18124" not in lab["rtr"].run("nft", "list", "ruleset")


def test_stopped_gateway_is_gone(lab: Lab) -> None:
    lab.stop(MINIUPNPD)
    with pytest.raises(LabError, match="Connection refused"):
        upnpc(lab, "-s")
    lab.start(MINIUPNPD)
    assert WAN in upnpc(lab, "-s")


async def test_wan_change_is_seen(lab: Lab) -> None:
    assert await external_address(lab) == WAN
    lab.change_wan("11.22.33.77")
    try:
        async with asyncio.timeout(5):
            while await external_address(lab) != "11.22.33.77":
                await asyncio.sleep(0.01)
        assert lab.wan_address == "11.22.33.77"
        async with lab["net"].serve(GREETING, 80) as callers:
            assert await lab["lan"].fetch(NET, 80) == GREETING
            assert callers == ["11.22.33.77"]
    finally:
        lab.change_wan(WAN)


@pytest.mark.parametrize("namespace", ["lan", "net"])
def test_signed_update_is_taken(lab: Lab, bind: Bind, namespace: str) -> None:
    name = f"from-{namespace}.dyn.example."
    assert bind.lookup(lab["lan"], name, "A") == set()
    update(lab, bind.keys["homeport."], f"add {name} 60 A 11.22.33.99", namespace)
    assert bind.lookup(lab["lan"], name, "A") == {"11.22.33.99"}


def test_wrong_key_is_refused(lab: Lab, bind: Bind) -> None:
    with pytest.raises(LabError, match="BADSIG"):
        update(lab, new_secret(), "add home.dyn.example. 60 A 6.6.6.6")
    assert bind.lookup(lab["net"], "home.dyn.example.", "A") == {"192.0.2.1"}


async def external_address(lab: Lab, gateway: Miniupnpd = MINIUPNPD) -> str:
    """Return what the gateway says is its WAN address."""
    action = "urn:schemas-upnp-org:service:WANIPConnection:1#GetExternalIPAddress"
    service, _, name = action.partition("#")
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<u:{name} xmlns:u="{service}"/></s:Body></s:Envelope>'
    )
    async with (
        lab["lan"].http_session() as session,
        session.post(
            f"http://{gateway.address}:{gateway.http_port}/ctl/IPConn",
            data=body,
            headers={"SOAPAction": f'"{action}"', "Content-Type": "text/xml"},
        ) as response,
    ):
        answer = await response.text()
    address = re.search("<NewExternalIPAddress>(.*)</NewExternalIPAddress>", answer)
    assert address, answer
    return address[1]


def upnpc(lab: Lab, *arguments: str) -> str:
    """Run a UPnP client on `lan` that is told where the gateway is: finding it takes 2 s."""
    return lab["lan"].run("upnpc", "-u", MINIUPNPD.location, *arguments)


def update(lab: Lab, secret: str, line: str, namespace: str = "lan") -> None:
    """Send one signed update with BIND's own client."""
    key = f"hmac-sha256:homeport.:{secret}"
    lab[namespace].run("nsupdate", "-y", key, stdin=f"server {NET}\n{line}\nsend\n")


async def test_reserved_wan_gives_an_empty_address(make_lab: MakeLab) -> None:
    lab = make_lab(base.reserved(MINIUPNPD))
    assert lab.wan_address == "100.64.0.2"
    assert await external_address(lab) == ""
    with pytest.raises(LabError, match="failed with code 501"):
        upnpc(lab, "-a", LAN, "8123", "18123", "TCP", "600")
    async with lab["net"].serve(GREETING, 80) as callers:
        assert await lab["lan"].fetch("100.64.0.1", 80) == GREETING
        assert callers == ["100.64.0.2"]


async def test_simulated_gateway_is_found_and_scripted(make_lab: MakeLab) -> None:
    """It says the reserved address that miniupnpd keeps to itself."""
    lab = make_lab(base.reserved(simulated_gateway("100.64.0.2")))
    # The client finds it and, hearing that address, takes it for not connected.
    with pytest.raises(LabError, match=f"desc: {SIMULATED_GATEWAY_LOCATION}"):
        lab["lan"].run("upnpc", "-s")
    status = ("upnpc", "-u", SIMULATED_GATEWAY_LOCATION, "-s")
    assert "ExternalIPAddress = 100.64.0.2" in lab["lan"].run(*status)
    async with lab["rtr"].http_session() as session:
        url = f"{SIMULATED_GATEWAY_CONTROL}/wan-address"
        async with session.post(url, data="192.0.0.2") as response:
            assert response.ok
    assert "ExternalIPAddress = 192.0.0.2" in lab["lan"].run(*status)


async def test_outside_sees_and_dials(make_lab: MakeLab, authority: Authority) -> None:
    """Echo and prober speak TLS that a strict client of the lab trusts, and no other."""
    lab = make_lab(base.home(MINIUPNPD, outside(authority.issue(NET)), name="outside"))
    trust = ssl.create_default_context(cafile=authority.bundle)
    async with lab["lan"].http_session() as session:
        async with session.get(f"https://{NET}/ip", ssl=trust) as response:
            assert (await response.text()).strip() == WAN
        upnpc(lab, "-a", LAN, "8123", "18123", "TCP", "600")
        async with (
            lab["lan"].serve(GREETING, 8123),
            session.get(f"https://{NET}/port/18123", ssl=trust) as response,
        ):
            assert (await response.json())["reachable"] is True
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"https://{NET}/ip")


async def test_a_line_of_another_shape(make_lab: MakeLab) -> None:
    """PPPoE and a second exit by mark: what the base topology does not use of the data model."""
    ppp = Interface(namespace="ce", name="ppp0", addresses=("11.22.40.77 peer 11.22.40.1/32",))
    bras = Interface(namespace="bras", name="ppp0", addresses=("11.22.40.1 peer 11.22.40.77/32",))
    b4 = Interface(namespace="ce", name="b4", addresses=("192.0.0.2/29",))
    aftr = Interface(namespace="bras", name="b4", addresses=("192.0.0.1/29", "11.22.50.1/32"))
    nat64 = Interface(
        namespace="ce",
        name="nat64",
        addresses=("2a00:64::1/64",),
        made_by="link add nat64 type veth peer name plat",
    )
    lab = make_lab(
        Topology(
            name="shapes",
            namespaces=(
                Namespace(
                    name="ce",
                    forwarding=True,
                    sysctls={"ipv4/conf/default/rp_filter": "2"},
                    routes=(
                        "default via 192.0.0.1",
                        "default via 11.22.40.1 table 7",
                        "2a00:65::/64 dev nat64 table 8",
                    ),
                    rules=("to 11.22.50.1 table 7", "from ::/0 fwmark 8 table 8"),
                    nameservers=("11.22.40.1", "192.0.0.1"),
                ),
                Namespace(name="bras"),
            ),
            links=(Link(ppp, bras, 1454), Link(b4, aftr, 1460)),
            devices=(nat64,),
            wan=ppp,
        )
    )
    ce = lab["ce"]
    assert "dev ppp0" in ce.run("ip", "route", "get", "11.22.50.1")
    assert "dev b4" in ce.run("ip", "route", "get", "11.22.51.1")
    assert "mtu 1454" in ce.run("ip", "link", "show", "ppp0")
    assert "dev nat64" in ce.run("ip", "-6", "route", "get", "2a00:65::1", "mark", "8")
    lab.change_wan("11.22.40.78")
    assert "11.22.40.78 peer 11.22.40.1/32" in ce.run("ip", "address", "show", "ppp0")
    assert "src 11.22.40.78" in ce.run("ip", "route", "get", "11.22.50.1")
    lab.change_wan("11.22.40.77")
    assert ce.run("sysctl", "-n", "net.ipv4.conf.b4.rp_filter") == "2\n"
    resolver = "nameserver 11.22.40.1\nnameserver 192.0.0.1\n"
    assert ce.run("cat", "/etc/resolv.conf") == resolver
    assert Path("/etc/resolv.conf").read_text() != resolver
    async with lab["bras"].serve(GREETING, 80, "11.22.50.1") as callers:
        assert await ce.fetch("11.22.50.1", 80) == GREETING
        assert callers == ["11.22.40.77"]


async def test_two_routers(make_lab: MakeLab) -> None:
    """Double NAT: both gateways can be asked, and only the outer one has an address to tell."""
    inner = replace(MINIUPNPD, label="inner")
    outer = Miniupnpd(
        namespace="hgw",
        label="outer",
        address="192.168.1.1",
        lan="lan0",
        wan="wan0",
        allow=("1-65535 192.168.1.0/24 1-65535",),
    )
    between = base.home(inner, outer, wan="192.168.1.2", net="192.168.1.1")
    hgw, net = (
        Interface(namespace=name, name="wan0", addresses=(f"{address}/24",))
        for name, address in (("hgw", WAN), ("net", NET))
    )
    *households, _ = between.links
    lan0 = Interface(namespace="hgw", name="lan0", addresses=("192.168.1.1/24",))
    assert between.wan
    router = Namespace(name="hgw", forwarding=True, nft=firewall("lan0", "wan0"))
    lab = make_lab(
        replace(
            between,
            name="double",
            namespaces=(*between.namespaces[:3], router, Namespace(name="net")),
            links=(*households, Link(between.wan, lan0), Link(hgw, net)),
        )
    )
    assert await external_address(lab, inner) == ""
    assert await external_address(lab, outer) == WAN
    assert lab.daemon(Miniupnpd, "outer") is outer
    with pytest.raises(LookupError):
        lab.daemon(Miniupnpd)
    async with lab["net"].serve(GREETING, 80) as callers:
        assert await lab["lan"].fetch(NET, 80) == GREETING
        assert callers == [WAN]


async def test_closed_port_may_refuse(make_lab: MakeLab) -> None:
    lab = make_lab(base.home(closed="reject", name="reject"))
    with pytest.raises(ConnectionRefusedError):
        await lab["net"].fetch(WAN, 18123)


def test_nothing_is_left(tmp_path: Path, bind: Bind) -> None:
    topology = base.home(MINIUPNPD, bind, name="short-lived")
    namespaces, processes = list_namespaces(), list_processes()
    with build(topology, tmp_path) as lab:
        assert len(list_namespaces() - namespaces) == 4
        assert len(list_processes() - processes) == 2
        assert WAN in upnpc(lab, "-s")
    assert list_namespaces() == namespaces
    assert list_processes() == processes


def test_missing_program_is_named() -> None:
    needs = {"unheard-of": "unheard", "sh": "dash"}
    assert missing_programs(needs) == ["unheard-of (Debian: unheard)"]


def test_a_failure_leaves_nothing_either(tmp_path: Path) -> None:
    topology = base.home(MINIUPNPD, Bind(namespace="net", addresses=(NET,), extra="nonsense"))
    namespaces, processes = list_namespaces(), list_processes()
    with pytest.raises(LabError, match="bind ended"), build(topology, tmp_path):
        pass
    assert list_namespaces() == namespaces
    assert list_processes() == processes
