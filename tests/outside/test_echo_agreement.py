"""One echo may lie or be wrong, so two have to say the same."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from ipaddress import IPv4Address
from pathlib import Path
import ssl
import time

import aiohttp
import pytest

from custom_components.homeport.outside import (
    OutsideDisagree,
    OutsideInvalid,
    OutsideUnreachable,
    Seen,
    echo,
    public_address,
)
from tests.fakes.outside import Outside
from tests.fakes.reply import Reply
from tests.lab.tls import Authority

G = IPv4Address("11.22.33.44")
OTHER = IPv4Address("11.22.33.45")
THIRD = IPv4Address("11.22.33.46")
BAD, DOWN = "bad", "down"


@pytest.fixture
async def echoes() -> AsyncIterator[list[Outside]]:
    """Run four echoes."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Outside()) for _ in range(4)]


def script(echoes: list[Outside], *says: IPv4Address | str) -> list[str]:
    """Make the first echoes say that, and return their URLs."""
    for each, what in zip(echoes, says, strict=False):
        each.down = what is DOWN
        each.echo = Reply(status=500) if what is BAD else None
        each.ip = str(what)
    return [each.url for each in echoes[: len(says)]]


@pytest.mark.parametrize(
    ("says", "answers", "asked"),
    [
        pytest.param((G,), 1, 1, id="only one to ask"),
        pytest.param((G, G), 2, 2, id="two agree"),
        pytest.param((G, G, OTHER, OTHER), 2, 2, id="two agree, so nobody else is asked"),
        pytest.param((G, DOWN), 1, 2, id="only one answers"),
        pytest.param((DOWN, G), 1, 2, id="only the other answers"),
        pytest.param((DOWN, G, G, G), 2, 3, id="the third stands in"),
        pytest.param((BAD, G, G, G), 2, 3, id="the third stands in for nonsense"),
        pytest.param((DOWN, BAD, G, G), 2, 4, id="the last two stand in"),
        pytest.param((DOWN, BAD, DOWN, G), 1, 4, id="the last one is left"),
        pytest.param((OTHER, G, G), 2, 3, id="the third decides"),
        pytest.param((G, OTHER, DOWN, G), 2, 4, id="the fourth decides"),
        pytest.param((OTHER, THIRD, G, G), 2, 4, id="two of four"),
    ],
)
async def test_two_have_to_agree(
    echoes: list[Outside],
    http: aiohttp.ClientSession,
    says: tuple[IPv4Address | str, ...],
    answers: int,
    asked: int,
) -> None:
    seen = await public_address(http, script(echoes, *says), 4)
    assert seen == Seen(G, answers, secure=False)
    # Not how often: the client tries again by itself where a connection breaks.
    assert [bool(each.requests) for each in echoes] == [True] * asked + [False] * (4 - asked)


@pytest.mark.parametrize(
    "says", [(G, OTHER), (G, OTHER, DOWN, BAD), (G, OTHER, THIRD), (DOWN, G, OTHER)]
)
async def test_a_contradiction_is_no_answer(
    echoes: list[Outside], http: aiohttp.ClientSession, says: tuple[IPv4Address | str, ...]
) -> None:
    with pytest.raises(OutsideDisagree) as caught:
        await public_address(http, script(echoes, *says), 4)
    assert set(caught.value.addresses) == {each for each in says if isinstance(each, IPv4Address)}
    assert caught.value.translation_key == "outside_disagree"
    # What goes into a log must not tell where somebody lives.
    assert "11.22" not in str(caught.value)


async def test_when_nobody_answers_the_first_error_counts(
    echoes: list[Outside], http: aiohttp.ClientSession
) -> None:
    with pytest.raises(OutsideInvalid):
        await public_address(http, script(echoes, BAD), 4)
    with pytest.raises(OutsideUnreachable):
        await public_address(http, script(echoes, DOWN), 4)
    urls = script(echoes, BAD, G)
    echoes[1].echo = Reply(drop=True, delay=0.3)
    with pytest.raises(OutsideInvalid):
        await public_address(http, urls, 4)
    urls = script(echoes, G, DOWN)
    echoes[0].echo = Reply(status=500, delay=0.3)
    with pytest.raises(OutsideUnreachable):
        await public_address(http, urls, 4)
    with pytest.raises(OutsideUnreachable):
        await public_address(http, [], 4)


async def test_an_echo_that_is_named_twice_does_not_agree_with_itself(
    outside: Outside, http: aiohttp.ClientSession
) -> None:
    outside.ip = str(G)
    seen = await public_address(http, [outside.url, outside.url], 4)
    assert (seen.answers, len(outside.requests)) == (1, 1)


async def test_the_first_two_are_asked_at_once(
    echoes: list[Outside], http: aiohttp.ClientSession
) -> None:
    urls = script(echoes, G, G)
    for each in echoes:
        each.echo = Reply(body=str(G), delay=0.5)
    begin = time.monotonic()
    await public_address(http, urls, 4)
    assert 0.4 < time.monotonic() - begin < 0.9


async def test_one_that_hangs_does_not_take_the_answer_of_the_others_away(
    echoes: list[Outside], http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = script(echoes, G, OTHER, G)
    echoes[1].echo = Reply(hang=True)
    monkeypatch.setattr(echo, "TIMEOUT", 0.2)
    assert (await public_address(http, urls, 4)).answers == 2
    # However many hang, what was said in time is kept.
    monkeypatch.setattr(echo, "WHOLE_TIMEOUT", 0.1)
    assert (await public_address(http, urls, 4)).answers == 1
    echoes[0].echo = Reply(hang=True)
    with pytest.raises(OutsideUnreachable):
        await public_address(http, urls, 4)


async def test_only_https_is_secure(
    echoes: list[Outside], socket_enabled: None, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(issued.certificate, issued.key)
    client = ssl.create_default_context(cafile=str(authority.bundle))
    [plain] = script(echoes, G)
    async with (
        Outside(ssl=server) as first,
        Outside(ssl=server) as second,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=client)) as http,
    ):
        first.ip = second.ip = str(G)
        assert (await public_address(http, [first.url], 4)).secure
        assert (await public_address(http, [first.url, second.url], 4)).secure
        assert not (await public_address(http, [first.url, plain], 4)).secure
        # Whoever is outvoted does not matter.
        script(echoes, OTHER)
        assert await public_address(http, [plain, first.url, second.url], 4) == Seen(G, 2, True)
