"""No lie of a prober is believed: its answers in every wrong form, over real connections."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
import json
import os
from pathlib import Path
import random
import socket
import ssl
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.const import HostedProber
from custom_components.homeport.coordinator import data, probers
from custom_components.homeport.outside import (
    CheckHostProber,
    EchoipProber,
    GlobalpingProber,
    Limit,
    OwnProber,
    PortcheckerProber,
    check_host,
    echoip,
    globalping,
    own_prober,
    portchecker,
)
from tests.fakes.demo import DemoHome
from tests.fakes.probers.liar import Kind, Liar, accepted, refused
from tests.fakes.probers.lies import BUSY, LIES, NEVER_DONE, OTHER, SLOW, WAYS
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.steps import entity_of, opened, port
from tests.lab.tls import Authority

PUBLIC = "11.22.33.44"
TOKEN = "tok3n-of-the-prober"
FUZZED = int(os.environ.get("HOMEPORT_FUZZ", "300"))
PROBERS = {
    Kind.OWN: (OwnProber, own_prober),
    Kind.ECHOIP: (EchoipProber, echoip),
    Kind.CHECK_HOST: (CheckHostProber, check_host),
    Kind.GLOBALPING: (GlobalpingProber, globalping),
    Kind.PORTCHECKER: (PortcheckerProber, portchecker),
}

type Check = Callable[[], Any]


@pytest.fixture
async def liar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> AsyncIterator[tuple[Liar, str]]:
    """Run the liar, which is everybody's prober; nobody waits for long, or for a turn."""
    authority = Authority(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(*authority.issue("127.0.0.1"))
    trusting = ssl.create_default_context(cafile=authority.bundle)
    monkeypatch.setattr(data, "get_default_context", lambda: trusting)
    for prober, module in PROBERS.values():
        monkeypatch.setattr(prober, "limit", Limit(10_000, 0.001), raising=False)
        monkeypatch.setattr(module, "TIMEOUT", 0.7)
        monkeypatch.setattr(module, "PAUSE", 0.0, raising=False)
    monkeypatch.setattr(echoip, "_MODEST", Limit(10_000, 0.001))
    sock = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{sock.getsockname()[1]}"
    hosted = {
        HostedProber.CHECK_HOST: lambda session, _: CheckHostProber(session, url),
        HostedProber.GLOBALPING: lambda session, _: GlobalpingProber(session, url),
        HostedProber.PORTCHECKER: lambda session, _: PortcheckerProber(session, url),
    }
    monkeypatch.setattr(probers, "_HOSTED", hosted)
    made = Liar(PUBLIC)
    async with made.serve(sock, serving):
        yield made, url


@pytest.fixture
async def ask(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, liar: tuple[Liar, str], kind: Kind
) -> tuple[int, Check]:
    """Open a port whose service is up, and return it with what checks it by one prober alone.

    All that is known at home says that it can be reached: only what the prober says is wrong.
    """
    game = port(home)
    options: dict[str, Any] = {"prober_url": liar[1] if kind is Kind.ECHOIP else ""}
    if kind is Kind.OWN:
        options |= {"own_prober_url": liar[1], "own_prober_token": TOKEN}
    if kind.value in set(HostedProber):
        options["hosted_probers"] = [kind.value]
    entry: MockConfigEntry = await set_up(game, **options)
    await opened(hass, entry, game)
    entity = entity_of(hass, entry, "open", game)

    async def check() -> Any:
        said = await hass.services.async_call(
            "homeport", "check_port", {"entity_id": entity}, blocking=True, return_response=True
        )
        assert said
        return said[entity]["ipv4"]

    return home.facts.game_port + 1, check


@pytest.mark.parametrize("kind", Kind)
async def test_lies(
    liar: tuple[Liar, str],
    ask: tuple[int, Check],
    kind: Kind,
    caplog: pytest.LogCaptureFixture,
) -> None:
    number, check = ask
    lies = WAYS | LIES[kind] | SLOW | NEVER_DONE.get(kind, {}) | {"429": BUSY}
    for what, lie in lies.items():
        liar[0].lies[number], liar[0].asked = lie, []
        said = await check()
        assert (kind, number) in liar[0].asked, what
        assert said["reachability"] is None, what
        assert said["problem"], what
        assert said["blocked_by"] in {None, "prober_failed"}, what
    assert "Traceback" not in caplog.text
    assert TOKEN not in caplog.text
    print(f"\n{kind}: {len(lies)} lies")  # noqa: T201


@pytest.mark.parametrize("kind", Kind)
async def test_answers_that_were_changed(
    liar: tuple[Liar, str],
    ask: tuple[int, Check],
    kind: Kind,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number, check = ask
    # One that accepts at every port would not be believed.
    liar[0].otherwise = lambda kind, address, port: (accepted if port == number else refused)(
        kind, address, port
    )
    assert (await check())["reachability"] == "reachable"
    monkeypatch.setattr(PROBERS[kind][1], "TIMEOUT", 0.2)
    wrong = [refused(kind, PUBLIC, number)]
    if kind is not Kind.CHECK_HOST:  # the others name the port
        wrong.append(accepted(kind, PUBLIC, 1))
    if kind is not Kind.PORTCHECKER:  # one without a name for the host counts there
        wrong.append(accepted(kind, OTHER, number))
    rng, outcomes = random.Random(f"homeport {kind}"), Counter[str]()
    for _ in range(FUZZED // len(Kind)):
        body = changed(rng, rng.choice(wrong))
        liar[0].lies[number] = lambda _, body=body: Reply(body=body, content_type="x/json")
        said = await check()
        assert said["reachability"] not in {"reachable", "possible"}, body
        assert said["blocked_by"] != "nothing", body
        outcomes[str(said["reachability"] or said["problem"])] += 1
    print(f"\n{kind}: {dict(outcomes)}")  # noqa: T201


ODD = (None, 0, 1, -1, 1.5, 1e300, "", "true", "0", [], {}, {"a": [None]}, "\ud800", "x" * 300)
"""Values that no answer has in such a place, or that change nothing of what is wrong with it."""


def changed(rng: random.Random, answer: Any) -> bytes:
    """Return an answer with one to three changes of values, and now and then of its bytes."""
    said = json.loads(json.dumps(answer))
    for _ in range(rng.randint(1, 3)):
        holder = rng.choice(list(holders(said)) or [[None]])
        key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        match rng.randrange(4):
            case 0:
                del holder[key]
            case 1:
                holder[key] = rng.choice(ODD)
            case 2:
                holder[key] = [holder[key]]
            case 3:
                holder[key] = str(holder[key])
    body = bytearray(json.dumps(said).encode())
    if body and rng.random() < 0.4:
        for _ in range(rng.randint(1, 4)):
            body[rng.randrange(len(body))] = rng.randrange(256)
    return bytes(body[: rng.randrange(len(body))] if rng.random() < 0.1 else body)


def holders(said: Any) -> Iterator[Any]:
    """Return every object and list in it that holds something."""
    if said and isinstance(said, dict | list):
        yield said
        for each in said.values() if isinstance(said, dict) else said:
            yield from holders(each)
