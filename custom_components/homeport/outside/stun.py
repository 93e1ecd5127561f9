"""Asking STUN servers where our UDP packets come from (RFC 8489)."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
import itertools
import re
import secrets
import socket
from typing import Any, Final, Literal, overload, override

from .errors import OutsideError, OutsideInvalid, OutsideUnreachable
from .family import SOCKET_FAMILY, Family, IPAddress, is_public
from .stun_message import ID_SIZE, Mapped, decode_response, encode_request

DEFAULT_PORT: Final = 3478  # section 18.7
RTO: Final = 0.25
"""Seconds until a request is sent again, doubled each time. Section 6.2.1 has 0.5 and waits for
40 s in all; a person waits for this one."""
TIMEOUT: Final = 2.5
"""Seconds for one binding, the look-up of the name included: four requests."""
SAMPLE_TIMEOUT: Final = 3.0
"""Seconds for a whole sample."""
_LONGEST: Final = 1500
"""Bytes. Section 6.1 keeps a message within one packet."""
_NEARBY: Final = 16
"""Local ports to try from a wanted one on."""
_HOST: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.ASCII | re.IGNORECASE)

type _Peer = tuple[Any, ...]
"""A socket's address: host and port, for IPv6 with flow label and scope."""


@dataclass(frozen=True, slots=True)
class StunServer:
    """A server by name or address."""

    host: str
    port: int = DEFAULT_PORT

    @override
    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Binding:
    """From where a packet from our `local_port` was seen to come."""

    local_port: int
    address: IPAddress
    port: int
    server: StunServer


@dataclass(frozen=True, slots=True)
class Sampled[AddressT: IPAddress]:
    """Where the packets from many local ports were seen to come from.

    - `address`: what all answers say; None when there are none, or when they contradict each other
    - `answered`: whether any server answered
    - `ports`: (local port, mapped port) of each answer, in the order of the local ports; none when
      the answers contradict each other
    - `contradicting`: whether different addresses were said
    """

    address: AddressT | None
    answered: bool
    ports: tuple[tuple[int, int], ...]
    contradicting: bool


def parse_server(text: str) -> StunServer:
    """Return the server that is written as "host", "host:port", "[IPv6]:port" or a bare address.

    Raises ValueError for anything else, a URI included.
    """
    host, port = text, str(DEFAULT_PORT)
    if text.startswith("["):
        host, end, rest = text[1:].partition("]")
        IPv6Address(host)
        if not end or (rest and not rest.startswith(":")):
            raise ValueError("no address in brackets")
        port = rest[1:] if rest else port
    elif text.count(":") > 1:
        IPv6Address(text)
    elif ":" in text:
        host, _, port = text.partition(":")
    if "%" in host:
        raise ValueError("an address with a zone")
    if ":" not in host:
        _check_name(host)
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65536):
        raise ValueError("not a port")
    return StunServer(host, int(port))


def _check_name(host: str) -> None:
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise ValueError("not a host name")
    if host.rpartition(".")[2].isdecimal():
        IPv4Address(host)  # the C library would take 1.2 for an address as well


async def binding(server: StunServer, family: Family, *, local_port: int = 0) -> Binding:
    """Return where the server sees us, asked over `family` from `local_port`; 0 is any free one.

    Raises OutsideUnreachable when it does not answer in time, cannot be asked over this family, or
    the local port is taken; OutsideInvalid for an error, or an address that is not a global one of
    the family. An answer is believed if it comes from where it was asked and knows the 96 random
    bits of the request; whoever is on the way can still make one up.
    """
    try:
        async with asyncio.timeout(TIMEOUT):
            peer = await _resolve(server, family)
            with _connected(peer, family, (local_port,)) as sock:
                return await _ask(sock, server, family)
    except OSError as err:  # TimeoutError is one of them
        raise OutsideUnreachable(type(err).__name__) from err


@overload
async def sample(
    servers: Sequence[StunServer], family: Literal[4], count: int = 12, *, start: int | None = None
) -> Sampled[IPv4Address]: ...
@overload
async def sample(
    servers: Sequence[StunServer], family: Literal[6], count: int = 12, *, start: int | None = None
) -> Sampled[IPv6Address]: ...
async def sample(
    servers: Sequence[StunServer], family: Family, count: int = 12, *, start: int | None = None
) -> Sampled[Any]:
    """Ask every server once, and the one that answers first `count` times in all.

    Each packet leaves from a local port of its own out of `spread_ports(start)`, or the next one
    that is free; without `start` every sample has others. A server that does not answer, or not
    with an address, counts for nothing. Raises nothing.
    """
    ports = spread_ports(secrets.randbelow(1 << 16) if start is None else start)
    answers: list[Binding] = []

    async def ask_server(server: StunServer, local_port: int) -> None:
        with suppress(OSError):
            await ask(server, await _resolve(server, family), local_port)

    async def ask(server: StunServer, peer: _Peer, local_port: int) -> None:
        nearby = range(local_port, min(local_port + _NEARBY, 1 << 16))
        try:
            async with asyncio.timeout(TIMEOUT):
                with _connected(peer, family, nearby) as sock:
                    answers.append(await _ask(sock, server, family))
        except OSError, OutsideError:
            return
        if len(answers) == 1:
            for another in itertools.islice(ports, count - 1):
                group.create_task(ask(server, peer, another))

    with suppress(TimeoutError):
        async with asyncio.timeout(SAMPLE_TIMEOUT), asyncio.TaskGroup() as group:
            for server, local_port in zip(servers, ports, strict=False):
                group.create_task(ask_server(server, local_port))
    addresses = {answer.address for answer in answers}
    agreed = len(addresses) == 1
    return Sampled(
        address=addresses.pop() if agreed else None,
        answered=bool(answers),
        ports=tuple(sorted((each.local_port, each.port) for each in answers)) if agreed else (),
        contradicting=len(addresses) > 1,
    )


def spread_ports(start: int) -> Iterator[int]:
    """Return endless local ports from 1024 on, of which each beginning is spread out.

    Any sixteen in a row lie in sixteen different blocks of 4096 ports, and within the blocks the
    ports follow the golden ratio, so that the bits in the middle, where a port set has its PSID
    (RFC 7597 section 5.1), are as different as can be. `start` is any number.
    """
    for number in itertools.count():
        # 5 and 2531 are coprime to what they are taken modulo, and about 0.38 and 0.62 of it.
        block = (start // 4096 + 5 * number) % 16
        within = (start + 2531 * number) % 4096
        yield 4096 * block + (within if block else 1024 + within * 3 // 4)


async def _resolve(server: StunServer, family: Family) -> _Peer:
    found = await asyncio.get_running_loop().getaddrinfo(
        server.host, server.port, family=SOCKET_FAMILY[family], type=socket.SOCK_DGRAM
    )
    return found[0][4]


@contextmanager
def _connected(peer: _Peer, family: Family, local_ports: Iterable[int]) -> Iterator[socket.socket]:
    """Open a socket on the first free port of these that hears nobody but `peer`."""
    with socket.socket(SOCKET_FAMILY[family], socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        if family == 6:
            # Otherwise the port would have to be free for IPv4 as well.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        _bind(sock, local_ports)
        sock.connect(peer)
        yield sock


def _bind(sock: socket.socket, local_ports: Iterable[int]) -> None:
    taken = OSError("no local port given")
    for port in local_ports:
        try:
            sock.bind(("", port))
        except OSError as err:
            taken = err
        else:
            return
    raise taken


async def _ask(sock: socket.socket, server: StunServer, family: Family) -> Binding:
    """Send a request, again and again, until its response comes. Bounded by the caller."""
    transaction_id = secrets.token_bytes(ID_SIZE)
    seconds = RTO
    while True:
        await asyncio.get_running_loop().sock_sendall(sock, encode_request(transaction_id))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                mapped = await _response(sock, transaction_id)
                break
        seconds *= 2
    if not is_public(mapped.address, family):
        raise OutsideInvalid(f"not a global IPv{family} address")
    return Binding(sock.getsockname()[1], mapped.address, mapped.port, server)


async def _response(sock: socket.socket, transaction_id: bytes) -> Mapped:
    while True:
        data = await asyncio.get_running_loop().sock_recv(sock, _LONGEST)
        if mapped := decode_response(data, transaction_id):
            return mapped
        # sock_recv gives way only when there is nothing to read: a flood would stop everything.
        await asyncio.sleep(0)
