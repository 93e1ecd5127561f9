"""The address that this machine is reached at by another one is the one it sends from."""

import _socket
from ipaddress import IPv4Address, IPv6Address
import shutil
import socket
import subprocess
import sys

import pytest

from custom_components.homeport.host import source_address
from custom_components.homeport.host.source import source_address6

ALONE = """
from custom_components.homeport.host import source_address
try:
    print(source_address("198.51.100.1"))
except OSError as err:
    print(type(err).__name__)
"""


@pytest.fixture(autouse=True)
def _ask_the_kernel(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow every address: nothing is sent."""
    monkeypatch.setattr(socket.socket, "connect", _socket.socket.connect)


@pytest.mark.parametrize("towards", ["127.0.0.1", "127.0.0.2", "127.255.255.254"])
def test_loopback_is_reached_from_loopback(towards: str) -> None:
    assert source_address(towards).is_loopback


def test_it_is_the_address_of_the_interface_towards_the_other() -> None:
    assert source_address("127.0.0.1") == IPv4Address("127.0.0.1")


@pytest.mark.parametrize("towards", ["::1", "fe80::1", "255.255.255.255"])
def test_what_cannot_be_sent_to_is_an_os_error(towards: str) -> None:
    with pytest.raises(OSError, match=r".+"):
        source_address(towards)


def test_ipv6() -> None:
    try:
        assert source_address6("::1") == IPv6Address("::1")
    except OSError:
        pytest.skip("this machine has no IPv6")


@pytest.mark.parametrize("towards", ["127.0.0.1", "0.0.0.0", "fe80::1"])
def test_what_is_no_ipv6_or_has_no_interface_is_an_os_error(towards: str) -> None:
    with pytest.raises(OSError, match=r".+"):
        source_address6(towards)


def test_no_route_is_an_os_error() -> None:
    """In a network of its own, without any interface that is up."""
    unshare = shutil.which("unshare")
    alone = [unshare or "unshare", "--user", "--net", sys.executable, "-c", ALONE]
    if unshare is None or subprocess.run([*alone[:3], "true"], check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    ran = subprocess.run(alone, check=True, capture_output=True, text=True)
    assert ran.stdout == "OSError\n"
