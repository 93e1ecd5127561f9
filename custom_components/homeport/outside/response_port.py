"""Proving a UDP port with a STUN server that answers to another port (RFC 5780)."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
import secrets
import socket
from typing import Final

from .errors import OtherAddress, OutsideInvalid, OutsideUnreachable
from .family import SOCKET_FAMILY, IPAddress
from .from_outside import IsOutside
from .own_port import own_socket
from .prober import BOTH_FAMILIES, Abilities, Answer, Limit, Outcome, ProbeTransport, Question
from .stun import StunServer
from .stun_ear import Ear, Endpoint, Heard, endpoint, hearing, persist, speaking
from .stun_message import ID_SIZE, Mapped, encode_request

KNOCKING: Final = 3.0
"""Seconds for a knock: four requests."""
WITHIN: Final = 9.0
"""Seconds in all, a look-up of the server's name and two ordinary bindings included."""


class StunProber:
    """A STUN server that can be made to knock at a UDP port.

    A Binding request with RESPONSE-PORT and CHANGE-REQUEST makes the server send its response to
    any port of the address that the request came from, out of its other address and port. What is
    then heard at the port under test has come in by an opening, and not by the state that a NAT or
    a firewall keeps for what we have sent: nothing was ever sent from that port, nor to where the
    response comes from by the socket that asks. (Whoever has used the port a moment before may
    have left such a state in a NAT with endpoint-independent filtering, RFC 4787 section 5. And a
    router remembers a knock itself, Linux for 30 s: an opening that has led to another port within
    that time may still do so for the next knock, which is then not heard.)

    That nothing is heard says nothing where the server does not do such things. So it knocks, by a
    request of the very same kind, at a second port as well, of which the way in is known to be
    open: that of a socket of ours which has just spoken to the server's other address. Only when
    that knock was heard, and the other was not, the port is closed.
    """

    kind: Final = "stun"
    abilities: Final = Abilities(
        transports=frozenset({ProbeTransport.UDP}),
        families=BOTH_FAMILIES,
        own_address_only=True,
        tells_why=False,
        public=False,
        sees_nonce=True,
    )
    # A proof takes the server about a dozen small packets.
    limit: Final = Limit(burst=10, seconds=6)

    def __init__(self, server: StunServer, is_outside: IsOutside) -> None:
        """Take the server, and what says whether an address is outside of the home."""
        self._server = server
        self._is_outside = is_outside

    @property
    def key(self) -> str:
        """The server's name and port."""
        return str(self._server)

    async def prove(self, question: Question, internal_port: int) -> Answer:
        """Knock at the question's port, and listen at `internal_port` of its `source`.

        `source` is the own address that the opening leads to. The transaction id takes the part of
        the nonce; the question's own is not used. The outcome is ACCEPTED, or TIMED_OUT where
        another knock has shown that the server does what it is asked. Nothing is knocked at unless
        the server sees us at the question's address: another one is another home.

        Raises PortInUse, AddressNotOwn or CannotListen for the internal port, OtherAddress when the
        server sees us at another address, OutsideUnreachable when it does not answer, and
        OutsideInvalid when it cannot do this, or is not outside. Raises ValueError for a question
        that it cannot be asked.
        """
        if question.source is None or not self.abilities.can(question):
            raise ValueError("not a question for a STUN server")
        if question.source.version != question.address.version:
            raise ValueError("two families")
        try:
            async with asyncio.timeout(WITHIN), AsyncExitStack() as stack:
                enter = stack.enter_async_context
                target = own_socket(ProbeTransport.UDP, question.source, internal_port)
                listening = await enter(hearing(target))
                peer = await self._resolve(question.address)
                asking = await enter(hearing(speaking(question.source, peer, question.port)))
                seen = await asking.binding()
                other = self._other(seen, peer)
                if seen.address != question.address:
                    raise OtherAddress
                open_ = await enter(hearing(speaking(question.source, other, question.port)))
                seen = await open_.binding()
                # A NAT with several addresses: the knock would be at somebody else's port.
                if seen.address != question.address:
                    raise OtherAddress
                return await _knock(
                    asking,
                    _Target(listening, question.port, other[0]),
                    _Target(open_, seen.port, other[0]),
                    question.address,
                )
        except OSError as err:  # TimeoutError is one of them
            raise OutsideUnreachable(type(err).__name__) from err

    async def _resolve(self, address: IPAddress) -> Endpoint:
        found = await asyncio.get_running_loop().getaddrinfo(
            self._server.host,
            self._server.port,
            family=SOCKET_FAMILY[address.version],
            type=socket.SOCK_DGRAM,
        )
        return endpoint(found[0][4])

    def _other(self, seen: Mapped, peer: Endpoint) -> Endpoint:
        """Return from where the server can be made to answer."""
        if seen.other is None or seen.other[0].version != peer[0].version:
            raise OutsideInvalid("a STUN server without another address")
        if seen.other[0] == peer[0] or seen.other[1] == peer[1]:
            raise OutsideInvalid("a STUN server whose other address is not another one")
        # Inside of the home no opening is needed to be heard.
        if not (self._is_outside(peer[0]) and self._is_outside(seen.other[0])):
            raise OutsideInvalid("a STUN server that is not outside")
        return seen.other


@dataclass(frozen=True, slots=True)
class _Target:
    """A port of the address under test, who hears what arrives there, and from whom it has to."""

    ear: Ear
    port: int
    knocker: IPAddress


async def _knock(asking: Ear, closed: _Target, open_: _Target, address: IPAddress) -> Answer:
    """Let the server knock at both targets, until the one that may be closed has heard it."""
    requests: list[bytes] = []
    arrivals: list[asyncio.Future[Heard]] = []
    strays: list[asyncio.Future[Heard]] = []
    for target in (closed, open_):
        transaction_id = secrets.token_bytes(ID_SIZE)
        requests.append(encode_request(transaction_id, knock_at=target.port))
        arrivals.append(target.ear.expect(transaction_id))
        strays.append(asking.expect(transaction_id))

    def send() -> None:
        for request in requests:
            asking.send(request)

    await persist(send, [arrivals[0], *strays], KNOCKING)
    if arrivals[0].done():
        _check(arrivals[0].result(), closed, address)
        return Answer(Outcome.ACCEPTED, nonce_seen=True)
    for stray in strays:
        if stray.done():
            stray.result().mapped()
            raise OutsideInvalid("a STUN server that does not answer to another port")
    if not arrivals[1].done():
        raise OutsideInvalid("a STUN server that does not knock at an open port either")
    _check(arrivals[1].result(), open_, address)
    return Answer(Outcome.TIMED_OUT)


def _check(heard: Heard, target: _Target, address: IPAddress) -> None:
    """Raise OutsideError unless this is what the server was asked for."""
    mapped = heard.mapped()
    # Its port may have been changed on the way: a NAT that remembers a like flow tells them apart.
    if heard.sender is None or heard.sender[0] != target.knocker:
        raise OutsideInvalid("a STUN response that does not come from the other address")
    if mapped.address != address:
        raise OtherAddress
