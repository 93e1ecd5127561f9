"""A router that advertises itself (RFC 4861): python -m tests.lab.advertiser --help.

The hosts of its link make themselves addresses in the prefix (RFC 4862). After POST /prefix on the
control port, with another one in the body, the one before is deprecated at once, as when a line is
renumbered.
"""

from argparse import ArgumentParser
import asyncio
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path
import socket
import struct

from tests.fakes.command import control_post, wait_for_end
from tests.fakes.server import Page

from .python_module import PythonModule

CONTROL_PORT = 8083

_ADVERTISEMENT = 134
_ICMP6_FILTER = 1  # linux/icmpv6.h; the socket module has no name for it
_ALL_NODES = "ff02::1"
_VALID, _PREFERRED = 7200, 3600
_ROUTER_LIFETIME = 1800
_EVERY = 3.0
"""Seconds between two advertisements, the least that RFC 4861 section 6.2.1 has."""


def advertiser(interface: str, prefix: str, *, namespace: str = "rtr") -> PythonModule:
    """Return the daemon that advertises a /64, given by its four groups, on an interface.

    The router's address in the prefix, ::1, is announced as the name server.
    """
    return PythonModule(
        namespace=namespace,
        module="tests.lab.advertiser",
        arguments=("--interface", interface, "--prefix", f"{prefix}::/64"),
        listens=(("127.0.0.1", CONTROL_PORT),),
    )


@dataclass(slots=True)
class Advertiser:
    """Sends advertisements on one interface. Must run as root."""

    interface: str
    prefix: IPv6Network
    mtu: int = 1500
    before: IPv6Network | None = None
    """The prefix that is deprecated."""

    def message(self) -> bytes:
        """Return the advertisement as ICMPv6 (RFC 4861 section 4.2)."""
        mac = bytes.fromhex(
            Path(f"/sys/class/net/{self.interface}/address").read_text().strip().replace(":", "")
        )
        message = struct.pack("!BBHBBHII", _ADVERTISEMENT, 0, 0, 64, 0, _ROUTER_LIFETIME, 0, 0)
        message += struct.pack("!BB6s", 1, 1, mac)
        message += struct.pack("!BBHI", 5, 1, 0, self.mtu)
        message += _prefix(self.prefix, _PREFERRED)
        if self.before:
            message += _prefix(self.before, 0)
        return message + _name_server(self.prefix[1], _ROUTER_LIFETIME)

    async def run(self, sock: socket.socket) -> None:
        """Advertise until cancelled."""
        while True:
            self.send(sock)
            await asyncio.sleep(_EVERY)

    def send(self, sock: socket.socket) -> None:
        """Advertise once."""
        sock.sendto(self.message(), (_ALL_NODES, 0))

    def change(self, prefix: IPv6Network) -> None:
        """Announce another prefix, and deprecate the present one."""
        if prefix != self.prefix:
            self.before, self.prefix = self.prefix, prefix


def _prefix(prefix: IPv6Network, preferred: int) -> bytes:
    """Return the option for a prefix that is on the link and for addresses (section 4.6.2)."""
    flags = 0xC0
    head = struct.pack("!BBBBIII", 3, 4, prefix.prefixlen, flags, _VALID, preferred, 0)
    return head + prefix.network_address.packed


def _name_server(address: IPv6Address, lifetime: int) -> bytes:
    """Return the option for one name server (RFC 8106 section 5.1)."""
    return struct.pack("!BBHI", 25, 3, 0, lifetime) + address.packed


def _open(interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    index = socket.if_nametoindex(interface)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    # Hosts believe no advertisement that may have passed a router (section 6.1.2).
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    # A bit that is set keeps that type of message out (RFC 3542 section 3.2): this only sends.
    sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, bytes([0xFF] * 32))
    return sock


async def main() -> None:
    """Run until SIGTERM or SIGINT."""
    options = ArgumentParser(prog="python -m tests.lab.advertiser", description=__doc__)
    options.add_argument("--interface", required=True)
    options.add_argument("--prefix", type=IPv6Network, required=True)
    options.add_argument("--mtu", type=int, default=1500)
    options.add_argument("--control-port", type=int, default=CONTROL_PORT)
    chosen = options.parse_args()
    advertiser = Advertiser(chosen.interface, chosen.prefix, chosen.mtu)
    with closing(_open(chosen.interface)) as sock:

        async def change(body: str) -> None:
            advertiser.change(IPv6Network(body.strip()))
            advertiser.send(sock)

        routes = [control_post("/prefix", change)]
        async with asyncio.TaskGroup() as group, Page(routes, port=chosen.control_port) as page:
            task = group.create_task(advertiser.run(sock))
            await wait_for_end(f"ready {page.url}")
            task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
