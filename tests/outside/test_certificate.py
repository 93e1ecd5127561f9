"""What is wrong with the certificate of a real TLS server is found out, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address
from pathlib import Path
import ssl
import time

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import example, given, strategies as st
import pytest

from custom_components.homeport.outside import certificate
from custom_components.homeport.outside.certificate import (
    Flaw,
    ShownCertificate,
    parse_time,
    shown_certificate,
)
from tests.fuzz import fuzz

HERE = IPv4Address("127.0.0.1")
NAME = "home.example.com"
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
FRESH, OLD, EARLY = (-DAY, 90 * DAY), (-90 * DAY, -2 * DAY), (DAY, 90 * DAY)

SIGNS = x509.KeyUsage(*(False,) * 5, True, True, False, False)

type Times = tuple[timedelta, timedelta]


class Signer:
    """A certificate authority."""

    def __init__(self, name: str) -> None:
        self.key = generate_private_key(SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = (
            self.builder(self.name, self.key, FRESH)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(SIGNS, critical=True)
            .sign(self.key, SHA256())
        )

    def builder(
        self, subject: x509.Name, key: EllipticCurvePrivateKey, times: Times
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + times[0])
            .not_valid_after(NOW + times[1])
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False
            )
        )

    def issue(
        self,
        folder: Path,
        times: Times,
        *names: str,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
        alternative: x509.ExtensionType | None = None,
        own_key: EllipticCurvePrivateKey | None = None,
    ) -> ssl.SSLContext:
        """Return what a server needs that shows a certificate for these names."""
        key = own_key or generate_private_key(SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        issued = (
            self.builder(self.name if own_key else subject, key, times)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(alternative or x509.SubjectAlternativeName(map(general, names)), False)
            .sign(self.key, SHA256())
        )
        path = folder / f"{issued.serial_number:x}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + issued.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture(scope="module")
def trusted() -> Signer:
    return Signer("Trusted")


@pytest.fixture(scope="module")
def client(trusted: Signer) -> ssl.SSLContext:
    """Return what Home Assistant brings along: a context that trusts the usual authorities."""
    pem = trusted.certificate.public_bytes(Encoding.PEM).decode()
    return ssl.create_default_context(cadata=pem)


@asynccontextmanager
async def serving(context: ssl.SSLContext | None, first: bytes = b"") -> AsyncIterator[int]:
    """Serve on loopback and yield the port. Whatever is received is kept from nobody."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(meet, str(HERE), 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def seen(
    server: ssl.SSLContext | None, client: ssl.SSLContext, name: str = NAME, first: bytes = b""
) -> ShownCertificate:
    async with serving(server, first) as port:
        return await shown_certificate(HERE, port, name, client)


@pytest.mark.parametrize("names", [(NAME,), ("other.example.com", "*.example.com")])
async def test_good(
    trusted: Signer, client: ssl.SSLContext, tmp_path: Path, names: tuple[str, ...]
) -> None:
    shown = await seen(trusted.issue(tmp_path, FRESH, *names), client)
    assert shown == ShownCertificate(None, matches=True, trusted=True, expires=NOW + 90 * DAY)
    assert shown.days_left(NOW) == 90


async def test_address_as_name(trusted: Signer, client: ssl.SSLContext, tmp_path: Path) -> None:
    server = trusted.issue(tmp_path, FRESH, "11.22.33.44")
    assert (await seen(server, client, "11.22.33.44")).flaw is None
    shown = await seen(server, client, "11.22.33.45")
    assert (shown.flaw, shown.matches) == (Flaw.OTHER_NAME, False)


@pytest.mark.parametrize(
    "case",
    [
        ("Trusted", OLD, NAME, (Flaw.EXPIRED, True, True)),
        ("Trusted", EARLY, NAME, (Flaw.NOT_YET_VALID, True, True)),
        ("Trusted", FRESH, "other.example.com", (Flaw.OTHER_NAME, False, None)),
        ("Trusted", OLD, "other.example.com", (Flaw.OTHER_NAME, False, None)),
        ("Nobody", FRESH, NAME, (Flaw.UNTRUSTED, True, False)),
        ("Nobody", OLD, NAME, (Flaw.UNTRUSTED, True, False)),
        ("Nobody", FRESH, "other.example.com", (Flaw.UNTRUSTED, False, False)),
    ],
)
async def test_flaws(
    trusted: Signer,
    client: ssl.SSLContext,
    tmp_path: Path,
    case: tuple[str, Times, str, tuple[Flaw, bool | None, bool | None]],
) -> None:
    signer, times, name, expected = case
    by = trusted if signer == "Trusted" else Signer(signer)
    shown = await seen(by.issue(tmp_path, times, name), client)
    assert (shown.flaw, shown.matches, shown.trusted) == expected
    assert shown.expires == NOW + times[1]
    assert shown.days_left(NOW) == times[1] / DAY


async def test_signed_by_itself(client: ssl.SSLContext, tmp_path: Path) -> None:
    itself = Signer("Itself")
    server = itself.issue(tmp_path, FRESH, NAME, own_key=itself.key)
    shown = await seen(server, client)
    assert shown == ShownCertificate(Flaw.UNTRUSTED, True, False, NOW + 90 * DAY)


async def test_not_for_servers(trusted: Signer, client: ssl.SSLContext, tmp_path: Path) -> None:
    server = trusted.issue(tmp_path, FRESH, NAME, usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    assert await seen(server, client) == ShownCertificate(Flaw.INVALID)


async def test_names_that_are_no_text(client: ssl.SSLContext, tmp_path: Path) -> None:
    """A certificate can hold anything, and a device at home can show anything."""
    names = x509.UnrecognizedExtension(
        x509.ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x30\x04\x82\x02\xff\xfe"
    )
    server = Signer("Nobody").issue(tmp_path, FRESH, alternative=names)
    shown = await seen(server, client)
    assert (shown.flaw, shown.matches, shown.trusted) == (Flaw.UNTRUSTED, False, False)


async def test_the_name_is_asked_for(
    trusted: Signer, client: ssl.SSLContext, tmp_path: Path
) -> None:
    """A server with several certificates shows that of the name (RFC 6066 section 3)."""
    server = trusted.issue(tmp_path, FRESH, "default.example.com")
    home = trusted.issue(tmp_path, FRESH, NAME)
    asked = []

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        asked.append(name)
        if name == NAME:
            connection.context = home

    server.sni_callback = choose
    assert (await seen(server, client, "HOME.Example.com.")).flaw is None
    assert asked == [NAME]


NO_TLS = {
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "a banner": b"SSH-2.0-OpenSSH_10.0\r\n",
    "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "half a record": b"\x16\x03\x03\xff\xff",
}


@pytest.mark.parametrize("first", NO_TLS.values(), ids=NO_TLS)
async def test_no_tls(
    client: ssl.SSLContext, first: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate, "_HANDSHAKE", 0.2)
    assert await seen(None, client, first=first) == ShownCertificate(Flaw.NO_TLS)


async def test_who_hangs_is_left(client: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "_HANDSHAKE", 0.2)
    began = time.monotonic()
    assert (await seen(None, client)).flaw is Flaw.NO_TLS
    assert time.monotonic() - began < 1


async def test_too_old_tls(trusted: Signer, client: ssl.SSLContext, tmp_path: Path) -> None:
    server = trusted.issue(tmp_path, FRESH, NAME)
    server.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        server.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        server.minimum_version = ssl.TLSVersion.TLSv1
    assert await seen(server, client) == ShownCertificate(Flaw.NO_TLS)


async def test_nobody_listens(client: ssl.SSLContext) -> None:
    async with serving(None) as port:
        pass
    shown = await shown_certificate(HERE, port, NAME, client)
    assert shown == ShownCertificate(Flaw.UNREACHABLE)
    assert shown.days_left(NOW) is None


@pytest.mark.parametrize("name", ["", ".", "a b", "http://home", "ä.example", "x" * 300])
async def test_what_is_no_name(client: ssl.SSLContext, name: str) -> None:
    with pytest.raises(ValueError, match="neither a name nor an address"):
        await shown_certificate(HERE, 1, name, client)


@pytest.fixture(scope="module", autouse=True)
def _no_context_changes(client: ssl.SSLContext) -> Iterator[None]:
    """See to it that the context, which is everybody's, is only used."""
    before = client.check_hostname, client.verify_mode, client.verify_flags
    authorities = client.get_ca_certs()
    yield
    assert (client.check_hostname, client.verify_mode, client.verify_flags) == before
    assert client.get_ca_certs() == authorities


def test_time() -> None:
    assert parse_time("Nov 24 16:00:00 2026 GMT") == datetime(2026, 11, 24, 16, tzinfo=UTC)
    assert parse_time("Dec 31 23:59:59 9999 GMT") == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@fuzz
@example("Bad time value", 0)
@example("Nov 31 16:00:00 2026 GMT", 0)
@given(st.text(max_size=12), st.integers(0, 24))
def test_any_time(noise: str, place: int) -> None:
    good = "Nov 24 16:00:00 2026 GMT"
    for text in (noise, good[:place] + noise + good[place + len(noise) :]):
        found = parse_time(text)
        assert found is None or found.tzinfo is UTC
