"""What a gateway answers to an action, and what is made of it; each action is sent once."""

from ipaddress import IPv4Address
from typing import Any

import aiohttp
import pytest

from custom_components.homeport.gateway import (
    ActionRefused,
    GatewayError,
    GatewayUnreachable,
    Igd,
    Opening,
    Transport,
    UpnpCode,
    WanStatus,
    requester,
)
from custom_components.homeport.gateway.errors import (
    EXPLAINED_CODES,
    AnswerTooLarge,
    HttpRefused,
    InvalidAnswer,
)
from tests.fakes.igd import FakeIgd
from tests.fakes.reply import Reply

from .strange import CONTROL, HEAD, SOAP, Strange, answer, fault, xml

OPENING = Opening(Transport.TCP, 18123, IPv4Address("127.0.0.1"), 8123, "Homeport")
NOTHING = xml(f'{HEAD}<s:Envelope xmlns:s="{SOAP}"><s:Body/></s:Envelope>')


@pytest.mark.parametrize(
    ("code", "key"),
    [
        *((code, f"upnp_{code}") for code in sorted(EXPLAINED_CODES)),
        *((code, "upnp_other") for code in (-1, 0, 500, 713, 714, 899, 999)),
        (602, "upnp_401"),
    ],
)
async def test_a_refusal_keeps_its_code(
    session: aiohttp.ClientSession, fake: FakeIgd, code: int, key: str
) -> None:
    igd = await Igd.connect(session, fake.location)
    fake.faults["AddPortMapping"] = code
    with pytest.raises(ActionRefused) as caught:
        await igd.open(OPENING, 3600)
    assert caught.value.code == code
    assert caught.value.translation_key == key
    assert caught.value.placeholders == {"code": str(code)}


@pytest.mark.parametrize("code", [401, 606, 724, 728, 729, 732])
async def test_what_no_other_lease_cures_is_asked_once(
    session: aiohttp.ClientSession, fake: FakeIgd, code: int
) -> None:
    igd = await Igd.connect(session, fake.location)
    fake.faults["AddPortMapping"] = code
    with pytest.raises(ActionRefused):
        await igd.open(OPENING, 3600)
    assert [action for action, _ in fake.requests] == ["AddPortMapping"]


def test_the_codes_that_people_meet_are_explained() -> None:
    assert {402, 501, 606, 718, 725} <= EXPLAINED_CODES
    assert set(UpnpCode) >= EXPLAINED_CODES


REFUSED = {
    "as the standard has it": fault("718"),
    "with white space": fault("\n 718 "),
    "with HTTP 200": fault("718", status=200),
    "without the control namespace": fault("718", namespace=""),
    "with a wrong control namespace": fault("718", namespace=CONTROL + "/"),
    "in SOAP 1.2": fault("718", envelope="http://www.w3.org/2003/05/soap-envelope"),
    "with white space before the declaration": xml("\r\n" + str(fault("718").body), 500),
    "with an answer beside it": xml(
        "<Envelope><errorCode>718</errorCode><AddPortMappingResponse/></Envelope>", 500
    ),
}


@pytest.mark.parametrize("how", REFUSED)
async def test_a_refusal_is_understood_however_it_is_put(
    session: aiohttp.ClientSession, how: str
) -> None:
    async with Strange({"/control": REFUSED[how]}) as strange:
        igd = await Igd.connect(session, strange.location)
        with pytest.raises(ActionRefused) as caught:
            await igd.open(OPENING, 3600)
        assert caught.value.code == 718
        assert strange.asked.count("POST /control#AddPortMapping") == 1


NO_ANSWERS: dict[str, tuple[Reply, type[GatewayError]]] = {
    "an error that is no number": (fault("conflict"), InvalidAnswer),
    "an empty error": (fault(""), InvalidAnswer),
    "an endless number": (fault("7" * 5000), InvalidAnswer),
    "nothing": (Reply(body=""), InvalidAnswer),
    "an envelope with nothing in it": (NOTHING, InvalidAnswer),
    "the answer to something else": (answer("DeletePortMapping"), InvalidAnswer),
    "HTML": (Reply.html_error(200), InvalidAnswer),
    "text": (Reply(body="OK"), InvalidAnswer),
    "junk": (Reply(body=b"\xff\x00\xfe" * 50), InvalidAnswer),
    "an entity bomb": (Reply.entity_bomb(), InvalidAnswer),
    "very deep": (xml("<a>" * 50_000 + "</a>" * 50_000), InvalidAnswer),
    "10 MB": (Reply.huge(), AnswerTooLarge),
    "HTML with 500": (Reply.html_error(), HttpRefused),
    "nothing with 500": (Reply(status=500), HttpRefused),
    "an envelope with nothing in it, with 500": (xml(str(NOTHING.body), 500), HttpRefused),
    "404": (Reply(status=404), HttpRefused),
    "401": (Reply(status=401, body="<html/>"), HttpRefused),
    "a broken connection": (Reply(drop=True), GatewayUnreachable),
}


@pytest.mark.parametrize("what", NO_ANSWERS)
async def test_what_is_no_answer_is_said_to_be_none(
    session: aiohttp.ClientSession, what: str
) -> None:
    reply, error = NO_ANSWERS[what]
    async with Strange({"/control": reply}) as strange:
        igd = await Igd.connect(session, strange.location)
        with pytest.raises(GatewayError) as caught:
            await igd.open(OPENING, 3600)
        assert type(caught.value) is error
        assert strange.url not in str(caught.value)
        assert strange.asked.count("POST /control#AddPortMapping") == 1


async def test_silence_ends_in_time(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Strange({"/control": Reply(hang=True)}) as strange:
        igd = await Igd.connect(session, strange.location)
        monkeypatch.setattr(requester, "TIMEOUT", 0.1)
        with pytest.raises(GatewayUnreachable):
            await igd.open(OPENING, 3600)
        assert strange.asked.count("POST /control#AddPortMapping") == 1


async def test_an_answer_in_a_foreign_namespace_counts(session: aiohttp.ClientSession) -> None:
    reply = answer("AddPortMapping", kind="SomethingElse:9", Unasked="1")
    async with Strange({"/control": reply}) as strange:
        igd = await Igd.connect(session, strange.location)
        await igd.open(OPENING, 3600)


async def test_the_connection_is_not_kept(session: aiohttp.ClientSession, fake: FakeIgd) -> None:
    """Some routers hang on a second request over the same connection."""
    igd = await Igd.connect(session, fake.location)
    await igd.wan_status()
    assert session.connector is not None
    assert not session.connector._conns


async def status_of(session: aiohttp.ClientSession, **changes: Reply) -> WanStatus:
    answers = {
        "GetStatusInfo": answer("GetStatusInfo", NewConnectionStatus="Connected"),
        "GetExternalIPAddress": answer("GetExternalIPAddress", NewExternalIPAddress="11.22.33.44"),
    } | changes
    named = {f"/control#{action}": reply for action, reply in answers.items()}
    async with Strange(named) as strange:
        return await (await Igd.connect(session, strange.location)).wan_status()


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("11.22.33.44", "11.22.33.44"),
        ("\n 11.22.33.44 ", "11.22.33.44"),
        ("100.64.0.2", "100.64.0.2"),
        ("1.0.168.192", "1.0.168.192"),
        ("", None),
        ("0.0.0.0", None),
        ("(null)", None),
        ("none", None),
        ("256.1.1.1", None),
        ("11.22.33", None),
        ("011.022.033.044", None),
        ("2001:db8::1", None),
        ("11.22.33.44, 11.22.33.45", None),
    ],
)
async def test_the_wan_address_is_the_gateways_own_word(
    session: aiohttp.ClientSession, said: str, address: str | None
) -> None:
    reply = answer("GetExternalIPAddress", NewExternalIPAddress=said)
    status = await status_of(session, GetExternalIPAddress=reply)
    assert status == WanStatus(True, IPv4Address(address) if address else None)


@pytest.mark.parametrize(
    ("said", "connected"),
    [
        ({"NewConnectionStatus": "Connected"}, True),
        ({"NewConnectionStatus": "Up"}, True),
        ({"NewConnectionStatus": "Disconnected"}, False),
        ({"NewConnectionStatus": "Connecting"}, False),
        ({"NewConnectionStatus": "?"}, False),
        ({"NewConnectionStatus": ""}, None),
        ({}, None),
    ],
)
async def test_what_the_gateway_does_not_say_is_not_known(
    session: aiohttp.ClientSession, said: dict[str, str], connected: bool | None
) -> None:
    status = await status_of(session, GetStatusInfo=answer("GetStatusInfo", **said))
    assert status == WanStatus(connected, IPv4Address("11.22.33.44"))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param(
            {"GetStatusInfo": fault("501")},
            WanStatus(None, IPv4Address("11.22.33.44")),
            id="no state",
        ),
        pytest.param(
            {"GetExternalIPAddress": fault("501")}, WanStatus(True, None), id="no address"
        ),
        pytest.param(
            {"GetExternalIPAddress": answer("GetExternalIPAddress")},
            WanStatus(True, None),
            id="an answer without address",
        ),
        pytest.param(
            {"GetStatusInfo": fault("401"), "GetExternalIPAddress": fault("501")},
            WanStatus(None, None),
            id="neither",
        ),
    ],
)
async def test_a_refusal_is_an_answer_too(
    session: aiohttp.ClientSession, changes: dict[str, Reply], status: WanStatus
) -> None:
    assert await status_of(session, **changes) == status


@pytest.mark.parametrize("action", ["GetStatusInfo", "GetExternalIPAddress"])
@pytest.mark.parametrize("what", ["HTML with 500", "HTML", "a broken connection", "10 MB"])
async def test_half_an_answer_is_none(
    session: aiohttp.ClientSession, action: str, what: str
) -> None:
    reply, error = NO_ANSWERS[what]
    changes: dict[str, Any] = {action: reply}
    with pytest.raises(error):
        await status_of(session, **changes)
