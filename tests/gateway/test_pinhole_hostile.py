"""Answers about pinholes that mean ill, or are none: a clear error, soon, and asked once."""

from ipaddress import IPv6Address

import pytest
import pytest_socket

from custom_components.homeport.gateway import requester
from custom_components.homeport.gateway.errors import (
    ActionRefused,
    AnswerTooLarge,
    GatewayError,
    GatewayUnreachable,
    HttpRefused,
    InvalidAnswer,
    Redirected,
)
from custom_components.homeport.gateway.model import Transport
from custom_components.homeport.gateway.pinhole import FirewallStatus, Pinhole, PinholeControl
from custom_components.homeport.gateway.pinhole_url import SERVICE
from tests.fakes.reply import Reply

from .strange import HEAD, SOAP, Strange, answer, fault, xml

OWN = IPv6Address("::1")
PINHOLE = Pinhole(OWN, 8123, Transport.TCP)
KIND = SERVICE.rpartition("service:")[2]


@pytest.fixture(autouse=True)
def _ipv6_loopback(socket_enabled: None) -> None:
    pytest_socket.socket_allow_hosts(["::1"])


def control_of(strange: Strange, source: IPv6Address = OWN) -> PinholeControl:
    return PinholeControl(source, f"{strange.url}/control")


def granted(unique_id: str) -> Reply:
    return answer("AddPinhole", kind=KIND, UniqueID=unique_id)


NO_ANSWERS: dict[str, tuple[Reply, type[GatewayError]]] = {
    "an error that is no number": (fault("full"), InvalidAnswer),
    "nothing": (Reply(body=""), InvalidAnswer),
    "an empty envelope": (
        xml(f'{HEAD}<s:Envelope xmlns:s="{SOAP}"><s:Body/></s:Envelope>'),
        InvalidAnswer,
    ),
    "the answer to something else": (answer("DeletePinhole", kind=KIND), InvalidAnswer),
    "HTML": (Reply.html_error(200), InvalidAnswer),
    "junk": (Reply(body=b"\xff\x00\xfe" * 50), InvalidAnswer),
    "an entity bomb": (Reply.entity_bomb(), InvalidAnswer),
    "very deep": (xml("<a>" * 50_000 + "</a>" * 50_000), InvalidAnswer),
    "10 MB": (Reply.huge(), AnswerTooLarge),
    "HTML with 500": (Reply.html_error(), HttpRefused),
    "404": (Reply(status=404), HttpRefused),
    "a broken connection": (Reply(drop=True), GatewayUnreachable),
    "a way elsewhere": (Reply.redirect("http://[::1]:1/control"), Redirected),
    **{
        f"the id {said[:9]!r}": (granted(said), InvalidAnswer)
        for said in ("", "-1", "65536", "1.0", "0x10", "٣", "7" * 5000, "1 2", "none")
    },
    "no id": (answer("AddPinhole", kind=KIND), InvalidAnswer),
}


@pytest.mark.parametrize("what", NO_ANSWERS)
async def test_what_is_no_answer_is_said_to_be_none(what: str) -> None:
    reply, error = NO_ANSWERS[what]
    async with Strange({"/control": reply}, host="::1") as strange:
        with pytest.raises(GatewayError) as caught:
            await control_of(strange).add(PINHOLE, 600)
        assert type(caught.value) is error
        assert strange.asked == ["POST /control#AddPinhole"]


@pytest.mark.parametrize("said", ["0", "1", "65535", "00007", "\n 9 "])
async def test_ids_are_small_numbers(said: str) -> None:
    async with Strange({"/control": granted(said)}, host="::1") as strange:
        assert await control_of(strange).add(PINHOLE, 600) == int(said)


async def test_silence_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Strange({"/control": Reply(hang=True)}, host="::1") as strange:
        monkeypatch.setattr(requester, "TIMEOUT", 0.1)
        with pytest.raises(GatewayUnreachable):
            await control_of(strange).add(PINHOLE, 600)
        assert strange.asked == ["POST /control#AddPinhole"]


async def test_an_address_that_is_not_ours_asks_nobody() -> None:
    async with Strange(host="::1") as strange:
        with pytest.raises(GatewayUnreachable):
            await control_of(strange, IPv6Address("2001:db8::9")).add(PINHOLE, 600)
        assert strange.asked == []


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (("1", "0"), FirewallStatus(True, False)),
        (("true", "False"), FirewallStatus(True, False)),
        ((" no ", "YES"), FirewallStatus(False, True)),
        (("", "1"), None),
        (("1", "2"), None),
        (("on", "off"), None),
    ],
)
async def test_only_a_clear_word_counts_as_the_state(
    said: tuple[str, str], status: FirewallStatus | None
) -> None:
    enabled, allowed = said
    reply = answer(
        "GetFirewallStatus", kind=KIND, FirewallEnabled=enabled, InboundPinholeAllowed=allowed
    )
    async with Strange({"/control": reply}, host="::1") as strange:
        if status:
            assert await control_of(strange).firewall() == status
        else:
            with pytest.raises(InvalidAnswer):
                await control_of(strange).firewall()


async def test_half_a_state_is_none() -> None:
    reply = answer("GetFirewallStatus", kind=KIND, FirewallEnabled="1")
    async with Strange({"/control": reply}, host="::1") as strange:
        with pytest.raises(InvalidAnswer):
            await control_of(strange).firewall()


@pytest.mark.parametrize("status", [200, 500])
async def test_a_refusal_is_understood_however_it_is_put(status: int) -> None:
    reply = fault("701", status=status, namespace="")
    async with Strange({"/control": reply}, host="::1") as strange:
        with pytest.raises(ActionRefused, match="701"):
            await control_of(strange).add(PINHOLE, 600)
