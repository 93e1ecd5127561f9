"""RFC 2136 against a real BIND, and against peers on loopback that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
import socket
import sys
import time

import aiohttp
import dns.message
import dns.rcode
import dns.rrset
import dns.tsig
from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.ddns import (
    PROVIDERS,
    Answer,
    AuthRefused,
    ConfigRefused,
    DdnsError,
    Target,
    Unavailable,
    rfc2136,
)
from custom_components.homeport.ddns.update_message import Updates

from .bind import HOST, KEY, NAMED, SECRET, ZONE, Bind, bind, free_port

pytestmark = pytest.mark.usefixtures("socket_enabled")
needs_bind = pytest.mark.skipif(NAMED is None, reason="BIND's named is not installed")

SPEC = PROVIDERS["rfc2136"]
IPV4 = Target(ipv4=IPv4Address("192.0.2.10"))
BOTH = Target(ipv4=IPv4Address("192.0.2.20"), ipv6=IPv6Address("2001:db8::20"))
WRONG_SECRET = "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmchd3I="


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Bind]:
    with bind(tmp_path) as running:
        yield running


async def send(server: str, target: Target, hostname: str = HOST, **values: str) -> Answer:
    fields = {"server": server, "key_name": KEY, "key_secret": SECRET, **values}
    assert SPEC.validate(hostname, fields) == {}
    async with aiohttp.ClientSession() as session:
        provider = await SPEC.create(session, fields)
        return await provider.update(hostname, target)


@needs_bind
async def test_both_families_are_published_at_once(server: Bind) -> None:
    before = server.serial()
    started = time.perf_counter()
    answer = await send(server.server, BOTH)
    print(f"update acknowledged after {(time.perf_counter() - started) * 1000:.1f} ms")  # noqa: T201
    assert answer == Answer(changed=True, reply="NOERROR")
    assert server.lookup(HOST, "A") == {"192.0.2.20"}
    assert server.lookup(HOST, "AAAA") == {"2001:db8::20"}
    assert server.serial() == before + 1


@needs_bind
async def test_an_unknown_family_is_left_alone_and_the_old_address_goes(server: Bind) -> None:
    await send(server.server, BOTH)
    await send(server.server, IPV4)
    assert server.lookup(HOST, "A") == {"192.0.2.10"}
    assert server.lookup(HOST, "AAAA") == {"2001:db8::20"}


@needs_bind
async def test_another_algorithm_and_the_apex_of_the_zone(server: Bind) -> None:
    await send(
        server.server, IPV4, key_name="sha512-key", key_algorithm="hmac-sha512", zone=f"{ZONE}."
    )
    assert server.lookup(HOST, "A") == {"192.0.2.10"}
    await send(server.server, IPV4, hostname=ZONE, zone=ZONE)
    assert server.lookup(ZONE, "A") == {"192.0.2.10"}


@needs_bind
@pytest.mark.parametrize(
    ("values", "hostname", "target", "kind", "reply"),
    [
        ({"key_secret": WRONG_SECRET}, HOST, BOTH, AuthRefused, "PeerBadSignature"),
        ({"key_name": "nobody"}, HOST, BOTH, AuthRefused, "PeerBadKey"),
        ({"key_algorithm": "hmac-sha512"}, HOST, BOTH, AuthRefused, "PeerBadKey"),
        ({"key_name": "a-key"}, HOST, BOTH, ConfigRefused, "REFUSED"),
        ({}, "home.other.test", BOTH, ConfigRefused, "NOTAUTH"),
        ({}, f"www.home.{ZONE}", BOTH, ConfigRefused, "NOTAUTH"),  # the zone is not the parent
    ],
)
async def test_refusals(
    *,
    server: Bind,
    values: dict[str, str],
    hostname: str,
    target: Target,
    kind: type[DdnsError],
    reply: str,
) -> None:
    with pytest.raises(kind) as caught:
        await send(server.server, target, hostname, **values)
    assert caught.value.reply == str(caught.value) == reply
    assert server.lookup(HOST, "A") == set()


@needs_bind
async def test_a_wrong_clock_is_not_a_wrong_key(
    server: Bind, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    monkeypatch.setattr("dns.message.time.time", lambda: real() - 3600)
    with pytest.raises(Unavailable) as caught:
        await send(server.server, BOTH)
    assert (caught.value.translation_key, caught.value.reply) == ("clock_skew", "PeerBadTime")


async def watched(server: str) -> list[str]:
    """Send from a fresh interpreter; return the reply and what blocked the event loop."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.ddns.blocking", server, HOST, KEY, SECRET),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode().splitlines()


@needs_bind
async def test_nothing_blocks_the_event_loop(server: Bind) -> None:
    assert await watched(server.server) == ["NOERROR"]
    assert server.lookup(HOST, "AAAA") == {"2001:db8::77"}


async def test_an_answer_with_a_rare_record_does_not_block_either() -> None:
    def answer(request: bytes) -> list[bytes]:
        rare = dns.rrset.from_text(f"{HOST}.", 60, "IN", "LOC", "60 N 24 E 10m")
        return [signed(request, extra=rare)]

    async with peer(answer, lambda _: []) as (port, _):
        assert await watched(f"127.0.0.1:{port}") == ["NOERROR"]


async def test_a_dead_port_is_noticed_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        await send(f"127.0.0.1:{free_port()}", IPV4)
    assert caught.value.reply == "ConnectionRefusedError"
    assert time.monotonic() - started < rfc2136._TIMEOUT / 2


async def test_a_server_that_has_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with pytest.raises(Unavailable) as caught:
        await send("nowhere.invalid", IPV4)
    assert caught.value.reply == "gaierror"


async def test_the_next_address_of_the_server_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer(lambda r: [signed(r)], lambda _: []) as (port, _):
        found = [
            (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", each))
            for each in (free_port(), port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert (await send("ns.example", IPV4)).reply == "NOERROR"


async def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc2136, "_TIMEOUT", 0.3)
    monkeypatch.setattr(rfc2136, "_RESEND", (0.05, 0.05))
    async with peer(lambda _: [], lambda _: []) as (port, asked):
        with pytest.raises(Unavailable) as caught:
            await send(f"127.0.0.1:{port}", IPV4)
    assert caught.value.reply == "TimeoutError"
    assert asked == ["udp", "udp", "tcp"]


def signed(
    request: bytes,
    code: dns.rcode.Rcode = dns.rcode.NOERROR,
    extra: dns.rrset.RRset | None = None,
) -> bytes:
    """Answer as a server does that knows the key."""
    key = dns.tsig.Key(KEY, SECRET, "hmac-sha256")
    response = dns.message.make_response(dns.message.from_wire(request, keyring=key))
    response.set_rcode(code)
    if extra is not None:
        response.additional.append(extra)
    return response.to_wire()


def unsigned(request: bytes, code: int = 0, flags: int = 0) -> bytes:
    """Answer without a proof."""
    return request[:2] + bytes([0xA8 | flags, code]) + request[4:12].replace(b"\1", b"\0")


@asynccontextmanager
async def peer(
    udp: Callable[[bytes], list[bytes]], tcp: Callable[[bytes], list[bytes]]
) -> AsyncIterator[tuple[int, list[str]]]:
    """Serve DNS on loopback from functions; yield the port and what was asked over what."""
    asked: list[str] = []

    class Datagrams(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # type: ignore[override]
            asked.append("udp")
            for answer in udp(data):
                self.transport.sendto(answer, addr)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        asked.append("tcp")
        answers = tcp(request)
        for answer in answers:
            writer.write(len(answer).to_bytes(2) + answer)
        if answers == [b""]:
            writer.close()
        await reader.read()
        writer.close()

    port = free_port()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Datagrams, local_addr=("127.0.0.1", port), family=socket.AF_INET
    )
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield port, asked
    finally:
        transport.close()
        server.close()
        await server.wait_closed()


async def test_a_lost_datagram_is_sent_again() -> None:
    lost: list[bytes] = []

    def answer(request: bytes) -> list[bytes]:
        lost.append(request)
        return [signed(request)] if len(lost) == 2 else []

    async with peer(answer, lambda _: []) as (port, asked):
        assert (await send(f"127.0.0.1:{port}", IPV4)).reply == "NOERROR"
    assert asked == ["udp", "udp"]
    assert lost[0] == lost[1]


async def test_a_cut_answer_is_asked_for_over_tcp() -> None:
    async with peer(lambda r: [unsigned(r, flags=0x02)], lambda r: [signed(r)]) as (port, asked):
        assert (await send(f"127.0.0.1:{port}", IPV4)).reply == "NOERROR"
    assert asked == ["udp", "tcp"]


async def test_what_is_too_long_for_udp_goes_over_tcp() -> None:
    key = ".".join(["k" * 63] * 3 + ["k" * 60])
    name = ".".join(["h" * 63, "i" * 63, "j" * 63, ZONE])
    async with peer(lambda _: [], lambda r: [unsigned(r, 5)]) as (port, asked):
        with pytest.raises(ConfigRefused):
            await send(f"127.0.0.1:{port}", BOTH, hostname=name, zone=ZONE, key_name=key)
    assert asked == ["tcp"]


async def test_strangers_answers_are_passed_over() -> None:
    def answers(request: bytes) -> list[bytes]:
        other = bytes([request[0] ^ 1, *request[1:]])
        return [b"", b"junk", unsigned(other, 5), request, signed(request)]

    async with peer(answers, lambda _: []) as (port, _):
        assert (await send(f"127.0.0.1:{port}", IPV4)).reply == "NOERROR"


@pytest.mark.parametrize(
    ("answer", "kind", "reply"),
    [
        (unsigned, ConfigRefused, "unsigned answer"),
        (lambda r: unsigned(r, 5), ConfigRefused, "REFUSED"),
        (lambda r: unsigned(r, 10), ConfigRefused, "NOTZONE"),
        (lambda r: unsigned(r, 2), Unavailable, "SERVFAIL"),
        (lambda r: signed(r, dns.rcode.SERVFAIL), Unavailable, "SERVFAIL"),
        (lambda r: signed(r, dns.rcode.NOTZONE), ConfigRefused, "NOTZONE"),
        (lambda r: signed(r)[:-1] + b"\1", ConfigRefused, "unsigned answer"),
        (lambda r: signed(r)[:-8] + b"\0\0\0\0\0\0\0\0", AuthRefused, "BadSignature"),
    ],
)
async def test_answers_of_other_servers(
    answer: Callable[[bytes], bytes], kind: type[DdnsError], reply: str
) -> None:
    async with peer(lambda r: [answer(r)], lambda _: []) as (port, _):
        with pytest.raises(kind) as caught:
            await send(f"127.0.0.1:{port}", IPV4)
    assert caught.value.reply == reply


async def test_a_connection_that_is_cut() -> None:
    async with peer(lambda r: [unsigned(r, flags=0x02)], lambda _: [b""]) as (port, _):
        with pytest.raises(Unavailable) as caught:
            await send(f"127.0.0.1:{port}", IPV4)
    assert caught.value.reply == "ConnectionResetError"


@given(st.binary(max_size=200))
def test_no_junk_is_a_success(junk: bytes) -> None:
    updates = Updates(KEY, SECRET, "hmac-sha256", 60)
    wire, mac = updates.sign(ZONE, HOST, IPV4)
    for answer in (junk, wire[:12] + junk, wire[:2] + b"\xa8\0" + wire[4:] + junk):
        with pytest.raises(DdnsError):
            updates.read(mac, answer)


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({}, {}),
        ({"server": "ns.example.org"}, {}),
        ({"server": "ns.example.org:5353"}, {}),
        ({"server": "2001:db8::1"}, {}),
        ({"server": "[2001:db8::1]"}, {}),
        ({"server": "[2001:db8::1]:5353"}, {}),
        ({"server": " "}, {"server": "required"}),
        ({"server": "ns..example"}, {"server": "invalid_server"}),
        ({"server": "ns.example:0"}, {"server": "invalid_server"}),
        ({"server": "ns.example:65536"}, {"server": "invalid_server"}),
        ({"server": "ns.example:x"}, {"server": "invalid_server"}),
        ({"server": "[::1"}, {"server": "invalid_server"}),
        ({"server": "[::1]53"}, {"server": "invalid_server"}),
        ({"server": "[ns.example]"}, {"server": "invalid_server"}),
        ({"server": "https://ns.example"}, {"server": "invalid_server"}),
        ({"zone": "example.test"}, {}),
        ({"zone": "home.dyn.example.test."}, {}),
        ({"zone": "test"}, {}),
        ({"zone": "yn.example.test"}, {"zone": "not_in_zone"}),
        ({"zone": "other.test"}, {"zone": "not_in_zone"}),
        ({"zone": "a b"}, {"zone": "invalid_zone"}),
        ({"key_name": ""}, {"key_name": "required"}),
        ({"key_name": "a b"}, {"key_name": "invalid_key_name"}),
        ({"key_name": "x" * 64}, {"key_name": "invalid_key_name"}),
        ({"key_secret": ""}, {"key_secret": "required"}),
        ({"key_secret": "not base64!"}, {"key_secret": "invalid_key_secret"}),
        ({"key_secret": "AAA"}, {"key_secret": "invalid_key_secret"}),
        ({"key_secret": " AAAA\nAAAA "}, {}),
        ({"key_algorithm": "hmac-sha1"}, {"key_algorithm": "invalid_choice"}),
        ({"ttl": "30"}, {}),
        ({"ttl": "86400"}, {}),
        ({"ttl": "29"}, {"ttl": "invalid_ttl"}),
        ({"ttl": "86401"}, {"ttl": "invalid_ttl"}),
        ({"ttl": "-60"}, {"ttl": "invalid_ttl"}),
        ({"ttl": "\u0663\u0660"}, {"ttl": "invalid_ttl"}),
        ({"ttl": ""}, {}),
    ],
)
def test_what_the_form_accepts(values: dict[str, str], errors: dict[str, str]) -> None:
    fields = {"server": "192.0.2.53", "key_name": KEY, "key_secret": SECRET, **values}
    assert SPEC.validate(HOST, fields) == errors


def test_the_form_refuses_a_bad_name() -> None:
    fields = {"server": "192.0.2.53", "key_name": KEY, "key_secret": SECRET}
    assert SPEC.validate("home", fields) == {"hostname": "invalid_hostname"}


async def test_values_that_were_never_checked_are_an_error_of_the_room() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ConfigRefused):
            await SPEC.create(session, {"server": "x", "key_name": KEY, "key_secret": "!"})


def test_what_is_secret_and_what_is_asked_again() -> None:
    assert SPEC.secrets == {"key_secret"}
    assert [f.key for f in SPEC.reauth_fields] == ["key_name", "key_secret", "key_algorithm"]
