"""RFC 2136 messages: an UPDATE signed with TSIG, and what the server's answer to it means.

Importing this module imports dnspython, and reading an answer may import more of it (a class per
record type, on first sight): both belong in a thread, never in the event loop.
"""

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.tsig
import dns.update

from .provider import Answer, AuthRefused, ConfigRefused, DdnsError, Target, Unavailable, words

_REFUSED_KEY = (
    dns.tsig.PeerError,  # BADSIG, BADKEY, BADTRUNC of the server (RFC 8945 section 5.2)
    dns.tsig.BadSignature,
    dns.tsig.BadKey,
    dns.tsig.BadAlgorithm,
)


class Updates:
    """Writes the updates and reads the answers of one key."""

    def __init__(self, name: str, secret: str, algorithm: str, ttl: int) -> None:
        """Take the key (`secret` in base64) and the TTL of the records in seconds."""
        self._key = dns.tsig.Key(name, secret, algorithm)
        self._ttl = ttl

    def sign(self, zone: str, hostname: str, target: Target) -> tuple[bytes, bytes]:
        """Return one UPDATE that sets the known records of the name, and its MAC.

        Each record set is deleted and added anew (RFC 2136 sections 2.5.1 and 2.5.2); the server
        does all of it or nothing.
        """
        update = dns.update.UpdateMessage(zone, keyring=self._key)
        name = dns.name.from_text(hostname)
        if target.ipv4 is not None:
            update.replace(name, self._ttl, "A", str(target.ipv4))
        if target.ipv6 is not None:
            update.replace(name, self._ttl, "AAAA", str(target.ipv6))
        return update.to_wire(), update.mac or b""

    def read(self, mac: bytes, wire: bytes) -> Answer:
        """Return the success that a signed answer to the UPDATE with this MAC means, or raise.

        NOERROR does not say whether anything changed (RFC 2136 section 3.4): it is taken for a
        change, because asking for the records first would double the way to the server.
        """
        try:
            answer = dns.message.from_wire(wire, keyring=self._key, request_mac=mac)
        except (dns.tsig.PeerBadTime, dns.tsig.BadTime) as err:
            # A machine without a battery clock has the wrong time until it has asked for it.
            raise Unavailable(type(err).__name__, translation_key="clock_skew") from None
        except _REFUSED_KEY as err:
            raise AuthRefused(type(err).__name__) from None
        except dns.exception.DNSException, ValueError:
            raise _unsigned(wire) from None
        error = _error(answer.rcode())
        if error is not None:
            raise error
        return Answer(changed=True, reply="NOERROR")


def _error(rcode: dns.rcode.Rcode) -> DdnsError | None:
    """Tell what a response code means (RFC 2136 section 2.2)."""
    if rcode == dns.rcode.NOERROR:
        return None
    text = words(dns.rcode.to_text(rcode))
    return Unavailable(text) if rcode == dns.rcode.SERVFAIL else ConfigRefused(text)


def _unsigned(wire: bytes) -> DdnsError:
    """Tell what an answer means that proves nothing: its code if it is a refusal, never success."""
    code = dns.rcode.Rcode(wire[3] & 0x0F) if len(wire) > 3 else dns.rcode.NOERROR
    return _error(code) or ConfigRefused("unsigned answer", translation_key="unsigned_answer")
