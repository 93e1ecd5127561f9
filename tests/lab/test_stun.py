"""A real STUN server behind a real NAT says what the line looks like from outside."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address
import socket
import time
from typing import Any

import pytest

from custom_components.homeport.outside import (
    OutsideUnreachable,
    StunServer,
    binding,
    sample,
)
from custom_components.homeport.outside.stun_message import decode_response, encode_request

from .build import Lab
from .coturn import Coturn
from .fixtures import MakeLab
from .home import LAN6, NET, NET6, WAN, home
from .host import Host

COTURN = Coturn(namespace="net", addresses=(NET, NET6))


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab) -> Lab:
    return make_lab(home(COTURN))


@contextmanager
def rules(host: Host, chain: str) -> Iterator[None]:
    """Give a machine one more chain of nftables for as long as the context lasts."""
    table = f"table inet more {{\n chain more {{\n {chain}\n }}\n }}\n"
    host.run("nft", "-f", "-", stdin=table)
    try:
        yield
    finally:
        host.run("nft", "delete", "table", "inet", "more")


async def on[**P, T](
    host: Host, ask: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Ask from a machine: in a thread and an event loop of its own, inside its network."""

    def run() -> T:
        with host.inside():
            return asyncio.run(ask(*args, **kwargs))

    return await asyncio.to_thread(run)


async def test_the_wan_address_is_what_is_seen(lab: Lab) -> None:
    bound = await on(lab["lan"], binding, StunServer(NET), 4, local_port=40123)
    # Linux keeps the port where it can.
    assert (bound.address, bound.port, bound.local_port) == (IPv4Address(WAN), 40123, 40123)


async def test_over_ipv6_the_own_address_is_seen(lab: Lab) -> None:
    bound = await on(lab["lan"], binding, StunServer(NET6), 6)
    assert (bound.address, bound.port) == (IPv6Address(LAN6), bound.local_port)
    sampled = await on(lab["lan"], sample, [StunServer(NET6)], 6)
    assert (sampled.address, len(sampled.ports)) == (IPv6Address(LAN6), 12)


async def test_the_ports_of_a_sample_are_spread(lab: Lab) -> None:
    begin = time.monotonic()
    sampled = await on(lab["lan"], sample, [StunServer(NET)], 4, 16)
    took = time.monotonic() - begin
    assert (sampled.address, sampled.contradicting) == (IPv4Address(WAN), False)
    assert len({mapped // 4096 for _, mapped in sampled.ports}) == 16
    assert took < 1


async def test_ports_of_a_port_set_stay_in_it(lab: Lab) -> None:
    """As behind a router whose NAT may use 4096 ports only."""
    nat = "type nat hook postrouting priority srcnat - 1; oifname wan0 udp dport 3478"
    with rules(lab["rtr"], f"{nat} masquerade to :8192-12287"):
        sampled = await on(lab["lan"], sample, [StunServer(NET)], 4)
    assert len(sampled.ports) == 12
    assert {mapped // 4096 for _, mapped in sampled.ports} == {2}
    assert len({local // 4096 for local, _ in sampled.ports}) == 12


async def test_a_server_that_is_down_is_unreachable_at_once(lab: Lab) -> None:
    lab.stop(COTURN)
    try:
        for address, family in ((NET, 4), (NET6, 6)):
            begin = time.monotonic()
            with pytest.raises(OutsideUnreachable):
                await on(lab["lan"], binding, StunServer(address), family)
            assert time.monotonic() - begin < 0.5
            assert not (await on(lab["lan"], sample, [StunServer(address)], family)).answered
    finally:
        lab.start(COTURN)
    assert (await on(lab["lan"], binding, StunServer(NET), 4)).address == IPv4Address(WAN)


async def test_a_line_that_swallows_udp_is_unreachable_in_time(lab: Lab) -> None:
    with rules(lab["net"], "type filter hook input priority filter; udp dport 3478 drop"):
        begin = time.monotonic()
        with pytest.raises(OutsideUnreachable):
            await on(lab["lan"], binding, StunServer(NET), 4)
        assert time.monotonic() - begin < 3
        assert not (await on(lab["lan"], sample, [StunServer(NET)], 4)).answered
        assert time.monotonic() - begin < 6


async def test_no_route_is_unreachable_at_once(lab: Lab) -> None:
    begin = time.monotonic()
    with pytest.raises(OutsideUnreachable):
        await on(lab["net"], binding, StunServer("106.72.63.108"), 4)
    assert time.monotonic() - begin < 0.5


async def test_a_server_with_two_addresses_names_the_other(lab: Lab) -> None:
    """RFC 5780: it can be made to answer from there."""
    net, second = lab["net"], "11.22.33.3"
    net.run("ip", "address", "add", f"{second}/24", "dev", "eth0")
    both = Coturn(namespace="net", label="both", addresses=(NET, second), port=3500)
    lab.start(both)
    try:
        with lab["lan"].new_socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(2)
            sock.connect((NET, both.port))
            sock.send(encode_request(b"twelve bytes"))
            mapped = decode_response(sock.recv(1500), b"twelve bytes")
        assert mapped is not None
        assert mapped.address == IPv4Address(WAN)
        assert mapped.other == (IPv4Address(second), both.port + 1)
    finally:
        lab.stop(both)
        net.run("ip", "address", "del", f"{second}/24", "dev", "eth0")
