"""How many callers the self-hosted prober serves at once, on one core."""

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
from time import perf_counter

from tests.lab import Authority, Interface, Lab, Link, Namespace, Topology, build
from tests.lab.access_line import within

from .home import Home
from .measure import Benchmark, Series

_CALLERS = 1000
_NET, _PORT = "11.22.33.2", 8443
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
    alone, each, everybody, work = (
        Series("one caller alone"),
        Series(f"one of {_CALLERS} callers at once"),
        Series(f"all {_CALLERS} of them"),
        Series("the prober's processor time for one of them"),
    )
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with TemporaryDirectory(prefix="prober-") as name:
        folder = Path(name)
        authority = Authority(folder)
        trust = ssl.create_default_context(cafile=authority.bundle)
        with build(_TOPOLOGY, folder) as lab, _prober(lab, folder, authority) as process:
            for _ in range(rounds):
                alone.seconds.extend(within(lab["callers"], _crowd(trust, 1)))
                begin, before = perf_counter(), _processor_time(process)
                each.seconds.extend(within(lab["callers"], _crowd(trust, _CALLERS)))
                everybody.seconds.append(perf_counter() - begin)
                work.seconds.append((_processor_time(process) - before) / _CALLERS)
    return alone, each, everybody, work


@contextmanager
def _prober(lab: Lab, folder: Path, authority: Authority) -> Iterator[Popen[bytes]]:
    """Run the prober on the first core, with a token for each caller."""
    certificate = authority.issue(_NET)
    tokens = (f'[[tokens]]\nsha256 = "{_digest(number)}"\n' for number in range(_CALLERS))
    config, log = folder / "prober.toml", folder / "prober.log"
    config.write_text(
        f'listen = ["{_NET}:{_PORT}"]\n'
        f'certificate = "{certificate.certificate}"\nkey = "{certificate.key}"\n{"".join(tokens)}'
    )
    argv = ("taskset", "-c", "0", sys.executable, "-m", "prober", "--config", str(config))
    with lab["net"].spawn(*argv, log=log) as process:
        while "ready" not in log.read_text():
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
        yield process


def _digest(number: int) -> str:
    return sha256(_secret(number).encode()).hexdigest()


def _secret(number: int) -> str:
    return f"secret {number}"


async def _crowd(trust: ssl.SSLContext, callers: int) -> list[float]:
    """Let so many call at once, and return how long each has waited."""

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_NONCE)
        writer.close()

    async with await asyncio.start_server(meet, "0.0.0.0", 0, backlog=callers) as listener:
        port = listener.sockets[0].getsockname()[1]
        return await asyncio.gather(*(_call(trust, number, port) for number in range(callers)))


async def _call(trust: ssl.SSLContext, number: int, port: int) -> float:
    """Be one caller. Raises RuntimeError when the answer is not the good one."""
    begin = perf_counter()
    own = f"11.22.{64 + number // 250}.{number % 250 + 1}"
    asked = json.dumps({"transport": "tcp", "port": port, "nonce": _NONCE.hex()})
    reader, writer = await asyncio.open_connection(
        _NET, _PORT, ssl=trust, local_addr=(own, 0), server_hostname=_NET
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
is no figure. Processor time is counted in steps of 10 ms for all of a round.""",
    rounds=10,
    run=run,
)
