"""Taking a free port of one of our own addresses for a moment."""

import errno
from ipaddress import IPv6Address
import socket
from typing import Final

from .errors import OutsideError
from .family import SOCKET_FAMILY, IPAddress
from .prober import ProbeTransport

BACKLOG: Final = 8
"""Connections that wait to be accepted. Only a prober is expected."""

_KIND: Final = {
    ProbeTransport.TCP: socket.SOCK_STREAM,
    ProbeTransport.UDP: socket.SOCK_DGRAM,
}


class CannotListen(OutsideError):
    """The port cannot be taken, such as one below 1024 without the right to it."""

    translation_key = "outside_cannot_listen"


class PortInUse(CannotListen):
    """Something has the port: at this address, or at all of them."""

    translation_key = "outside_port_in_use"


class AddressNotOwn(CannotListen):
    """This machine does not have the address."""

    translation_key = "outside_address_not_own"


_ERRORS: Final = {errno.EADDRINUSE: PortInUse, errno.EADDRNOTAVAIL: AddressNotOwn}


def own_socket(transport: ProbeTransport, address: IPAddress, port: int) -> socket.socket:
    """Return a socket that listens at this address and port, and does not block.

    Raises PortInUse, AddressNotOwn or CannotListen, and ValueError for a port or an address at
    which more than one place would be heard: port 0, the unspecified address, a group.
    """
    if not 0 < port < 1 << 16:
        raise ValueError("not a port")
    if address.is_unspecified or address.is_multicast or int(address) == 0xFFFFFFFF:
        raise ValueError("not the address of a host")
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        raise ValueError("an IPv4 address inside of IPv6")
    try:
        sock = socket.socket(SOCKET_FAMILY[address.version], _KIND[transport])
        try:
            _listen(sock, transport, address, port)
        except BaseException:
            sock.close()
            raise
    except OSError as err:
        if kind := _ERRORS.get(err.errno or 0):
            raise kind(type(err).__name__) from err
        raise CannotListen(type(err).__name__) from err
    return sock


def _listen(sock: socket.socket, transport: ProbeTransport, address: IPAddress, port: int) -> None:
    sock.setblocking(False)
    if transport is ProbeTransport.TCP:
        # What is left of connections that are over (TIME-WAIT) takes the port for a minute, and
        # nobody listens there. Linux still refuses a port at which somebody does, be it at all
        # addresses. For UDP the option would let two have the port, so it is not set there.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((str(address), port))
    if transport is ProbeTransport.TCP:
        sock.listen(BACKLOG)
