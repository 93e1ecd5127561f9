"""The kernel's language for links, addresses, neighbours and routes: rtnetlink.

Layouts and numbers are those of the Linux user API: linux/netlink.h, rtnetlink.h, if_link.h,
if_addr.h and neighbour.h. Numbers are in the machine's byte order. What is cut off or does not fit
is left out: nothing here raises, whatever the bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
import struct
from sys import byteorder
from typing import Final

from .model import AddressFlag, IPAddress

_IPV4: Final = 2  # AF_INET
_IPV6: Final = 10  # AF_INET6

_MULTI: Final = 0x2  # NLM_F_MULTI: more belong to this answer, up to DONE
_INTERRUPTED: Final = 0x10  # NLM_F_DUMP_INTR: something changed while it was told
_REQUEST: Final = 0x1  # NLM_F_REQUEST
_DUMP: Final = 0x300  # NLM_F_DUMP: tell all there is

_ETHERNET: Final = 1  # ARPHRD_ETHER, linux/if_arp.h; Wi-Fi and bridges as well
_LOOPBACK: Final = 772  # ARPHRD_LOOPBACK

_FLAGS: Final = sum(AddressFlag)  # all that have a name

_UNICAST: Final = 1  # RTN_UNICAST, the only type of route that leads to another machine
_KNOWN: Final = 0x9E  # NUD_REACHABLE, STALE, DELAY, PROBE and PERMANENT: with a link address
_ROUTER: Final = 0x80  # NTF_ROUTER
_MAC_SIZE: Final = 6
_FOR_EVER: Final = 0xFFFFFFFF  # of a lifetime in seconds, here and in RFC 8106
_ROUTER_ADVERTISEMENT: Final = 134  # RFC 4861 section 4.2
_RDNSS: Final = 25  # RFC 8106 section 5.1

_HEADER: Final = struct.Struct("=IHHII")  # nlmsghdr, 16: length, type, flags, sequence, port
_ATTRIBUTE: Final = struct.Struct("=HH")  # rtattr, 4: length, type
_TYPE_MASK: Final = 0x3FFF  # NLA_TYPE_MASK: the other two bits say what the content is like
_LINK: Final = struct.Struct("=BxHiII")  # ifinfomsg, 16: family, type, index, flags, change
_ADDRESS: Final = struct.Struct("=BBBBI")  # ifaddrmsg, 8: family, prefix, flags, scope, index
_NEIGHBOUR: Final = struct.Struct("=BxxxiHBB")  # ndmsg, 12: family, index, state, flags, type
# rtmsg, 12: family, target prefix, source prefix, TOS, table, protocol, scope, type, flags
_ROUTE: Final = struct.Struct("=BBBBBBBBI")
# nduseroptmsg, 16: family, length of options, index, ICMP type, ICMP code
_OPTIONS: Final = struct.Struct("=BxHiBB6x")
_LIFETIMES: Final = struct.Struct("=II8x")  # ifa_cacheinfo, 16: preferred, valid, two time stamps
_UINT32: Final = struct.Struct("=I")
_INT32: Final = struct.Struct("=i")
_RDNSS_HEAD: Final = struct.Struct("!BBHI")  # RFC 8106 section 5.1, 8: type, length, -, lifetime


class Kind(IntEnum):
    """The types of messages that are sent or understood (NLMSG_*, RTM_*)."""

    ERROR = 2
    DONE = 3
    NEW_LINK = 16
    GET_LINK = 18
    NEW_ADDRESS = 20
    GET_ADDRESS = 22
    NEW_ROUTE = 24
    GET_ROUTE = 26
    NEW_NEIGHBOUR = 28
    GET_NEIGHBOUR = 30
    NEW_OPTIONS = 68  # RTM_NEWNDUSEROPT


_DUMPED: Final = {
    Kind.GET_LINK: _LINK,
    Kind.GET_ADDRESS: _ADDRESS,
    Kind.GET_NEIGHBOUR: _NEIGHBOUR,
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `kind` is a number, since the kernel has more of them than `Kind`."""

    kind: int
    flags: int
    sequence: int
    body: bytes

    @property
    def last(self) -> bool:
        """Whether it ends an answer."""
        return self.kind in {Kind.DONE, Kind.ERROR} or not self.flags & _MULTI

    @property
    def interrupted(self) -> bool:
        """Whether the answer that it belongs to may contradict itself."""
        return bool(self.flags & _INTERRUPTED)

    @property
    def error(self) -> int:
        """The errno that ends an answer; 0 for success."""
        if self.kind not in {Kind.DONE, Kind.ERROR} or len(self.body) < _INT32.size:
            return 0
        return abs(int(_INT32.unpack_from(self.body)[0]))


@dataclass(frozen=True, slots=True)
class LinkSaid:
    """An interface."""

    index: int
    name: str
    hardware: int

    @property
    def loopback(self) -> bool:
        """Whether it leads nowhere else."""
        return self.hardware == _LOOPBACK

    @property
    def ethernet(self) -> bool:
        """Whether it is Ethernet or looks like it, as Wi-Fi does."""
        return self.hardware == _ETHERNET


@dataclass(frozen=True, slots=True)
class AddressSaid:
    """An address of this machine; lifetimes are in seconds, None for ever."""

    index: int
    ip: IPAddress
    prefix_length: int
    flags: AddressFlag
    preferred: int | None
    valid: int | None


@dataclass(frozen=True, slots=True)
class NeighbourSaid:
    """Another machine on a link, whose link address is known."""

    index: int
    ip: IPAddress
    mac: str
    router: bool


@dataclass(frozen=True, slots=True)
class RouteSaid:
    """The way to another machine."""

    index: int
    gateway: IPAddress | None
    source: IPAddress | None


@dataclass(frozen=True, slots=True)
class NameServerSaid:
    """A name server that a router announces, for `lifetime` seconds; None for ever."""

    index: int
    ip: IPv6Address
    lifetime: int | None


def dump(kind: Kind, sequence: int) -> bytes:
    """Return the request to tell all links, addresses or neighbours, by their GET_ kind."""
    # Zeros ask for every family and every link.
    return _message(kind, _REQUEST | _DUMP, sequence, bytes(_DUMPED[kind].size))


def route_request(towards: IPAddress, sequence: int) -> bytes:
    """Return the request to tell the way that a packet of this machine would take."""
    packed = towards.packed
    body = _ROUTE.pack(_family(towards), len(packed) * 8, 0, 0, 0, 0, 0, 0, 0)
    body += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(packed), 1) + packed  # RTA_DST
    return _message(Kind.GET_ROUTE, _REQUEST, sequence, body)


def messages(data: bytes) -> Iterator[Message]:
    """Return the messages in one datagram, up to the first that is cut off."""
    offset = 0
    while len(data) - offset >= _HEADER.size:
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size or offset + length > len(data):
            return
        yield Message(kind, flags, sequence, data[offset + _HEADER.size : offset + length])
        offset += _aligned(length)


def link(message: Message) -> LinkSaid | None:
    """Return the interface that a NEW_LINK is about."""
    body = message.body
    if message.kind != Kind.NEW_LINK or len(body) < _LINK.size:
        return None
    family, hardware, index, _, _ = _LINK.unpack_from(body)
    name = _attributes(body, _LINK.size).get(3, b"").partition(b"\0")[0]  # IFLA_IFNAME
    # Of another family it is only what a bridge says of its port.
    return (
        LinkSaid(index, name.decode("utf-8", "replace"), hardware) if name and not family else None
    )


def address(message: Message) -> AddressSaid | None:
    """Return the address that a NEW_ADDRESS is about."""
    body = message.body
    if message.kind != Kind.NEW_ADDRESS or len(body) < _ADDRESS.size:
        return None
    family, prefix_length, short_flags, _, index = _ADDRESS.unpack_from(body)
    found = _attributes(body, _ADDRESS.size)
    # IFA_LOCAL, where there is one: IFA_ADDRESS is then the other end's.
    ip = _ip(family, found.get(2)) or _ip(family, found.get(1))
    if ip is None or prefix_length > ip.max_prefixlen:
        return None
    preferred, valid = _unpack(_LIFETIMES, found.get(6)) or (_FOR_EVER, _FOR_EVER)  # IFA_CACHEINFO
    (flags,) = _unpack(_UINT32, found.get(8)) or (short_flags,)  # IFA_FLAGS
    known = AddressFlag(flags & _FLAGS)
    return AddressSaid(index, ip, prefix_length, known, _lifetime(preferred), _lifetime(valid))


def neighbour(message: Message) -> NeighbourSaid | None:
    """Return the machine that a NEW_NEIGHBOUR is about, if its MAC address is known."""
    body = message.body
    if message.kind != Kind.NEW_NEIGHBOUR or len(body) < _NEIGHBOUR.size:
        return None
    family, index, state, flags, _ = _NEIGHBOUR.unpack_from(body)
    found = _attributes(body, _NEIGHBOUR.size)
    ip, mac = _ip(family, found.get(1)), found.get(2, b"")  # NDA_DST, NDA_LLADDR
    if ip is None or len(mac) != _MAC_SIZE or not any(mac) or not state & _KNOWN:
        return None
    return NeighbourSaid(index, ip, mac.hex(":"), bool(flags & _ROUTER))


def route(message: Message) -> RouteSaid | None:
    """Return the way that a NEW_ROUTE is about, if it leads to another machine."""
    body = message.body
    if message.kind != Kind.NEW_ROUTE or len(body) < _ROUTE.size:
        return None
    family, *_, route_type, _ = _ROUTE.unpack_from(body)
    found = _attributes(body, _ROUTE.size)
    index = _unpack(_INT32, found.get(4))  # RTA_OIF
    if route_type != _UNICAST or index is None:
        return None
    gateway = _ip(family, found.get(5)) or _via(found.get(18))  # RTA_GATEWAY, RTA_VIA
    return RouteSaid(index[0], gateway, _ip(family, found.get(7)))  # RTA_PREFSRC


def name_servers(message: Message) -> tuple[NameServerSaid, ...]:
    """Return the name servers in a router advertisement's options (RFC 8106 section 5.1)."""
    body = message.body
    if message.kind != Kind.NEW_OPTIONS or len(body) < _OPTIONS.size:
        return ()
    family, length, index, icmp_type, _ = _OPTIONS.unpack_from(body)
    if family != _IPV6 or icmp_type != _ROUTER_ADVERTISEMENT:
        return ()
    return tuple(
        NameServerSaid(index, ip, _lifetime(lifetime))
        for lifetime, ip in _rdnss(body[_OPTIONS.size : _OPTIONS.size + length])
    )


def _rdnss(options: bytes) -> Iterator[tuple[int, IPv6Address]]:
    """Return lifetime and address of each name server in options of neighbour discovery."""
    offset = 0
    while len(options) - offset >= _RDNSS_HEAD.size:
        kind, units, _, lifetime = _RDNSS_HEAD.unpack_from(options, offset)
        end = offset + units * 8  # RFC 4861 section 4.6
        if not units or end > len(options):
            return
        if kind == _RDNSS:
            for start in range(offset + _RDNSS_HEAD.size, end - 15, 16):
                ip = IPv6Address(options[start : start + 16])
                if not (ip.is_multicast or ip.is_unspecified or ip.is_loopback):
                    yield lifetime, ip
        offset = end


def _message(kind: Kind, flags: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def _attributes(body: bytes, offset: int) -> dict[int, bytes]:
    """Return the content of each attribute by its type, up to the first that is cut off."""
    found: dict[int, bytes] = {}
    while len(body) - offset >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < _ATTRIBUTE.size or offset + length > len(body):
            break
        found.setdefault(kind & _TYPE_MASK, body[offset + _ATTRIBUTE.size : offset + length])
        offset += _aligned(length)
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def _unpack(layout: struct.Struct, content: bytes | None) -> tuple[int, ...] | None:
    if content is None or len(content) < layout.size:
        return None
    return layout.unpack_from(content)


def _lifetime(seconds: int) -> int | None:
    return None if seconds == _FOR_EVER else seconds


def _family(ip: IPAddress) -> int:
    return _IPV4 if isinstance(ip, IPv4Address) else _IPV6


def _ip(family: int, content: bytes | None) -> IPAddress | None:
    if content is None:
        return None
    if family == _IPV4 and len(content) == 4:
        return IPv4Address(content)
    if family == _IPV6 and len(content) == 16:
        return IPv6Address(content)
    return None


def _via(content: bytes | None) -> IPAddress | None:
    """Return the router in an rtvia: the family in 2 bytes, then an address of that family."""
    if content is None or len(content) < 2:
        return None
    return _ip(int.from_bytes(content[:2], byteorder), content[2:])
