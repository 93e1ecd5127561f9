"""DNS messages for asking authoritative servers for addresses (RFC 1034, 1035).

Importing this module imports dnspython, and reading an answer may import more of it (a class per
record type, on first sight): both belong in a thread, never in the event loop.
"""

from dataclasses import dataclass
from ipaddress import ip_address

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from .family import Family, IPAddress

_KINDS: dict[Family, dns.rdatatype.RdataType] = {4: dns.rdatatype.A, 6: dns.rdatatype.AAAA}
_UDP_SIZE = 1232  # bytes that no link on the way has to cut: RFC 9715 section 3.1


@dataclass(frozen=True, slots=True)
class Said:
    """What an authoritative server says of a name, for one family.

    - `addresses`: those of the name, or of another one of the same zone that it is an alias of
    - `alias`: the name to go on with where the addresses are another zone's
    - `exists`: whether there is such a name, with or without addresses
    """

    addresses: frozenset[IPAddress] = frozenset()
    alias: str | None = None
    exists: bool = True


def question(name: str, family: Family) -> bytes:
    """Return a question to an authoritative server. Raises ValueError for what is no name."""
    try:
        message = dns.message.make_query(
            name, _KINDS[family], use_edns=0, payload=_UDP_SIZE, flags=0
        )
        return message.to_wire()
    except (dns.exception.DNSException, UnicodeError) as err:
        raise ValueError("not a domain name") from err


def read(request: bytes, zone: str, wire: bytes) -> Said | None:
    """Return what a server of `zone` answers to a question of ours.

    None when it says nothing of its own (not authoritative, RFC 1035 section 4.1.1: AA), refuses
    or fails, answers another question, or cannot be understood; whatever the bytes.
    """
    try:
        asked = dns.message.from_wire(request)
        answer = dns.message.from_wire(wire)
        if not isinstance(answer, dns.message.QueryMessage) or not asked.is_response(answer):
            return None
        if not answer.flags & dns.flags.AA or answer.rcode() not in _ANSWERS:
            return None
        return _read(answer, dns.name.from_text(zone))
    except dns.exception.DNSException, ValueError:
        return None


_ANSWERS = frozenset({dns.rcode.NOERROR, dns.rcode.NXDOMAIN})


def _read(answer: dns.message.QueryMessage, zone: dns.name.Name) -> Said:
    """Read an answer of an authority. Raises DNSException if it contradicts itself."""
    [asked] = answer.question
    chain = answer.resolve_chaining()
    # AA is about the first name only (RFC 1035 section 4.1.1). What is added about the names of
    # other zones is hearsay.
    own = chain.canonical_name.is_subdomain(zone)
    if own and chain.answer is not None:
        return Said(frozenset(ip_address(str(each)) for each in chain.answer))
    if own and answer.rcode() == dns.rcode.NXDOMAIN:  # of the last name, RFC 6604 section 2.1
        return Said(exists=False)
    if chain.canonical_name == asked.name:
        return Said()
    return Said(alias=chain.canonical_name.to_text(omit_final_dot=True))
