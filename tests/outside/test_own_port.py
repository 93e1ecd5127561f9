"""A port is taken at one own address only, and never from somebody who has it."""

from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv6Address, ip_address
import socket

import pytest
import pytest_socket

from custom_components.homeport.outside.own_port import (
    AddressNotOwn,
    CannotListen,
    PortInUse,
    own_socket,
)
from custom_components.homeport.outside.prober import ProbeTransport

TCP, UDP = ProbeTransport.TCP, ProbeTransport.UDP
V4, V6 = IPv4Address("127.0.0.1"), IPv6Address("::1")
KIND = {TCP: socket.SOCK_STREAM, UDP: socket.SOCK_DGRAM}

both_transports = pytest.mark.parametrize("transport", [TCP, UDP])


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def service(
    stack: ExitStack, transport: ProbeTransport, host: str, port: int = 0, *options: int
) -> socket.socket:
    """Run what a service does to have a port; options are those of SOL_SOCKET, or V6ONLY off."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = stack.enter_context(socket.socket(family, KIND[transport]))
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    for option in options:
        sock.setsockopt(socket.SOL_SOCKET, option, 1)
    sock.bind((host, port))
    if transport is TCP:
        sock.listen()
    return sock


def port_of(sock: socket.socket) -> int:
    port = sock.getsockname()[1]
    assert isinstance(port, int)
    return port


@both_transports
def test_a_free_port_is_taken_at_this_address_only(
    stack: ExitStack, transport: ProbeTransport, unused_tcp_port: int, unused_udp_port: int
) -> None:
    port = unused_tcp_port if transport is TCP else unused_udp_port
    with own_socket(transport, V4, port) as sock:
        assert sock.getsockname() == ("127.0.0.1", port)
        assert sock.getblocking() is False
        assert port_of(service(stack, transport, "127.0.0.2", port))
    with own_socket(transport, V6, port) as sock:
        assert sock.getsockname()[:2] == ("::1", port)


@both_transports
@pytest.mark.parametrize("address", [V4, V6])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="plain"),
        pytest.param((socket.SO_REUSEADDR,), id="reuse of the address"),
        pytest.param((socket.SO_REUSEPORT,), id="reuse of the port"),
        pytest.param((socket.SO_REUSEADDR, socket.SO_REUSEPORT), id="both"),
    ],
)
@pytest.mark.parametrize("everywhere", ["own", "wildcard", "dual stack"])
def test_a_port_that_a_service_has_is_not_taken(
    stack: ExitStack,
    transport: ProbeTransport,
    address: IPv4Address | IPv6Address,
    options: tuple[int, ...],
    everywhere: str,
) -> None:
    wildcard = "0.0.0.0" if address == V4 else "::"
    host = {"own": str(address), "wildcard": wildcard, "dual stack": "::"}[everywhere]
    port = port_of(service(stack, transport, host, 0, *options))
    with pytest.raises(PortInUse) as caught:
        own_socket(transport, address, port)
    assert caught.value.translation_key == "outside_port_in_use"


@both_transports
def test_a_service_elsewhere_does_not_matter(
    stack: ExitStack, transport: ProbeTransport, unused_tcp_port: int, unused_udp_port: int
) -> None:
    port = unused_tcp_port if transport is TCP else unused_udp_port
    service(stack, transport, "127.0.0.2", port)
    own_socket(transport, V4, port).close()


def test_what_is_left_of_a_connection_does_not_keep_the_port() -> None:
    """Whoever closes first has the port in TIME-WAIT for a minute."""
    with ExitStack() as stack:
        server = service(stack, TCP, "127.0.0.1", 0, socket.SO_REUSEADDR)
        port = port_of(server)
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()
            assert client.recv(1) == b""
    with socket.socket() as plain, pytest.raises(OSError):
        plain.bind(("127.0.0.1", port))
    own_socket(TCP, V4, port).close()


@both_transports
@pytest.mark.parametrize("address", ["11.22.33.44", "2a00:77::1"])
def test_an_address_of_somebody_else_is_refused(transport: ProbeTransport, address: str) -> None:
    with pytest.raises(AddressNotOwn) as caught:
        own_socket(transport, ip_address(address), 40000)
    assert caught.value.translation_key == "outside_address_not_own"


def test_whatever_else_is_wrong_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "a port for the powerful only")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(CannotListen) as caught:
        own_socket(TCP, V4, 80)
    assert type(caught.value) is CannotListen
    assert caught.value.translation_key == "outside_cannot_listen"


@both_transports
@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"),
        *("::ffff:127.0.0.1", "::ffff:0.0.0.0"),
    ],
)
def test_more_than_one_host_is_never_listened_for(transport: ProbeTransport, address: str) -> None:
    with pytest.raises(ValueError):
        own_socket(transport, ip_address(address), 40000)


@both_transports
@pytest.mark.parametrize("port", [0, -1, 65536])
def test_no_port_is_never_listened_at(transport: ProbeTransport, port: int) -> None:
    """Port 0 would be any one."""
    with pytest.raises(ValueError):
        own_socket(transport, V4, port)


@pytest.fixture(autouse=True)
def _any_loopback(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the plugin has put there comes back after the test.
    monkeypatch.setattr(socket.socket, "connect", socket.socket.connect)
    pytest_socket.socket_allow_hosts(["127.0.0.1", "127.0.0.2", "::1"])
