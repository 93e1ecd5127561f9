"""Where pinholes are asked for: found in any good description, and never at another host."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv6Address
import time

from async_upnp_client.const import HttpResponse
from hypothesis import given, strategies as st
import pytest
import pytest_socket
from yarl import URL

from custom_components.homeport.gateway.errors import (
    AnswerTooLarge,
    ForeignUrl,
    GatewayError,
    GatewayNotFound,
    GatewayUnreachable,
    HttpRefused,
    InvalidAnswer,
    Redirected,
)
from custom_components.homeport.gateway.pinhole import PinholeControl
from custom_components.homeport.gateway.pinhole_url import SERVICE, at_hosts, control_url
from tests.fakes.igd import FakeIgd
from tests.fakes.igd.firewall import FakeFirewall
from tests.fakes.reply import Reply
from tests.fuzz import fuzz

from .strange import HEAD, WANIP1, Service, Strange, description, xml

OWN = IPv6Address("::1")
KIND = SERVICE.rpartition("service:")[2]
HERE = "http://[2a00:77::1]:5000/rootDesc.xml"


@pytest.fixture(autouse=True)
def _ipv6_loopback(socket_enabled: None) -> None:
    pytest_socket.socket_allow_hosts(["::1"])


def described(control: str = "/ctl", *, kind: str = KIND) -> str:
    return description(Service(), Service(kind=kind, control=control))


@pytest.mark.parametrize(
    ("hosts", "urls"),
    [
        ([], ()),
        (["2a00:77::1"], ("http://[2a00:77::1]:5000/a?b=c",)),
        (["fe80::1%eth0"], ("http://[fe80::1%eth0]:5000/a?b=c",)),
        (["2A00:77:0::1", "2a00:77::1"], ("http://[2a00:77::1]:5000/a?b=c",)),
        (["192.168.1.1", "router.lan", "", "fe80::1%", "::/0"], ()),
    ],
)
def test_a_description_keeps_its_port_and_path(hosts: list[str], urls: tuple[str, ...]) -> None:
    assert at_hosts("http://192.168.1.1:5000/a?b=c", hosts) == urls


@pytest.mark.parametrize("location", ["", "rootDesc.xml", "http://[", "http://h:99999/"])
def test_no_location_is_nowhere(location: str) -> None:
    assert at_hosts(location, ["2a00:77::1"]) == ()


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("/ctl/IP6FCtl", "http://[2a00:77::1]:5000/ctl/IP6FCtl"),
        ("ctl?a=b", "http://[2a00:77::1]:5000/ctl?a=b"),
        ("\n /ctl ", "http://[2a00:77::1]:5000/ctl"),
        ("http://[2a00:77::1]:5001/ctl", "http://[2a00:77::1]:5001/ctl"),
        ("http://192.168.1.1:5000/ctl", "http://[2a00:77::1]:5000/ctl"),
        ("http://evil.example/ctl", "http://[2a00:77::1]/ctl"),
        ("//evil.example/ctl", "http://[2a00:77::1]/ctl"),
        ("http://me:secret@evil.example:1/ctl", "http://[2a00:77::1]:1/ctl"),
        ("https://[2a00:77::1]/ctl", ForeignUrl),
        ("file:///etc/passwd", ForeignUrl),
        ("javascript:alert(1)", ForeignUrl),
        ("http://[/ctl", InvalidAnswer),
        ("http://[]@/ctl", InvalidAnswer),
        ("http://192.168.1.1:99999/ctl", InvalidAnswer),
    ],
)
def test_only_port_and_path_are_taken(written: str, url: str | type[GatewayError]) -> None:
    answer = HttpResponse(200, {}, described(written))
    if isinstance(url, str):
        assert control_url(answer, HERE) == url
    else:
        with pytest.raises(url):
            control_url(answer, HERE)


def test_the_zone_stays() -> None:
    answer = HttpResponse(200, {}, described("http://192.168.1.1:5000/ctl"))
    url = control_url(answer, "http://[fe80::1%eth0]:5000/rootDesc.xml")
    assert url == "http://[fe80::1%eth0]:5000/ctl"


async def test_the_firewall_of_a_gateway_is_found() -> None:
    async with FakeFirewall() as fake:
        control = await PinholeControl.connect(OWN, [fake.location])
        assert control
        assert (await control.firewall()).pinholes_allowed


async def test_a_broken_description_of_the_actions_is_never_read() -> None:
    async with FakeFirewall() as fake:
        fake.scpd = Reply.html_error()
        assert await PinholeControl.connect(OWN, [fake.location])


async def test_a_gateway_without_ipv6_firewall_is_said_to_have_none() -> None:
    async with FakeIgd(host="::1") as fake:
        assert await PinholeControl.connect(OWN, [fake.location]) is None


NO_DESCRIPTIONS: dict[str, tuple[Reply, type[GatewayError]]] = {
    "404": (Reply(status=404), HttpRefused),
    "500": (Reply.html_error(), HttpRefused),
    "a broken connection": (Reply(drop=True), GatewayUnreachable),
    "HTML": (Reply(body="<html><p>"), InvalidAnswer),
    "a web page": (xml("<html><body/></html>"), InvalidAnswer),
    "nothing": (Reply(body=""), InvalidAnswer),
    "junk": (Reply(body=b"\xff\xfe\x00" * 9), InvalidAnswer),
    "cut off": (xml(described()[:-9]), InvalidAnswer),
    "an entity bomb": (Reply.entity_bomb(), InvalidAnswer),
    "an external entity": (
        xml(
            description(
                Service(kind=KIND),
                head=f'{HEAD}<!DOCTYPE root [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
                name="&e;",
            )
        ),
        InvalidAnswer,
    ),
    "10 MB": (Reply.huge(), AnswerTooLarge),
    "a way elsewhere": (Reply.redirect("http://[::1]:1/desc.xml"), Redirected),
}


@pytest.mark.parametrize("what", NO_DESCRIPTIONS)
async def test_what_is_no_description(what: str) -> None:
    reply, error = NO_DESCRIPTIONS[what]
    async with Strange({"/desc.xml": reply}, host="::1") as strange:
        with pytest.raises(GatewayError) as caught:
            await PinholeControl.connect(OWN, [strange.location])
        assert type(caught.value) is error
        assert set(strange.asked) == {"GET /desc.xml"}


@contextmanager
def at_once() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 2  # a request that is not answered takes five


async def test_the_first_good_description_counts_and_nobody_is_waited_for() -> None:
    async with (
        FakeFirewall() as fake,
        Strange({"/desc.xml": Reply(hang=True)}, host="::1") as silent,
        Strange({"/desc.xml": xml(described(kind=WANIP1))}, host="::1") as without,
    ):
        gone = f"http://[::1]:{fake.port}/nothing.xml"
        with at_once():
            control = await PinholeControl.connect(
                OWN, [silent.location, gone, without.location, fake.location]
            )
        assert control
        assert URL(control.url).port == fake.port


async def test_one_gateway_without_firewall_is_an_answer() -> None:
    async with Strange({"/desc.xml": xml(described(kind=WANIP1))}, host="::1") as without:
        locations = [f"{without.url}/nothing.xml", without.location]
        assert await PinholeControl.connect(OWN, locations) is None


@pytest.mark.parametrize(
    ("locations", "error"),
    [
        ([], GatewayNotFound),
        (["http://router.lan:5000/"], InvalidAnswer),
        (["http://192.168.1.1:5000/"], InvalidAnswer),
        (["https://[::1]/"], GatewayError),
        (["http://["], InvalidAnswer),
    ],
)
async def test_a_place_where_nobody_can_be_asked(
    locations: list[str], error: type[GatewayError]
) -> None:
    with at_once(), pytest.raises(error):
        await PinholeControl.connect(OWN, locations)


@fuzz
@given(st.integers(100, 599), st.one_of(st.none(), st.text()))
def test_any_text_is_a_description_or_none(status: int, body: str | None) -> None:
    with suppress(HttpRefused, InvalidAnswer):
        assert control_url(HttpResponse(status, {}, body), HERE) is None


@fuzz
@given(st.text(), st.lists(st.tuples(st.integers(0, 900), st.text(max_size=3)), max_size=4))
def test_any_control_url_stays_at_the_host(written: str, edits: list[tuple[int, str]]) -> None:
    body = described("CONTROL")
    for at, inserted in edits:
        body = body[:at] + inserted + body[at:]
    url = None
    with suppress(ForeignUrl, InvalidAnswer):
        url = control_url(HttpResponse(200, {}, body.replace("CONTROL", written)), HERE)
    if url:
        assert (URL(url).scheme, URL(url).host) == ("http", "2a00:77::1")
