"""The prober on a real network: every outcome, names, and nobody but its caller."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from hashlib import sha256
from ipaddress import ip_address
import itertools
from pathlib import Path
import ssl
from typing import Any

import pytest

from custom_components.homeport.outside.bound_session import bound_session
from custom_components.homeport.outside.errors import OtherAddress
from custom_components.homeport.outside.listener import listen
from custom_components.homeport.outside.own_prober import OwnProber
from custom_components.homeport.outside.prober import Answer, Outcome, ProbeTransport, Question
from custom_components.homeport.outside.refused import ProberRefused
from tests.fakes.conftest import _open_sockets

from .access_line import within
from .bind import Bind
from .build import Lab
from .fixtures import MakeLab
from .host import Host
from .python_module import PythonModule
from .tls import Authority
from .topology import Interface, Link, Namespace, Topology

HOME, SECOND, HOME6, SECOND6 = "11.22.33.1", "11.22.40.77", "2a00:77:77:1::10", "2a00:77:77:1::20"
NET, NET6 = "11.22.33.2", "2a00:77:77:1::1"
OTHER, OTHER6 = "11.22.50.9", "2a00:77:77:5::9"
PORT, SECRET = 8443, "a-secret-of-the-lab"
NONCE = bytes(range(16))

RECORDS = {
    "second": (f"A {SECOND}", f"AAAA {SECOND6}"),
    "private": ("A 192.168.1.1",),
    "loopback": ("A 127.0.0.1",),
    "itself": (f"A {NET}",),
    "both": (f"A {SECOND}", "A 10.0.0.1"),
    "empty": ("TXT nothing",),
}
LINKS = (
    Link(
        Interface(
            namespace="home",
            name="eth0",
            addresses=(f"{HOME}/24", f"{SECOND}/24", f"{HOME6}/64", f"{SECOND6}/64"),
        ),
        Interface(
            namespace="net", name="h0", addresses=(f"{NET}/24", "11.22.40.1/24", f"{NET6}/64")
        ),
    ),
    Link(
        Interface(namespace="other", name="eth0", addresses=(f"{OTHER}/24", f"{OTHER6}/64")),
        Interface(namespace="net", name="o0", addresses=("11.22.50.1/24", "2a00:77:77:5::1/64")),
    ),
)

_ports = itertools.count(20_001)


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    certificate = authority.issue(NET, NET6)
    config = tmp_path_factory.mktemp("prober") / "prober.toml"
    names = "".join(f'{name} = "{name}.dyn.example"\n' for name in RECORDS)
    config.write_text(
        f'listen = ["{NET}:{PORT}", "[{NET6}]:{PORT}"]\n'
        f'certificate = "{certificate.certificate}"\nkey = "{certificate.key}"\n'
        f'[[tokens]]\nsha256 = "{sha256(SECRET.encode()).hexdigest()}"\n[tokens.names]\n{names}'
    )
    prober = PythonModule(
        namespace="net",
        module="prober",
        arguments=("--config", str(config)),
        listens=((NET, PORT), (NET6, PORT)),
    )
    records = tuple(f"{name} {each}" for name, found in RECORDS.items() for each in found)
    spaces = (
        Namespace(name="home"),
        Namespace(name="other"),
        Namespace(name="net", forwarding=True, nameservers=(NET,)),
    )
    bind = Bind(namespace="net", addresses=(NET,), records=records)
    return make_lab(Topology(name="prober", namespaces=spaces, links=LINKS, daemons=(prober, bind)))


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.bundle)


async def check(
    trust: ssl.SSLContext,
    address: str,
    port: int,
    *,
    source: str | None = None,
    transport: ProbeTransport = ProbeTransport.TCP,
    name: str | None = None,
) -> Answer:
    """Ask with the project's own client."""
    at = f"[{NET6}]" if ":" in address else NET
    prober = OwnProber(partial(bound_session, ssl=trust), f"https://{at}:{PORT}", SECRET, name)
    from_ = ip_address(source) if source else None
    return await prober.check(Question(transport, ip_address(address), port, from_, NONCE))


def on(host: Host, doing: Coroutine[None, None, Answer]) -> Answer:
    """Do something on a machine, and to its very end."""

    async def until_closed() -> Answer:
        before = _open_sockets()
        try:
            return await doing
        finally:
            # TLS ends with a word of both sides, after the answer.
            async with asyncio.timeout(2):
                while _open_sockets() > before:
                    await asyncio.sleep(0.005)

    return within(host, until_closed())


@contextmanager
def rule(lab: Lab, words: str) -> Iterator[None]:
    """Let the home's packet filter do something to what comes in."""
    chain = f"type filter hook input priority filter;\n {words}"
    lab["home"].run("nft", "-f", "-", stdin=f"table inet t {{\n chain c {{\n {chain}\n }}\n }}\n")
    try:
        yield
    finally:
        lab["home"].run("nft", "delete", "table", "inet", "t")


@asynccontextmanager
async def hearing(transport: ProbeTransport, address: str, port: int) -> AsyncIterator[set[Any]]:
    """Have a listener of ours; gives who was met."""
    async with listen(transport, ip_address(address), port, lambda _: True, NONCE) as listener:
        yield listener.met


over_both = pytest.mark.parametrize("transport", ProbeTransport)
each_family = pytest.mark.parametrize("home", [HOME, HOME6])


@over_both
@each_family
def test_what_there_is_at_a_port(
    lab: Lab, trust: ssl.SSLContext, home: str, transport: ProbeTransport
) -> None:
    port = next(_ports)
    ask = partial(check, trust, home, port, source=home, transport=transport)

    async def heard() -> Answer:
        async with hearing(transport, home, port) as met:
            answer = await ask()
            assert met == {ip_address(NET6 if ":" in home else NET)}
            return answer

    assert on(lab["home"], heard()) == Answer(Outcome.ACCEPTED, nonce_seen=True)
    assert on(lab["home"], ask()) == Answer(Outcome.REFUSED)


REJECTIONS = {
    "drop": Outcome.TIMED_OUT,
    "reject with icmpx type port-unreachable": Outcome.REFUSED,
    "reject with icmpx type host-unreachable": Outcome.UNREACHABLE,
    "reject with icmpx type no-route": Outcome.UNREACHABLE,
    "reject with icmpx type admin-prohibited": Outcome.UNREACHABLE,
}


@over_both
@each_family
@pytest.mark.parametrize("verdict", REJECTIONS)
def test_what_a_packet_filter_says(
    lab: Lab, trust: ssl.SSLContext, home: str, transport: ProbeTransport, verdict: str
) -> None:
    port = next(_ports)
    with rule(lab, f"{transport.lower()} dport {port} {verdict}"):
        answer = on(lab["home"], check(trust, home, port, source=home, transport=transport))
    assert answer == Answer(REJECTIONS[verdict])


@over_both
def test_an_address_that_nobody_has_any_more(
    lab: Lab, trust: ssl.SSLContext, transport: ProbeTransport
) -> None:
    """Linux, as the last router, gives up looking for it after three seconds."""
    gone = "2a00:77:77:1::dead"
    asked = check(trust, gone, next(_ports), source=HOME6, transport=transport)
    assert on(lab["home"], asked) == Answer(Outcome.UNREACHABLE)


def test_another_machine_of_the_callers_network(lab: Lab, trust: ssl.SSLContext) -> None:
    port = next(_ports)

    async def heard() -> Answer:
        async with hearing(ProbeTransport.TCP, SECOND6, port):
            return await check(trust, SECOND6, port, source=HOME6)

    assert on(lab["home"], heard()) == Answer(Outcome.ACCEPTED, nonce_seen=True)


@pytest.mark.parametrize(
    ("address", "source"),
    [(OTHER, HOME), (SECOND, HOME), (HOME, SECOND), (OTHER6, HOME6), (NET, HOME)],
)
def test_nobody_else_is_dialled(lab: Lab, trust: ssl.SSLContext, address: str, source: str) -> None:
    with pytest.raises(OtherAddress):
        on(lab["home"], check(trust, address, next(_ports), source=source))


def test_its_own_address_in_the_callers_network_is_refused(lab: Lab, trust: ssl.SSLContext) -> None:
    with pytest.raises(ProberRefused, match="prober_caller"):
        on(lab["home"], check(trust, NET6, PORT, source=HOME6))


def test_its_own_machine_is_answered_nothing(lab: Lab, trust: ssl.SSLContext) -> None:
    for address in NET, "11.22.40.1", NET6:
        with pytest.raises(ProberRefused, match="prober_caller"):
            on(lab["net"], check(trust, address, PORT, source=address))


def test_a_name_leads_to_the_other_exit(lab: Lab, trust: ssl.SSLContext) -> None:
    port = next(_ports)

    async def heard() -> Answer:
        async with hearing(ProbeTransport.TCP, SECOND, port):
            return await check(trust, SECOND, port, source=HOME, name="second")

    assert on(lab["home"], heard()) == Answer(Outcome.ACCEPTED, nonce_seen=True)
    with pytest.raises(OtherAddress):
        on(lab["home"], check(trust, OTHER, port, source=HOME, name="second"))


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("private", "192.168.1.1"),
        ("loopback", "127.0.0.1"),
        ("itself", NET),
        ("both", SECOND),
        ("empty", SECOND),
        ("stranger", SECOND),
    ],
)
def test_a_name_leads_nowhere_else(
    lab: Lab, trust: ssl.SSLContext, name: str, address: str
) -> None:
    with pytest.raises(ProberRefused, match="prober_name"):
        on(lab["home"], check(trust, address, next(_ports), source=HOME, name=name))


def test_its_log_names_nobody(lab: Lab) -> None:
    said = Path(lab.folder / "prober.log").read_text()
    assert "ready" in said
    for each in HOME, SECOND, HOME6, OTHER, SECRET:
        assert each not in said
