"""A name server on loopback that answers as a test wants it to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, override

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

type Answer = Callable[[dns.message.Message], dns.message.Message | bytes | None]
"""What to send back: a message, any bytes, or nothing."""
type Zone = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Records by name and type, as in a zone file."""


def from_zone(zone: Zone) -> Answer:
    """Answer the truth: records, "no such record", or "no such name"."""

    def answer(query: dns.message.Message) -> dns.message.Message:
        [question] = query.question
        name = question.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.rdtype)
        response = dns.message.make_response(query)
        if name not in zone:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif kind in zone[name]:
            records = zone[name][kind]
            response.answer = [dns.rrset.from_text(question.name, 60, "IN", kind, *records)]
        elif "CNAME" in zone[name]:
            response.answer = [
                dns.rrset.from_text(question.name, 60, "IN", "CNAME", *zone[name]["CNAME"])
            ]
        return response

    return answer


def with_code(code: dns.rcode.Rcode) -> Answer:
    """Answer every question with an error."""

    def answer(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(code)
        return response

    return answer


def silent(query: dns.message.Message) -> None:
    """Answer nothing."""


class _Server(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._transport: Any = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = self._answer(dns.message.from_wire(data))
        if answer is not None:
            wire = answer if isinstance(answer, bytes) else answer.to_wire()
            self._transport.sendto(wire, addr)


@asynccontextmanager
async def name_server(answer: Answer) -> AsyncIterator[str]:
    """Serve over UDP; yields where, as LineNames takes it."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Server(answer), local_addr=("127.0.0.1", 0)
    )
    try:
        yield "127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
