"""One namespace of a running lab, seen as the machine that it plays."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
import os
from pathlib import Path
import socket
import subprocess
from typing import Any

import aiohttp

from .errors import LabError

PROJECT = Path(__file__).parents[2]


def family_of(address: str) -> socket.AddressFamily:
    """Return the family of an IP address in text form."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Host:
    """A machine of the lab: programs, sockets and servers inside its network."""

    def __init__(self, name: str, netns: str, resolver: Path | None = None) -> None:
        """Take the machine's name, the name of its namespace and its own resolv.conf, if any."""
        self.name = name
        self.netns = netns
        self._resolver = resolver
        self._network = os.open(f"/run/netns/{netns}", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Let go of the namespace, which otherwise would outlive its name."""
        os.close(self._network)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Put the current thread into this network. Must not be held across an `await`."""
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.setns(self._network, os.CLONE_NEWNET)
            try:
                yield
            finally:
                os.setns(outside, os.CLONE_NEWNET)
        finally:
            os.close(outside)

    def command(self, *argv: str) -> list[str]:
        """Return what runs `argv` in here, as a process that is the program itself."""
        inside = ["ip", "netns", "exec", self.netns]
        if self._resolver:
            # The mount is seen by this program alone and ends with it.
            bind = f'mount --bind {self._resolver} /etc/resolv.conf && exec "$@"'
            inside += ["sh", "-c", bind, "sh"]
        return [*inside, *argv]

    def run(self, *argv: str, stdin: str = "", within: float = 30) -> str:
        """Run a program to its end and return its output.

        Raises LabError with all that it said if it fails, subprocess.TimeoutExpired after `within`
        seconds.
        """
        done = subprocess.run(
            self.command(*argv),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
            cwd=PROJECT,
        )
        if done.returncode:
            said = (done.stdout + done.stderr).strip()
            raise LabError(f"{self.name}: {' '.join(argv)}: exit code {done.returncode}: {said}")
        return done.stdout

    @contextmanager
    def spawn(self, *argv: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run a program for as long as the context lasts. Its output is added to `log`."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                self.command(*argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=PROJECT,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def new_socket(
        self,
        family: int = socket.AF_INET,
        kind: int = socket.SOCK_STREAM,
        proto: int = 0,
    ) -> socket.socket:
        """Return a new socket that belongs to this network, wherever it is used."""
        with self.inside():
            return socket.socket(family, kind, proto)

    def http_session(self, **options: Any) -> aiohttp.ClientSession:
        """Return a session that connects from here. Options are those of aiohttp's."""
        connector = aiohttp.TCPConnector(socket_factory=self.socket_factory)
        return aiohttp.ClientSession(connector=connector, **options)

    @property
    def socket_factory(self) -> Callable[[Sequence[Any]], socket.socket]:
        """What makes an aiohttp.TCPConnector connect from here."""
        return lambda address: self.new_socket(*address[:3])

    async def fetch(self, address: str, port: int, *, within: float = 2) -> bytes:
        """Connect from here by TCP and return what comes until the other side closes.

        Raises TimeoutError after `within` seconds, ConnectionRefusedError, or another OSError.
        """
        loop = asyncio.get_running_loop()
        received = bytearray()
        with self.new_socket(family_of(address)) as sock:
            sock.setblocking(False)
            async with asyncio.timeout(within):
                await loop.sock_connect(sock, (address, port))
                while data := await loop.sock_recv(sock, 65536):
                    received += data
        return bytes(received)

    @asynccontextmanager
    async def serve(
        self, content: bytes, port: int, address: str = "0.0.0.0"
    ) -> AsyncIterator[list[str]]:
        """Send `content` to whoever connects by TCP, and close. Yields the callers' addresses."""
        callers: list[str] = []

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            callers.append(writer.get_extra_info("peername")[0])
            writer.write(content)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

        with self.inside():
            sock = socket.create_server((address, port), family=family_of(address))
        async with await asyncio.start_server(answer, sock=sock):
            yield callers
