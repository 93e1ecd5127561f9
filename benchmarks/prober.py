"""How many callers the self-hosted prober serves at once, on one core.

Started with an address, a port, a certificate and its key it is the peer: a bare web server.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
import json
import os
from pathlib import Path
import resource
import ssl
from subprocess import Popen
import sys
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

from aiohttp import web

from tests.lab import Authority, Certificate, Interface, Lab, Link, Namespace, Topology, build
from tests.lab.access_line import within

from .home import Home
from .measure import Benchmark, Series

_CALLERS = 1000
_NET, _PORT, _PEER_PORT = "11.22.33.2", 8443, 8444
_HOMES = "11.22.64.0/20"
"""Where the callers live: each has an address of its own, and is really called back there."""
_NONCE = bytes(range(16))
_TICKS = os.sysconf("SC_CLK_TCK")
_TOPOLOGY = Topology(
    name="prober-load",
    namespaces=(
        Namespace(name="callers", routes=(f"local {_HOMES} dev lo",)),
        Namespace(name="net", routes=(f"{_HOMES} via 11.22.33.1",)),
    ),
    links=(
        Link(
            Interface(namespace="callers", name="eth0", addresses=("11.22.33.1/24",)),
            Interface(namespace="net", name="eth0", addresses=(f"{_NET}/24",)),
        ),
    ),
)


async def run(home: Home, rounds: int) -> Sequence[Series]:
    """Let everybody call at once, again and again; the home has no part in it."""
    await home.calm()
    return await asyncio.to_thread(_measure, rounds)


def _measure(rounds: int) -> Sequence[Series]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with TemporaryDirectory(prefix="prober-") as name:
        folder = Path(name)
        authority = Authority(folder)
        certificate = authority.issue(_NET)
        trust = ssl.create_default_context(cafile=authority.bundle)
        with (
            build(_TOPOLOGY, folder) as lab,
            _prober(lab, folder, certificate) as prober,
            _peer(lab, folder, certificate) as peer,
        ):
            servers = (
                _Server("the prober", _PORT, prober),
                _Server("a bare web server", _PEER_PORT, peer),
            )
            # First: after a crowd a server is still busy with the ends of a thousand connections.
            for server in servers * rounds:
                server.alone.seconds.extend(within(lab["callers"], _crowd(trust, server.port, 1)))
            for server in servers * rounds:
                begin, before = perf_counter(), _processor_time(server.process)
                waited = within(lab["callers"], _crowd(trust, server.port, _CALLERS))
                server.everybody.seconds.append(perf_counter() - begin)
                server.each.seconds.extend(waited)
                used = _processor_time(server.process) - before
                server.work.seconds.append(used / _CALLERS)
    return [series for server in servers for series in server.series]


class _Server:
    """What is called, and how long that took."""

    def __init__(self, name: str, port: int, process: Popen[bytes]) -> None:
        """Take its name for the table, where it listens, and what runs it."""
        self.port = port
        self.process = process
        self.alone = Series(f"{name}: one caller alone")
        self.each = Series(f"{name}: one of {_CALLERS} callers at once")
        self.everybody = Series(f"{name}: all {_CALLERS} of them")
        self.work = Series(f"{name}: its processor time for one of them")

    @property
    def series(self) -> Sequence[Series]:
        """Return all that was measured."""
        return self.alone, self.each, self.everybody, self.work


@contextmanager
def _prober(lab: Lab, folder: Path, certificate: Certificate) -> Iterator[Popen[bytes]]:
    """Run the prober on the first core, with a token for each caller."""
    tokens = (f'[[tokens]]\nsha256 = "{_digest(number)}"\n' for number in range(_CALLERS))
    config = folder / "prober.toml"
    config.write_text(
        f'listen = ["{_NET}:{_PORT}"]\n'
        f'certificate = "{certificate.certificate}"\nkey = "{certificate.key}"\n{"".join(tokens)}'
    )
    with _on_a_core(lab, folder / "prober.log", "prober", "--config", str(config)) as process:
        yield process


@contextmanager
def _peer(lab: Lab, folder: Path, certificate: Certificate) -> Iterator[Popen[bytes]]:
    """Run the bare web server there as well."""
    arguments = map(str, (_NET, _PEER_PORT, certificate.certificate, certificate.key))
    with _on_a_core(lab, folder / "peer.log", "benchmarks.prober", *arguments) as process:
        yield process


@contextmanager
def _on_a_core(lab: Lab, log: Path, module: str, *arguments: str) -> Iterator[Popen[bytes]]:
    """Run a module of Python on the first core, and wait until it says that it is ready."""
    argv = ("taskset", "-c", "0", sys.executable, "-m", module, *arguments)
    with lab["net"].spawn(*argv, log=log) as process:
        while "ready" not in log.read_text():
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            sleep(0.01)
        yield process


def _be_bare(host: str, port: str, certificate: str, key: str) -> None:
    """Answer everybody at once, and call nobody back: with aiohttp, as the prober does."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        said = {"address": request.remote, "outcome": "accepted", "nonce": True}
        return web.json_response(said)

    app = web.Application()
    app.add_routes([web.post("/v1/check", answer)])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    web.run_app(
        app,
        host=host,
        port=int(port),
        ssl_context=context,
        access_log=None,
        backlog=1024,
        print=lambda _: print("ready", flush=True),
    )


def _digest(number: int) -> str:
    return sha256(_secret(number).encode()).hexdigest()


def _secret(number: int) -> str:
    return f"secret {number}"


async def _crowd(trust: ssl.SSLContext, server: int, callers: int) -> list[float]:
    """Let so many call at once, and return how long each has waited."""

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_NONCE)
        writer.close()

    async with await asyncio.start_server(meet, "0.0.0.0", 0, backlog=callers) as listener:
        port = listener.sockets[0].getsockname()[1]
        return await asyncio.gather(
            *(_call(trust, server, number, port) for number in range(callers))
        )


async def _call(trust: ssl.SSLContext, server: int, number: int, port: int) -> float:
    """Be one caller. Raises RuntimeError when the answer is not the good one."""
    begin = perf_counter()
    own = f"11.22.{64 + number // 250}.{number % 250 + 1}"
    asked = json.dumps({"transport": "tcp", "port": port, "nonce": _NONCE.hex()})
    reader, writer = await asyncio.open_connection(
        _NET, server, ssl=trust, local_addr=(own, 0), server_hostname=_NET
    )
    writer.write(
        f"POST /v1/check HTTP/1.1\r\nHost: {_NET}\r\nConnection: close\r\n"
        f"Authorization: Bearer {_secret(number)}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(asked)}\r\n\r\n{asked}".encode()
    )
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    took = perf_counter() - begin
    writer.close()
    said = json.loads(body)
    if (said.get("address"), said.get("outcome"), said.get("nonce")) != (own, "accepted", True):
        raise RuntimeError(f"{head.partition(b'\r\n')[0]!r}: {said}")
    return took


def _processor_time(process: Popen[bytes]) -> float:
    """Return the seconds of processor time that a process has had (proc(5), /proc/PID/stat)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


BENCHMARK = Benchmark(
    name="prober",
    title="A thousand callers of the self-hosted prober",
    method=f"""\
The prober runs by itself with HTTPS, held to one core. {_CALLERS} callers, each with an address and
a token of its own, connect in the same moment and ask for a TCP port; each is called back at its
address, where a listener says the nonce. A caller's time is from its first packet to the answer,
the handshake of TLS included; all callers are one process on the same machine, which needs about as
much processor time as the prober does. All answers have to be `accepted` with the nonce, or there
is no figure. The peer is a bare web server of the same kind (aiohttp), on the same core with the
same certificate: it looks for no token, calls nobody back, and answers at once, so it shows what
HTTPS alone takes. The single callers come first, then the crowds, to each server in turn. Processor
time is counted in steps of 10 ms for all of a round.""",
    rounds=10,
    run=run,
)

if __name__ == "__main__":
    _be_bare(*sys.argv[1:])
