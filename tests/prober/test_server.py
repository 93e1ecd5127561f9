"""The program: HTTPS, an end to every connection, a clean end of its own."""

import asyncio
from pathlib import Path
import signal
import ssl
import sys
import time

import aiohttp
import pytest

from prober import server
from prober.config import Config, ConfigError, Token, digest_of
from prober.server import served
from prober.service import Service
from tests.fakes.program import Started
from tests.lab.tls import Authority, Certificate

from .asking import AUTHORIZATION, CALLER, SECRET, Start, as_proxy, ask

HEAD = f"GET /json HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {SECRET}\r\n\r\n".encode()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def files(authority: Authority) -> Certificate:
    return authority.issue("127.0.0.1")


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.bundle)


async def test_over_https_the_peer_is_the_caller(
    start: Start, http: aiohttp.ClientSession, authority: Authority, files: Certificate
) -> None:
    prober = await start(proxies=(), certificate=files.certificate, key=files.key)
    trust = trusting(authority)
    said = await ask(http, prober, headers=as_proxy(), ssl=trust)
    assert said.json == {"ip": "127.0.0.1"}
    asked = {"transport": "tcp", "port": prober.port}
    headers = as_proxy("127.0.0.99")
    said = await ask(http, prober, "/v1/check", headers=headers, json=asked, ssl=trust)
    assert (said.json["address"], said.json["outcome"]) == ("127.0.0.1", "accepted")


async def test_behind_a_proxy_it_may_speak_https_as_well(
    start: Start, http: aiohttp.ClientSession, authority: Authority, files: Certificate
) -> None:
    prober = await start(certificate=files.certificate, key=files.key)
    trust = trusting(authority)
    assert (await ask(http, prober, ssl=trust)).json == {"ip": CALLER}
    said = await ask(http, prober, ssl=trust, headers=AUTHORIZATION)
    assert (said.status, said.json) == (403, {"error": "https_only"})


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HEAD[:-2], HEAD.replace(b"GET", b"POST")])
async def test_a_connection_has_an_end_whatever_it_does(
    start: Start, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(server, "LIFETIME", 0.2)
    prober = await start()
    reader, writer = await asyncio.open_connection(prober.host, prober.port)
    writer.write(sent)
    async with asyncio.timeout(5):
        await reader.read()
    writer.close()


async def test_what_goes_wrong_inside_names_nobody(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    await start()
    error = ConnectionError(f"something with {CALLER}")
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Fatal error", "exception": error, "transport": CALLER}
    )
    assert "Fatal error: ConnectionError" in caplog.text
    assert CALLER not in caplog.text


async def test_a_certificate_that_is_none_is_said(tmp_path: Path, files: Certificate) -> None:
    config = Config((Token(digest_of(SECRET)),), certificate=files.key, key=files.certificate)
    with pytest.raises(ConfigError, match="certificate or its key"):
        async with served(config, Service(config).app()):
            pass


@pytest.fixture
async def program(tmp_path: Path, files: Certificate) -> Started:
    """Run it as its user does."""
    config = tmp_path / "prober.toml"
    config.write_text(
        'listen = ["127.0.0.1:0", "[::1]:0"]\n'
        f'certificate = "{files.certificate.name}"\nkey = "{files.key.name}"\n'
        f'[[tokens]]\nsha256 = "{digest_of(SECRET)}"\n'
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "prober", "--config", str(config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(10):
        return Started(process, (await process.stdout.readline()).decode())


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_the_program(
    program: Started, http: aiohttp.ClientSession, authority: Authority, how: signal.Signals
) -> None:
    ready, first, second = program.line.split()
    assert (ready, first.rpartition(":")[0], second.rpartition(":")[0]) == (
        "ready",
        "127.0.0.1",
        "[::1]",
    )
    url, trust = f"https://{first}/json", trusting(authority)
    # From this very machine nobody is answered.
    async with http.get(url, ssl=trust, headers=AUTHORIZATION) as response:
        assert (response.status, await response.json()) == (403, {"error": "caller_refused"})
    idle, idler = await asyncio.open_connection(*first.split(":"))
    begin = time.monotonic()
    assert await program.end(how) == 0
    assert time.monotonic() - begin < 5
    assert await idle.read() == b""
    idler.close()
    said = b"".join(await program.process.communicate()).decode()
    assert "127.0.0.1" not in said
    assert SECRET not in said


async def said_by_prober(*options: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "prober", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_a_new_token_is_never_the_same_and_fits_its_digest() -> None:
    first, second = [(await said_by_prober("--new-token"))[1] for _ in range(2)]
    assert first != second
    secret, digest = first.splitlines()[1], first.splitlines()[-1]
    assert len(secret) == 43
    assert digest == f'sha256 = "{digest_of(secret)}"'


async def test_what_is_wrong_with_the_file_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "prober.toml"
    for text, complaint in ((None, "No such file"), ("", "there is no token")):
        if text is not None:
            file.write_text(text)
        code, said = await said_by_prober("--config", str(file))
        assert (code, said.count("\n")) == (1, 1)
        assert said.startswith(f"prober: {file}: ")
        assert complaint in said
