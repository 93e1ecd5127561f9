"""A thousand callers at once, in one process."""

import asyncio
from collections import Counter
from collections.abc import Iterator
import resource

import aiohttp
import pytest

from prober import dial as dialling, service
from prober.config import Token, digest_of

from .asking import Start, as_proxy, check

CALLERS = 1_000
NONCE = bytes(range(16))
SECRETS = [f"secret {number}" for number in range(10)]


@pytest.fixture(autouse=True)
def _descriptors() -> Iterator[None]:
    """Have one for each end of each connection."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 5 * CALLERS:
        pytest.skip("this machine allows too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def caller(number: int) -> dict[str, str]:
    """Return the headers for somebody, with an address and one of the tokens."""
    secret = SECRETS[number % len(SECRETS)]
    return as_proxy(f"127.1.{number // 250}.{number % 250 + 1}", Authorization=f"Bearer {secret}")


async def test_a_thousand_callers_are_all_dialled_at_the_same_time(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told the nonce before everybody has been connected to."""
    monkeypatch.setattr(dialling, "SECONDS", 60.0)
    monkeypatch.setattr(dialling, "READ_SECONDS", 60.0)
    met: Counter[str] = Counter()
    everybody = asyncio.Event()

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met[writer.get_extra_info("sockname")[0]] += 1
        if met.total() == CALLERS:
            everybody.set()
        await everybody.wait()
        writer.write(NONCE)
        writer.close()

    prober = await start(tokens=tuple(Token(digest_of(each)) for each in SECRETS))
    async with (
        await asyncio.start_server(meet, "0.0.0.0", 0, backlog=CALLERS) as listener,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        asyncio.timeout(90),
    ):
        port = listener.sockets[0].getsockname()[1]
        answers = await asyncio.gather(
            *(
                check(http, prober, port, headers=caller(number), nonce=NONCE.hex())
                for number in range(CALLERS)
            )
        )
    assert {(each.status, each.json["outcome"], each.json["nonce"]) for each in answers} == {
        (200, "accepted", True)
    }
    assert {each.json["address"] for each in answers} == met.keys()
    assert set(met.values()) == {1}


async def test_a_crowd_beyond_what_fits_is_asked_to_come_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "DIALS", 100)
    prober = await start(tokens=tuple(Token(digest_of(each)) for each in SECRETS))
    hold = asyncio.Event()

    async def dial(*_: object) -> service.Met:
        await hold.wait()
        return service.Met(service.Outcome.ACCEPTED)

    monkeypatch.setattr(service, "dial", dial)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        asked = [
            asyncio.create_task(check(http, prober, 80, headers=caller(number)))
            for number in range(300)
        ]
        async with asyncio.timeout(30):
            while sum(each.done() for each in asked) < 200:
                await asyncio.sleep(0.01)
            hold.set()
            answers = [await each for each in asked]
    assert Counter(each.status for each in answers) == {200: 100, 429: 200}
