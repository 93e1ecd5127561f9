"""What stands around Home Assistant's external URL: certificates, who shows them, the name."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
import socket
import ssl
from typing import Any, override

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
import dns.message
import dns.rcode
import dns.tsigkeyring
import dns.update

from tests.lab import Authority, Bind, Host, Lab
from tests.lab.host import family_of
from tests.lab.tls import Certificate

from .server import HomeAssistantServer

_ZONE = "dyn.example."


class DatedAuthority(Authority):
    """Signs certificates for any time; its own is valid for years."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._days = -1000.0, 1000.0
        super().__init__(folder)

    def issue_for(self, *names: str, begin: float = -1, end: float) -> Certificate:
        """Return a certificate that is valid from `begin` to `end`, in days from now."""
        self._days = begin, end
        return self.issue(*names)

    @override
    def _builder(self, subject: x509.Name, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        begin, end = (now + timedelta(days=days) for days in self._days)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )


@asynccontextmanager
async def front(
    host: Host, address: str, port: int, certificate: Certificate | None
) -> AsyncIterator[None]:
    """Stand before the Home Assistant at the same machine's loopback and port, as a proxy does.

    Without a certificate it speaks plain HTTP.
    """
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with host.new_socket() as sock:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            theirs, ours = await asyncio.open_connection(sock=sock)
            await asyncio.gather(pump(reader, ours), pump(theirs, writer))

    with host.inside():
        listening = socket.create_server((address, port))
    async with await asyncio.start_server(serve, sock=listening, ssl=context) as server:
        yield
        server.close_clients()


def lead(lab: Lab, name: str, *addresses: str) -> None:
    """Let a name of the lab's zone have these IPv4 addresses at its server, or not exist."""
    bind = lab.daemon(Bind)
    update = dns.update.UpdateMessage(
        _ZONE, keyring=dns.tsigkeyring.from_text(bind.keys), keyname="homeport."
    )
    update.delete(f"{name}.")
    for address in addresses:
        update.add(f"{name}.", 60, "AAAA" if ":" in address else "A", address)
    server = bind.addresses[0]
    with lab["net"].new_socket(family_of(server), socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect((server, 53))
        sock.send(update.to_wire())
        said = dns.message.from_wire(
            sock.recv(4096), keyring=update.keyring, request_mac=update.mac
        )
    assert said.rcode() == dns.rcode.NOERROR, said


class Trusting(Host):
    """A machine of the lab whose HTTP sessions trust an authority."""

    def __init__(self, host: Host, bundle: Path) -> None:
        super().__init__(host.name, host.netns, host._resolver)
        self._context = ssl.create_default_context(cafile=bundle)

    @override
    def http_session(self, **options: Any) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(socket_factory=self.socket_factory, ssl=self._context)
        return aiohttp.ClientSession(connector=connector, **options)


@contextmanager
def trusting(host: Host, bundle: Path) -> Iterator[Trusting]:
    """Have such a machine."""
    made = Trusting(host, bundle)
    try:
        yield made
    finally:
        made.close()


class HttpsServer(HomeAssistantServer):
    """A Home Assistant that shows a certificate itself, at all of its addresses."""

    def __init__(self, config_dir: Path, certificate: Certificate, **options: Any) -> None:
        super().__init__(config_dir, host="0.0.0.0", **options)
        self.url = self.url.replace("http://", "https://")
        self._listen |= {
            "ssl_certificate": str(certificate.certificate),
            "ssl_key": str(certificate.key),
        }
