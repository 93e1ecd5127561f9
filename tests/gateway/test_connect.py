"""Reading a well-meant description, and choosing the service that carries the connection."""

import aiohttp
import pytest

from custom_components.homeport.gateway import GatewayInfo, GatewayNotFound, Igd
from custom_components.homeport.gateway.errors import NoWanService
from tests.fakes.igd import Connection, FakeIgd, Identity
from tests.fakes.reply import Reply

from .strange import (
    HEAD,
    WANIP1,
    WANIP2,
    WANPPP1,
    Service,
    Strange,
    answer,
    description,
    fault,
    xml,
)


@pytest.mark.parametrize("connection", Connection)
async def test_every_kind_of_gateway_is_understood(
    session: aiohttp.ClientSession, connection: Connection
) -> None:
    identity = Identity(udn="uuid:1-2", friendly_name="Ällö & Co", manufacturer="M", model="N")
    async with FakeIgd(connection=connection, identity=identity) as fake:
        igd = await Igd.connect(session, fake.location)
        assert igd.info == GatewayInfo(
            location=fake.location,
            udn="uuid:1-2",
            name="Ällö & Co",
            manufacturer="M",
            model="N",
            presentation_url=f"{fake.url}/",
        )
        assert igd.service.service_type.endswith(connection)
        assert (await igd.wan_status()).connected is True
        assert fake.requests == [("GetStatusInfo", {}), ("GetExternalIPAddress", {})]


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("\r\n \t\n" + HEAD, id="white space before the declaration"),
        pytest.param("\ufeff" + HEAD, id="a byte order mark"),
        pytest.param("", id="no declaration"),
    ],
)
async def test_slips_that_parsers_stumble_over(session: aiohttp.ClientSession, head: str) -> None:
    async with Strange({"/desc.xml": xml(description(Service(), head=head) + "\n\0")}) as strange:
        assert (await Igd.connect(session, strange.location)).info.name == "Strange"


@pytest.mark.parametrize("declared", ["", ' encoding="ISO-8859-1"', ' encoding="utf-8"'])
async def test_a_name_in_latin_1_does_no_harm(
    session: aiohttp.ClientSession, declared: str
) -> None:
    text = description(Service(), name="Routeur de Zoé", head=f'<?xml version="1.0"{declared}?>')
    reply = Reply(body=text.encode("latin-1"), content_type="text/xml")
    async with Strange({"/desc.xml": reply}) as strange:
        assert (await Igd.connect(session, strange.location)).info.name == "Routeur de Zoé"


@pytest.mark.parametrize("encoding", ["shift_jis", "euc-jp", "windows-1252"])
async def test_a_name_in_the_encoding_that_is_declared(
    session: aiohttp.ClientSession, encoding: str
) -> None:
    name = "Zoé" if encoding == "windows-1252" else "無線ルータ"
    text = description(Service(), name=name, head=f'<?xml version="1.0" encoding="{encoding}"?>')
    reply = Reply(body=text.encode(encoding), content_type="text/xml")
    async with Strange({"/desc.xml": reply}) as strange:
        assert (await Igd.connect(session, strange.location)).info.name == name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Tom & Jerry", "Tom & Jerry"),
        ("A&B", "A&B"),
        ("A&amp;B &#233;", "A&B é"),
        ("Caf&eacute; &", "Caf&eacute; &"),
        ("a\x01b", "ab"),
        ("x" * 100_000, "x" * 200),
    ],
)
async def test_a_name_that_is_not_quite_xml(
    session: aiohttp.ClientSession, written: str, name: str
) -> None:
    async with Strange({"/desc.xml": xml(description(Service(), name=written))}) as strange:
        assert (await Igd.connect(session, strange.location)).info.name == name


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        pytest.param("", None, id="none"),
        pytest.param("/admin", "/admin", id="relative"),
        pytest.param("http://127.0.0.1/", "http://127.0.0.1/", id="another port"),
        pytest.param("https://127.0.0.1/", "https://127.0.0.1/", id="https"),
        pytest.param("http://127.0.0.2/", None, id="another host"),
        pytest.param("//127.0.0.2/", None, id="another host, same scheme"),
        pytest.param("javascript:alert(1)", None, id="a script"),
        pytest.param("javascript://127.0.0.1/%0aalert(1)", None, id="a script with our host"),
        pytest.param("ftp://127.0.0.1/", None, id="another protocol"),
        pytest.param("http://127.0.0.1:99999/", None, id="no port"),
        pytest.param("http://[127.0.0.1/", None, id="no URL"),
    ],
)
async def test_only_the_gateways_own_page_is_linked(
    session: aiohttp.ClientSession, page: str, shown: str | None
) -> None:
    async with Strange({"/desc.xml": xml(description(Service(), page=page))}) as strange:
        expected = f"{strange.url}{shown}" if shown and shown.startswith("/") else shown
        assert (await Igd.connect(session, strange.location)).info.presentation_url == expected


async def test_a_gateway_without_a_name_is_called_by_its_model(
    session: aiohttp.ClientSession,
) -> None:
    async with Strange({"/desc.xml": xml(description(Service(), name=""))}) as strange:
        assert (await Igd.connect(session, strange.location)).info.name == "N"


@pytest.mark.parametrize(
    "location",
    [
        *("", "127.0.0.1", "http://", "https://127.0.0.1/", "file:///etc/hostname"),
        *("http://h:99999/", "http://[]@/", "http://[::1]/", "http://[2001:db8::1]:5000/desc.xml"),
    ],
)
async def test_what_is_no_location(session: aiohttp.ClientSession, location: str) -> None:
    with pytest.raises(GatewayNotFound) as caught:
        await Igd.connect(session, location)
    assert caught.value.translation_key == "gateway_not_found"


@pytest.mark.parametrize("services", [(), (Service(kind="Layer3Forwarding:1"),)])
async def test_a_device_without_an_internet_connection(
    session: aiohttp.ClientSession, services: tuple[Service, ...]
) -> None:
    async with Strange({"/desc.xml": xml(description(*services))}) as strange:
        with pytest.raises(NoWanService) as caught:
            await Igd.connect(session, strange.location)
    assert caught.value.translation_key == "gateway_no_wan_service"
    assert caught.value.placeholders == {}


def says(control: str, kind: str, status: str, address: str) -> dict[str, Reply]:
    return {
        f"{control}#GetStatusInfo": answer("GetStatusInfo", kind=kind, NewConnectionStatus=status),
        f"{control}#GetExternalIPAddress": answer(
            "GetExternalIPAddress", kind=kind, NewExternalIPAddress=address
        ),
    }


UP, DOWN = "Connected", "Disconnected"


@pytest.mark.parametrize(
    ("states", "chosen"),
    [
        pytest.param({WANIP1: (DOWN, ""), WANPPP1: (UP, "11.22.33.44")}, WANPPP1, id="connected"),
        pytest.param({WANIP1: (UP, ""), WANPPP1: (UP, "10.0.0.2")}, WANPPP1, id="an address"),
        pytest.param(
            {WANIP1: (UP, "10.0.0.2"), WANPPP1: (UP, "11.22.33.44")}, WANPPP1, id="a public one"
        ),
        pytest.param(
            {WANIP1: (DOWN, "11.22.33.44"), WANPPP1: ("Up", "10.0.0.2")}, WANPPP1, id="Up"
        ),
        pytest.param(
            {WANPPP1: (UP, "11.22.33.44"), WANIP1: (UP, "11.22.33.44")}, WANIP1, id="a tie"
        ),
        pytest.param(
            {WANIP1: (UP, "11.22.33.44"), WANIP2: (UP, "11.22.33.44")}, WANIP2, id="versions"
        ),
        pytest.param({WANIP1: (DOWN, ""), WANPPP1: (DOWN, "")}, WANIP1, id="none connected"),
    ],
)
async def test_the_service_is_chosen_by_its_state(
    session: aiohttp.ClientSession, states: dict[str, tuple[str, str]], chosen: str
) -> None:
    services = [Service(kind=kind, control=f"/{kind}") for kind in states]
    answers = {"/desc.xml": xml(description(*services))}
    for kind, (status, address) in states.items():
        answers |= says(f"/{kind}", kind, status, address)
    async with Strange(answers) as strange:
        igd = await Igd.connect(session, strange.location)
        assert igd.service.service_type.endswith(chosen)
        status = await igd.wan_status()
        assert status.connected is (states[chosen][0] != DOWN)


async def test_a_service_that_answers_nonsense_is_not_chosen(
    session: aiohttp.ClientSession,
) -> None:
    services = [Service(control="/a"), Service(kind=WANPPP1, control="/b")]
    answers = {"/desc.xml": xml(description(*services)), "/a": Reply.html_error()}
    async with Strange(answers | says("/b", WANPPP1, UP, "11.22.33.44")) as strange:
        igd = await Igd.connect(session, strange.location)
        assert igd.service.service_type.endswith(WANPPP1)


async def test_no_service_answers(session: aiohttp.ClientSession) -> None:
    """The gateway is there; what is wrong with it is said when it is read."""
    services = [Service(control="/a"), Service(kind=WANPPP1, control="/b")]
    answers = {"/desc.xml": xml(description(*services)), "/a": fault("501"), "/b": fault("501")}
    async with Strange(answers) as strange:
        igd = await Igd.connect(session, strange.location)
        assert (await igd.wan_status()).address is None


async def test_what_a_service_says_of_itself_is_not_asked_for(
    session: aiohttp.ClientSession,
) -> None:
    """Gateways are known where that is missing or broken; the actions are standard."""
    async with Strange(says("/control", WANIP1, UP, "11.22.33.44")) as strange:
        igd = await Igd.connect(session, strange.location)
        assert (await igd.wan_status()).connected
        assert not any("/scpd" in asked for asked in strange.asked)


async def test_a_gateway_with_more_services_than_any_has_is_asked_about_few(
    session: aiohttp.ClientSession,
) -> None:
    services = [Service(control=f"/{number}") for number in range(1000)]
    async with Strange({"/desc.xml": xml(description(*services))}) as strange:
        await Igd.connect(session, strange.location)
        assert len(strange.asked) <= 1 + 16 * 2


@pytest.mark.parametrize(
    ("base", "control", "asked"),
    [
        pytest.param("", "/control", "/control", id="none"),
        pytest.param("{url}/igd/", "control", "/igd/control", id="relative"),
        pytest.param("{url}/igd/", "/control", "/control", id="from the root"),
        pytest.param("{url}/igd", "control", "/control", id="no slash at its end"),
        pytest.param("http://127.0.0.2:1/igd/", "control", "/control", id="another host"),
        pytest.param("https://127.0.0.1/igd/", "control", "/control", id="another protocol"),
        pytest.param("http://[127.0.0.1/", "control", "/control", id="no URL"),
    ],
)
async def test_a_base_is_taken_if_it_is_the_gateways_own(
    session: aiohttp.ClientSession, base: str, control: str, asked: str
) -> None:
    async with Strange() as strange:
        text = description(Service(control=control))
        url_base = f"<URLBase>{base.format(url=strange.url)}</URLBase>" if base else ""
        strange.answers["/desc.xml"] = xml(text.replace("<device>", f"{url_base}<device>", 1))
        igd = await Igd.connect(session, strange.location)
        assert igd.service.control_url == f"{strange.url}{asked}"


@pytest.mark.parametrize("kind", ["WANPPPConnection:1", "WANIPConnection:1"])
async def test_the_services_of_the_dsl_forum_count(
    session: aiohttp.ClientSession, kind: str
) -> None:
    text = description(Service(kind=kind)).replace(
        "urn:schemas-upnp-org:service", "urn:dslforum-org:service"
    )
    async with Strange({"/desc.xml": xml(text)}) as strange:
        igd = await Igd.connect(session, strange.location)
        assert igd.service.service_type == f"urn:dslforum-org:service:{kind}"
        assert igd.ppp is ("PPP" in kind)


async def test_the_connection_is_found_again_where_it_has_moved_to(
    session: aiohttp.ClientSession,
) -> None:
    """As when mobile data stands in for DSL."""
    services = [Service(control="/a"), Service(kind=WANPPP1, control="/b")]
    up, down = (UP, "11.22.33.44"), (DOWN, "")
    answers = says("/a", WANIP1, *up) | says("/b", WANPPP1, *down)
    async with Strange({"/desc.xml": xml(description(*services))} | answers) as strange:
        igd = await Igd.connect(session, strange.location)
        assert not igd.ppp
        assert not await igd.choose_again()
        strange.answers |= says("/a", WANIP1, *down) | says("/b", WANPPP1, *up)
        assert await igd.choose_again()
        assert igd.ppp
