"""What is met at a port says what it says, and no more; nothing is left behind.

Other machines, their packet filters and their absence are tested in the lab.
"""

import asyncio
from contextlib import ExitStack
import errno
from ipaddress import IPv4Address, IPv6Address, ip_address
import os
from pathlib import Path
import socket

import pytest

from custom_components.homeport.host import service as module
from custom_components.homeport.host.listening import Transport
from custom_components.homeport.host.presence import Presence
from custom_components.homeport.host.rejection import Refusal, Rejection
from custom_components.homeport.host.service import SeenService, judge, service_seen

TCP, UDP = Transport
HERE = IPv4Address("127.0.0.1")
NAS, ROUTER, US = map(ip_address, ("192.168.1.20", "192.168.1.1", "192.168.1.10"))
S, R = SeenService, Refusal

pytestmark = pytest.mark.usefixtures("asking")


@pytest.mark.parametrize(
    ("transport", "sender", "refusal", "expected"),
    [
        (TCP, NAS, R.PORT, S.HOST_REJECTS),
        (UDP, NAS, R.PORT, S.DOWN),
        *((each, NAS, R.PROHIBITED, S.HOST_REJECTS) for each in Transport),
        *((each, NAS, R.ABSENT, S.HOST_REJECTS) for each in Transport),
        # This machine has searched in vain, or a router that the host is behind.
        *((each, US, R.ABSENT, S.HOST_ABSENT) for each in Transport),
        *((each, ROUTER, R.ABSENT, S.HOST_ABSENT) for each in Transport),
        # A packet filter on the way knows nothing of the service.
        *((each, ROUTER, R.PROHIBITED, None) for each in Transport),
        *((each, ROUTER, R.PORT, None) for each in Transport),
    ],
)
def test_rejections(
    transport: Transport, sender: IPv4Address, refusal: Refusal, expected: SeenService | None
) -> None:
    error = OSError(errno.EHOSTUNREACH, "")
    assert judge(error, Rejection(sender, refusal), transport, NAS) is expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ECONNREFUSED, S.DOWN),
        (errno.ENETUNREACH, None),
        (errno.EHOSTUNREACH, None),  # a route that refuses
        (errno.EACCES, None),
        (errno.EPERM, None),  # this machine's own packet filter
        (errno.EADDRNOTAVAIL, None),
    ],
)
def test_errors_without_a_rejection(number: int, expected: SeenService | None) -> None:
    assert judge(OSError(number, os.strerror(number)), None, TCP, NAS) is expected


@pytest.mark.parametrize("own", [True, False])
async def test_a_service_on_this_machine(*, own: bool) -> None:
    with socket.create_server((str(HERE), 0)) as server:
        port = server.getsockname()[1]
        assert await service_seen(TCP, HERE, port, own=own) is S.LISTENING
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1) == b""
    assert await service_seen(TCP, HERE, port, own=own) is S.DOWN


async def test_a_datagram_service_on_this_machine_is_not_disturbed() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((str(HERE), 0))
        port = sock.getsockname()[1]
        assert await service_seen(UDP, HERE, port, own=True) is S.LISTENING
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(1)
    assert await service_seen(UDP, HERE, port, own=True) is S.DOWN


@pytest.mark.parametrize("transport", Transport)
async def test_loopback_only(transport: Transport) -> None:
    kind = socket.SOCK_STREAM if transport is TCP else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind((str(HERE), 0))
        if transport is TCP:
            sock.listen()
        port = sock.getsockname()[1]
        other = IPv4Address("127.0.0.2")
        assert await service_seen(transport, other, port, own=True) is S.LOOPBACK_ONLY


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="there is no IPv6")
async def test_ipv6() -> None:
    here = IPv6Address("::1")
    with socket.create_server((str(here), 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]
        assert await service_seen(TCP, here, port, own=True) is S.LISTENING
        assert await service_seen(TCP, HERE, port, own=True) is S.LOOPBACK_ONLY
    assert await service_seen(TCP, here, port, own=True) is S.DOWN


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([Presence.CONFIRMED], S.SILENT),
        ([Presence.MISSING], S.HOST_ABSENT),
        ([None], S.SILENT),  # behind a router nobody knows
        ([Presence.IN_DOUBT, Presence.IN_DOUBT, Presence.MISSING], S.HOST_ABSENT),
        ([Presence.IN_DOUBT, Presence.CONFIRMED], S.SILENT),
        ([Presence.IN_DOUBT] * 1000, S.SILENT),
    ],
)
async def test_silence(
    told: list[Presence | None], expected: SeenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(told)

    async def presence(address: IPv4Address) -> Presence | None:
        assert address == HERE
        return next(answers)

    monkeypatch.setattr(module, "presence", presence)
    monkeypatch.setattr(module, "ANSWER_WITHIN", 0.05)
    monkeypatch.setattr(module, "SETTLED_WITHIN", 0.05)
    with socket.socket() as full:
        # A queue that is full: the kernel lets further connections wait.
        full.bind((str(HERE), 0))
        full.listen(0)
        with ExitStack() as stack:
            for _ in range(2):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            async with asyncio.timeout(2):
                seen = await service_seen(TCP, HERE, full.getsockname()[1], own=False)
    assert seen is expected
