"""Messages as the kernel writes them, made by hand from linux/rtnetlink.h and its neighbours."""

from ipaddress import ip_address
import struct

NEW_LINK, NEW_ADDRESS, NEW_ROUTE, NEW_NEIGHBOUR, NEW_OPTIONS = 16, 20, 24, 28, 68
ERROR, DONE = 2, 3
MULTI, INTERRUPTED = 0x02, 0x10

IPV4, IPV6 = 2, 10


def message(kind: int, body: bytes, *, flags: int = 0, sequence: int = 1) -> bytes:
    """Return a message with its header, padded to where the next one may begin."""
    head = struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0)
    return _padded(head + body)


def attribute(kind: int, content: bytes) -> bytes:
    """Return an attribute, padded to where the next one may begin."""
    return _padded(struct.pack("=HH", 4 + len(content), kind) + content)


def link(
    name: str = "eth0", *, index: int = 2, hardware: int = 1, family: int = 0, more: bytes = b""
) -> bytes:
    """Return an interface; `more` are attributes."""
    body = struct.pack("=BxHiII", family, hardware, index, 0x11043, 0)
    return message(NEW_LINK, body + more + attribute(3, name.encode() + b"\0"))


def address(
    ip: str,
    *more: bytes,
    prefix: int = 64,
    short_flags: int = 0x80,
    index: int = 2,
    family: int | None = None,
) -> bytes:
    """Return an address; `more` are attributes besides IFA_ADDRESS."""
    packed = ip_address(ip).packed
    family = family or (IPV4 if len(packed) == 4 else IPV6)
    body = struct.pack("=BBBBI", family, prefix, short_flags, 0, index)
    return message(NEW_ADDRESS, body + attribute(1, packed) + b"".join(more))


def lifetimes(preferred: int, valid: int) -> bytes:
    """Return IFA_CACHEINFO."""
    return attribute(6, struct.pack("=IIII", preferred, valid, 1234, 5678))


def neighbour(ip: str, mac: bytes | None, *, state: int = 0x02, flags: int = 0) -> bytes:
    """Return a neighbour on interface 2."""
    packed = ip_address(ip).packed
    family = IPV4 if len(packed) == 4 else IPV6
    body = struct.pack("=BxxxiHBB", family, 2, state, flags, 1) + attribute(1, packed)
    return message(NEW_NEIGHBOUR, body + (attribute(2, mac) if mac is not None else b""))


def route(*attributes: bytes, family: int = IPV4, route_type: int = 1) -> bytes:
    """Return the answer to a look-up."""
    bits = 32 if family == IPV4 else 128
    body = struct.pack("=BBBBBBBBI", family, bits, 0, 0, 254, 0, 0, route_type, 0)
    return message(NEW_ROUTE, body + b"".join(attributes))


def out_of(index: int) -> bytes:
    """Return RTA_OIF."""
    return attribute(4, struct.pack("=i", index))


def rdnss(lifetime: int, *servers: str) -> bytes:
    """Return the option of RFC 8106 section 5.1."""
    head = struct.pack("!BBHI", 25, 1 + 2 * len(servers), 0, lifetime)
    return head + b"".join(ip_address(each).packed for each in servers)


def options(
    content: bytes, *, length: int | None = None, index: int = 1, icmp_type: int = 134
) -> bytes:
    """Return the news of a router advertisement's options."""
    length = len(content) if length is None else length
    head = struct.pack("=BxHiBB6x", IPV6, length, index, icmp_type, 0)
    source = attribute(1, ip_address("fe80::1").packed)
    return message(NEW_OPTIONS, head + content + source)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
