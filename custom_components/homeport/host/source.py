"""The address this machine uses towards another one."""

from ipaddress import IPv4Address
import socket

# Any port will do: a datagram socket that is only connected sends nothing.
_DISCARD_PORT = 9


def source_address(towards: str) -> IPv4Address:
    """Return the IPv4 address the kernel would send from to reach the literal address `towards`.

    Raises OSError when there is no route, or when `towards` is not an IPv4 address.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((towards, _DISCARD_PORT))
        return IPv4Address(sock.getsockname()[0])
