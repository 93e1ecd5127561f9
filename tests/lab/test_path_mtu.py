"""The path MTU of real lines, measured by what real routers answer."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import socket
import time

import pytest

from custom_components.homeport.host import mtu_from_mss, path_mtu

from .access_line import FAR, FAR6, ip, line, within
from .build import Lab, build
from .fixtures import require
from .topology import Topology

CLAMP = """
table inet clamp {
  chain forward {
    type filter hook forward priority mangle;
    tcp flags & (syn|rst) == syn tcp option maxseg size set rt mtu
  }
}
"""
# Neither "packet too big" nor "time exceeded" is ever sent.
MUTE = """
table inet mute {
  chain output {
    type filter hook output priority 0;
    icmp type { destination-unreachable, time-exceeded } drop
    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded } drop
  }
}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    require({})
    with build(line(), tmp_path) as built:
        yield built


@contextmanager
def built(tmp_path: Path, topology: Topology) -> Iterator[Lab]:
    require({})
    with build(topology, tmp_path) as lab:
        yield lab


@pytest.mark.parametrize("mtu", [1500, 1460, 1454])
def test_path_mtu(tmp_path: Path, mtu: int) -> None:
    """By time exceeded behind the line where all fits, else by what the router says."""
    with built(tmp_path, line(mtu)) as lab:
        for far in (FAR, FAR6):
            began = time.monotonic()
            assert within(lab["lan"], path_mtu(far)) == mtu
            assert time.monotonic() - began < 0.2


def test_path_mtu_when_the_line_has_changed(lab: Lab) -> None:
    """What the kernel has learned before is not believed."""
    for router, mtu in (("1454", 1454), ("1500", 1500)):
        lab["rtr"].run("ip", "link", "set", "w0", "mtu", router)
        lab["isp"].run("ip", "link", "set", "a0", "mtu", router)
        assert within(lab["lan"], path_mtu(FAR)) == mtu
        assert within(lab["lan"], path_mtu(FAR6)) == mtu


def test_path_mtu_where_the_own_link_is_narrow(lab: Lab) -> None:
    ip(lab, "link set eth0 mtu 1400")
    assert within(lab["lan"], path_mtu(FAR)) == 1400
    assert within(lab["lan"], path_mtu(FAR6)) == 1400


def test_silence_is_no_path_mtu(tmp_path: Path) -> None:
    with built(tmp_path, line(1454, router=MUTE, provider=MUTE)) as lab:
        for far in (FAR, FAR6):
            began = time.monotonic()
            assert within(lab["lan"], path_mtu(far)) is None
            assert time.monotonic() - began < 0.7


def test_no_route_is_no_path_mtu(lab: Lab) -> None:
    ip(lab, "-4 route del default")
    assert within(lab["lan"], path_mtu(FAR)) is None


async def mss_mtu(lab: Lab, far: str) -> int | None:
    async with lab["far"].serve(b"hello", 8123, far):
        with lab["lan"].new_socket(socket.AF_INET6 if ":" in far else socket.AF_INET) as sock:
            assert mtu_from_mss(sock) is None
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, (far, 8123))
            return mtu_from_mss(sock)


@pytest.mark.parametrize("timestamps", ["0", "1"])
def test_mtu_from_a_clamped_mss(tmp_path: Path, timestamps: str) -> None:
    with built(tmp_path, line(1454, router=CLAMP)) as lab:
        with lab["lan"].inside():
            Path("/proc/sys/net/ipv4/tcp_timestamps").write_text(timestamps)
        assert asyncio.run(mss_mtu(lab, FAR)) == 1454
        assert asyncio.run(mss_mtu(lab, FAR6)) == 1454
