"""Dynamic updates by RFC 2136, signed with TSIG, to the primary server of a zone."""

import asyncio
from base64 import b64decode
import binascii
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address
import re
import socket
from typing import TYPE_CHECKING, NamedTuple, override

import aiohttp

from .provider import (
    Answer,
    ConfigRefused,
    Field,
    Provider,
    ProviderSpec,
    Target,
    Unavailable,
    completed,
    field_errors,
    normal_hostname,
)

if TYPE_CHECKING:  # dnspython is imported in a thread only
    from .update_message import Updates

_ALGORITHMS = ("hmac-sha256", "hmac-sha512", "hmac-sha384", "hmac-sha224")
_FIELDS = (
    Field(key="server"),
    Field(key="zone", required=False),
    Field(key="key_name", credential=True),
    Field(key="key_secret", secret=True),
    Field(key="key_algorithm", default="hmac-sha256", choices=_ALGORITHMS, credential=True),
    Field(key="ttl", default="60"),
)
_TTL = range(30, 86401)
_PORT = 53
_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_NUMBER = re.compile(r"[0-9]{1,5}")

_TIMEOUT = 5.0  # per address of the server
_RESEND = (1.0, 1.0)  # UDP: ask, ask again, then TCP, which also passes where UDP is filtered
_UDP_SIZE = 512  # RFC 1035 section 4.2.1
_ADDRESSES = 3  # of a server's addresses, how many are tried


class _Server(NamedTuple):
    host: str
    port: int


class Rfc2136:
    """A primary name server that takes signed updates."""

    def __init__(self, updates: Updates, server: _Server, zone: str) -> None:
        """Take who signs, the server to tell, and the zone ("": the parent of the hostname)."""
        self._updates = updates
        self._server = server
        self._zone = zone

    async def update(self, hostname: str, target: Target) -> Answer:
        """Publish both records in one message, all or nothing; see Provider.update."""
        zone = self._zone or hostname.partition(".")[2]
        request, mac = await asyncio.to_thread(self._updates.sign, zone, hostname, target)
        wire = await self._ask(request)
        return await asyncio.to_thread(self._updates.read, mac, wire)

    async def _ask(self, request: bytes) -> bytes:
        """Return the first answer of any of the server's addresses; raise Unavailable."""
        loop = asyncio.get_running_loop()
        error: OSError = TimeoutError()
        try:
            async with asyncio.timeout(_TIMEOUT):
                found = await loop.getaddrinfo(*self._server, type=socket.SOCK_DGRAM)
        except OSError as err:
            raise Unavailable(type(err).__name__) from None
        for family, _, _, _, address in found[:_ADDRESSES]:
            peer = _Server(str(address[0]), int(address[1]))
            try:
                async with asyncio.timeout(_TIMEOUT):
                    return await _exchange(request, family, peer)
            except OSError as err:
                error = err
            except asyncio.IncompleteReadError:
                error = ConnectionResetError()
        raise Unavailable(type(error).__name__)


async def _exchange(request: bytes, family: int, peer: _Server) -> bytes:
    """Ask over UDP, then over TCP if there is no answer, a cut one, or the request is too long.

    Asking twice does no harm, as an update says what is to be, not what to add (RFC 2136 section
    2.1 leaves the transport to the requestor).
    """
    if len(request) <= _UDP_SIZE:
        answer = await _over_udp(request, family, peer)
        if answer is not None and not answer[2] & 0x02:  # TC
            return answer
    reader, writer = await asyncio.open_connection(*peer, family=family)
    try:
        writer.write(len(request).to_bytes(2) + request)
        await writer.drain()
        while True:
            answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
            if _answers(answer, request):
                return answer
    finally:
        writer.close()


async def _over_udp(request: bytes, family: int, peer: _Server) -> bytes | None:
    """Return the answer; None when none comes or the port is closed."""
    loop = asyncio.get_running_loop()
    transport, listener = await loop.create_datagram_endpoint(
        lambda: _Listener(request), remote_addr=peer, family=family
    )
    try:
        for patience in _RESEND:
            transport.sendto(request)
            await asyncio.wait({listener.answer}, timeout=patience)
            if listener.answer.done():
                return listener.answer.result()
    finally:
        transport.close()
    return None


class _Listener(asyncio.DatagramProtocol):
    """Waits for the answer to one request; `answer` becomes None when the port is closed."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()

    @override
    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        if _answers(data, self._request) and not self.answer.done():
            self.answer.set_result(data)

    @override
    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_result(None)


def _answers(wire: bytes, request: bytes) -> bool:
    """Tell whether this is a response (QR) with the request's id."""
    return len(wire) >= 12 and wire[:2] == request[:2] and bool(wire[2] & 0x80)


def _parse_server(text: str) -> _Server:
    """Read `host`, `host:port`, an address, or `[IPv6]:port`; raise ValueError."""
    host, port = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        IPv6Address(host)
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError("not an address in brackets")
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if ":" in host:
        IPv6Address(host)
    elif not _NAME.fullmatch(host):
        raise ValueError("not a host")
    if port and not (_NUMBER.fullmatch(port) and 0 < int(port) < 65536):
        raise ValueError("not a port")
    return _Server(host, int(port or _PORT))


def _secret(text: str) -> str:
    """Return the base64 of a TSIG secret without white space; raise ValueError."""
    secret = "".join(text.split())
    try:
        if b64decode(secret, validate=True):
            return secret
    except binascii.Error, ValueError:
        pass
    raise ValueError("not base64")


def _zone(text: str) -> str:
    """Return a zone, which unlike a hostname may have one label; "" stays; raise ValueError."""
    return normal_hostname(f"x.{text}").removeprefix("x.") if text else ""


def _key_name(text: str) -> str:
    """Return the name of a key; raise ValueError."""
    if not _NAME.fullmatch(text):
        raise ValueError("not a domain name")
    return text


def _ttl(text: str) -> int:
    """Return seconds; raise ValueError."""
    if not _NUMBER.fullmatch(text) or int(text) not in _TTL:
        raise ValueError("not a TTL")
    return int(text)


_READERS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "server": (_parse_server, "invalid_server"),
    "zone": (_zone, "invalid_zone"),
    "key_name": (_key_name, "invalid_key_name"),
    "key_secret": (_secret, "invalid_key_secret"),
    "ttl": (_ttl, "invalid_ttl"),
}


def _validate(hostname: str, values: Mapping[str, str]) -> dict[str, str]:
    values = completed(_FIELDS, values)
    errors = field_errors(_FIELDS, values)
    for key, (read, error) in _READERS.items():
        try:
            read(values[key])
        except ValueError:
            errors.setdefault(key, error)
    try:
        name = normal_hostname(hostname)
    except ValueError:
        errors[ProviderSpec.HOSTNAME] = "invalid_hostname"
    else:
        zone = values["zone"]
        if zone and "zone" not in errors and not f".{name}".endswith(f".{_zone(zone)}"):
            errors["zone"] = "not_in_zone"
    return errors


def _load(values: Mapping[str, str]) -> Updates:
    """Import dnspython, which opens and imports files: to be run in a thread."""
    from .update_message import Updates  # noqa: PLC0415

    return Updates(
        _key_name(values["key_name"]),
        _secret(values["key_secret"]),
        values["key_algorithm"],
        _ttl(values["ttl"]),
    )


async def _create(_session: aiohttp.ClientSession, values: Mapping[str, str]) -> Provider:
    values = completed(_FIELDS, values)
    try:
        updates = await asyncio.to_thread(_load, values)
        return Rfc2136(updates, _parse_server(values["server"]), _zone(values["zone"]))
    except ValueError as err:
        raise ConfigRefused(str(err)) from None


RFC2136 = ProviderSpec(
    id="rfc2136", name="RFC 2136", fields=_FIELDS, create=_create, validate=_validate
)
