"""The address this machine uses towards another one."""

from ipaddress import IPv4Address, IPv6Address
import socket

# Any port will do: a datagram socket that is only connected sends nothing.
_DISCARD_PORT = 9


def source_address(towards: str) -> IPv4Address:
    """Return the IPv4 address the kernel would send from to reach the literal address `towards`.

    Raises OSError when there is no route, or when `towards` is not an IPv4 address.
    """
    return IPv4Address(_source(socket.AF_INET, towards))


def source_address6(towards: str) -> IPv6Address:
    """Return the IPv6 address the kernel would send from to reach the literal address `towards`.

    Raises OSError when there is no route, or when `towards` is not an IPv6 address.
    """
    return IPv6Address(_source(socket.AF_INET6, towards).partition("%")[0])


def _source(family: int, towards: str) -> str:
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((towards, _DISCARD_PORT))
        return str(sock.getsockname()[0])
