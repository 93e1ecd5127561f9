"""The MTU that a TCP connection over loopback has arrived at. The lab measures path MTUs."""

import asyncio
import socket

import pytest

from custom_components.homeport.host import mtu_from_mss, path_mtu

pytestmark = pytest.mark.usefixtures("asking")

# The MSS that one end offers, which is what the other one then sends at most.
OFFERED = 1414


@pytest.mark.parametrize(
    ("address", "header"), [("127.0.0.1", 40), ("::1", 60), ("::ffff:127.0.0.1", 40)]
)
def test_what_the_other_end_offers(address: str, header: int) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server,
        socket.socket(family) as client,
    ):
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, OFFERED)
        client.connect((address, server.getsockname()[1]))
        assert mtu_from_mss(client) == OFFERED + header


async def test_the_socket_of_a_stream() -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1") as server:
        server.sockets[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, OFFERED)
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        assert mtu_from_mss(writer.get_extra_info("socket")) == OFFERED + 40
        writer.close()
        await writer.wait_closed()


def test_no_connection_has_no_mtu() -> None:
    for family, kind in (
        (socket.AF_INET, socket.SOCK_STREAM),
        (socket.AF_INET6, socket.SOCK_STREAM),
        (socket.AF_INET, socket.SOCK_DGRAM),
        (socket.AF_UNIX, socket.SOCK_STREAM),
    ):
        with socket.socket(family, kind) as sock:
            assert mtu_from_mss(sock) is None
    assert mtu_from_mss(sock) is None  # it is closed


@pytest.mark.parametrize("target", ["", "example.org", "192.0.2.300", "fe80::1%"])
async def test_the_path_to_a_name_is_not_measured(target: str) -> None:
    with pytest.raises(ValueError, match="address"):
        await path_mtu(target)


async def test_no_route_has_no_mtu() -> None:
    """Broadcast needs a leave that is not asked for."""
    assert await path_mtu("255.255.255.255") is None
