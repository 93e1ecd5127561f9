"""Every parser of what strangers send takes anything: 100,000 mutations of good messages each.

A long run is HOMEPORT_FUZZ=100000 scripts/test tests/test_hostile_input.py; the seed is fixed, or
taken from HOMEPORT_FUZZ_SEED. The hypothesis tests beside each parser look for other things.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import gc
from ipaddress import ip_address
import os
import random
import socket
import sys
import time
import tracemalloc

import pytest

from custom_components.homeport.gateway import natpmp_message, pcp_message
from custom_components.homeport.gateway.announcements import parse_announcement
from custom_components.homeport.gateway.errors import InvalidAnswer, NatPmpRefused, PcpRefused
from custom_components.homeport.gateway.model import Transport
from custom_components.homeport.host import netlink
from custom_components.homeport.line.carriers import by_provisioning, by_reverse_name
from custom_components.homeport.outside import check_host, echoip, globalping, portchecker
from custom_components.homeport.outside.echo import read_address
from custom_components.homeport.outside.errors import OtherAddress, OutsideInvalid
from custom_components.homeport.outside.exchange import parse_json
from custom_components.homeport.outside.home_gateway import parse_check
from custom_components.homeport.outside.names import parse_txt, valid_name
from custom_components.homeport.outside.natpmp_probe import parse_answer
from custom_components.homeport.outside.prober import ProbeTransport, Question
from custom_components.homeport.outside.second_hop import parse_error
from custom_components.homeport.outside.stun_message import decode_response

from .fuzz import EXAMPLES

SEED = int(os.environ.get("HOMEPORT_FUZZ_SEED", "1"))
INPUTS = max(EXAMPLES, 2000)
ID = bytes(range(12))
STUN = bytes.fromhex("0101000c2112a442") + ID + bytes.fromhex("0020000800010000ea12d545")
STUN6 = bytes.fromhex("010100182112a442") + ID + bytes.fromhex("002000140002") + bytes(18)
# A dump of a kernel, cut into its messages by hand: an IPv6 address with cache info and flags.
ADDRESS = bytes.fromhex(
    "48000000140002000100000001000000 0a408000 02000000"
    "14000100 240b00103f6cd4000000000000000010"
    "14000600 ffffffffffffffff0000000000000000 08000800 80000000".replace(" ", "")
)
RDNSS = bytes.fromhex(
    "2c0000004400000001000000010000000a001800020000008600000019030000000007082a00"
    "00770077000100000000000000010000"
)
NONCE = bytes(range(12))
PCP_REQUEST = pcp_message.MapRequest(Transport.TCP, 8123, 18123, 3600, NONCE)
PCP = bytes.fromhex("028100000000025800000007000000000000000000000000") + NONCE
PCP += bytes.fromhex("060000001fbb46cb00000000000000000000ffff0b162101")
PCP_ANNOUNCE = bytes.fromhex("02800000000000000000002a") + bytes(12)
NAT_PMP_MAP = bytes.fromhex("008200000000002a1fbb46cb00000e10")
NAT_PMP_ADDRESS = bytes.fromhex("008000000000002a0b162101")
TARGET = ip_address("106.72.63.108")
PROBED = Question(ProbeTransport.TCP, TARGET, 8123)
GLOBALPING = (
    b'{"id":"a","type":"ping","target":"106.72.63.108","status":"finished",'
    b'"measurementOptions":{"protocol":"TCP","port":8123},"results":[{"result":'
)
GLOBALPING_REPLY = (
    b'{"status":"finished","resolvedAddress":"106.72.63.108",'
    b'"timings":[{"rtt":20.5}],"stats":{"rcv":1}}}]}'
)
GLOBALPING_ERROR = b'{"status":"failed","rawOutput":"connect ECONNREFUSED 106.72.63.108:8123"}}]}'
SPECIAL = (b"", b"\x00", b"\xff", b"\x00" * 64, b"\xff" * 64, b"%s%n", b"../", b"\r\n", b"\xc3\x28")


def _netlink(data: bytes) -> None:
    for message in netlink.messages(data):
        for parse in (netlink.link, netlink.address, netlink.neighbour, netlink.route):
            parse(message)
        netlink.name_servers(message)


def _text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: parse(data.decode("utf-8", "replace"))


def _json(parse: Callable[[object], object]) -> Callable[[bytes], object]:
    return lambda data: parse(parse_json(data))


@dataclass(frozen=True, slots=True)
class Parser:
    """A parser, good messages to begin with, and the only errors that it may raise."""

    parse: Callable[[bytes], object]
    good: Sequence[bytes]
    errors: tuple[type[Exception], ...] = ()


PARSERS = {
    "STUN": Parser(lambda data: decode_response(data, ID), (STUN, STUN6), (OutsideInvalid,)),
    "JSONP": Parser(
        parse_check,
        (b'homeport({"name":"v6plus","version":"1","status":"ON"});', b"homeport({})"),
    ),
    "echo, IPv4": Parser(
        _text(lambda text: read_address(text, 4)),
        (b"106.72.63.108\n", b'{"ip":"106.72.63.108"}', b"h=x\nip=106.72.63.108\n"),
        (OutsideInvalid,),
    ),
    "echo, IPv6": Parser(
        _text(lambda text: read_address(text, 6)),
        (b"240b:10:3f6c:d400::1", b'{"ip":"240b:10:3f6c:d400::1"}'),
        (OutsideInvalid,),
    ),
    "echoip": Parser(
        _json(lambda said: echoip.parse_answer(said, TARGET, 8123)),
        (b'{"ip":"106.72.63.108","port":8123,"reachable":true}',),
        (OutsideInvalid, OtherAddress),
    ),
    "portchecker": Parser(
        _json(lambda said: portchecker.parse_answer(said, TARGET, 8123)),
        (
            b'{"error":false,"host":"106.72.63.108","check":[{"port":8123,"status":true}]}',
            b'[{"port":8123,"status":false}]',
        ),
        (OutsideInvalid, OtherAddress),
    ),
    "check-host, start": Parser(
        _json(check_host.parse_start),
        (b'{"ok":1,"request_id":"4f96","nodes":{"a":["xx"],"b":[]}}',),
        (OutsideInvalid,),
    ),
    "check-host": Parser(
        _json(lambda said: check_host.parse_result(said, ("a", "b"), TARGET)),
        (
            b'{"a":[{"address":"106.72.63.108","time":0.02}],"b":null}',
            b'{"a":[{"error":"Connection refused"}],"b":[{"error":"Connection timed out"}]}',
        ),
        (OutsideInvalid, OtherAddress),
    ),
    "Globalping": Parser(
        _json(lambda said: globalping.parse_result(said, "a", PROBED)),
        (GLOBALPING + GLOBALPING_REPLY, GLOBALPING + GLOBALPING_ERROR),
        (OutsideInvalid, OtherAddress),
    ),
    "TXT": Parser(lambda data: parse_txt([data]), (b"v=v6mig-1 url=https://a.example/ t=b",)),
    "provisioning": Parser(
        _text(by_provisioning), (b"v=v6mig-1 url=https://prod.v6mig.v6connect.net/cpe t=b",)
    ),
    "PTR": Parser(
        _text(lambda text: by_reverse_name(valid_name(text) or "")),
        (b"1.2.3.4.shared.user.transix.jp.", b"p123-ipoe.ipoe.ocn.ne.jp"),
    ),
    "netlink": Parser(_netlink, (ADDRESS, RDNSS, ADDRESS + RDNSS)),
    "NAT-PMP": Parser(parse_answer, (bytes.fromhex("0080000000000001") + bytes(4),)),
    "NAT-PMP mapping": Parser(
        lambda data: natpmp_message.decode_map(data, Transport.TCP, 8123),
        (NAT_PMP_MAP,),
        (NatPmpRefused,),
    ),
    "PCP mapping": Parser(
        lambda data: pcp_message.decode_map(data, PCP_REQUEST),
        (PCP, PCP + bytes.fromhex("01000010") + bytes(16)),
        (PcpRefused, InvalidAnswer),
    ),
    "announcement": Parser(
        lambda data: parse_announcement(data, 0.0), (PCP_ANNOUNCE, NAT_PMP_ADDRESS)
    ),
    "error queue": Parser(
        lambda data: parse_error(socket.IPPROTO_IP, socket.IP_RECVERR, data),
        (bytes.fromhex("71000000020b00000000000000000000020000000a000001") + bytes(8),),
    ),
}


def mutated(good: bytes, chance: random.Random) -> bytes:
    """Return a message that was good once."""
    data = bytearray(good)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0 if data:
                data[at % len(data)] = chance.randrange(256)
            case 1:
                del data[at:]
            case 2:
                data[at:at] = chance.choice(SPECIAL)
            case 3:
                data[at : at + chance.randint(1, 8)] = chance.randbytes(chance.randint(0, 8))
            case _:
                data += data[: chance.randint(0, 64)]
    return bytes(data[:70_000])


@pytest.mark.parametrize("name", PARSERS)
def test_anything_is_taken(name: str) -> None:
    parser, chance = PARSERS[name], random.Random(SEED)

    def feed(count: int) -> None:
        for _ in range(count):
            data = mutated(chance.choice(parser.good), chance)
            try:
                parser.parse(data)
            except parser.errors:
                continue

    feed(500)  # what is kept once, such as compiled patterns
    gc.collect()
    tracemalloc.start()
    try:
        before, begin = tracemalloc.get_traced_memory()[0], time.perf_counter()
        feed(INPUTS)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    seconds = time.perf_counter() - begin
    sys.stdout.write(f"{name}: {INPUTS} inputs, {seconds:.1f} s, {grown} bytes more\n")
    # Caches with a limit fill up; what is kept of every input would be twenty times as much.
    assert grown < 64 * 1024 + 2 * INPUTS


@pytest.mark.parametrize("name", PARSERS)
def test_good_messages_are_understood(name: str) -> None:
    """What is mutated is really what the parsers are for."""
    parser = PARSERS[name]
    if name == "netlink":
        [first] = [netlink.address(each) for each in netlink.messages(ADDRESS)]
        assert first is not None
        return
    results = [parser.parse(good) for good in parser.good]
    assert any(result is not None for result in results)
