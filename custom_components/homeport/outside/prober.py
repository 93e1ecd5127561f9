"""What a prober is asked, and what it answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from .family import Family, IPAddress


class ProbeTransport(StrEnum):
    """Over what a prober knocks."""

    TCP = "TCP"
    UDP = "UDP"


class Outcome(StrEnum):
    """What a prober has met at a port.

    - `accepted`: a connection was accepted (TCP), or a datagram was answered (UDP)
    - `refused`: a TCP reset or an ICMP "port unreachable" came back
    - `timed_out`: nothing came back
    - `unreachable`: somebody on the way says that the host is not there; also what a prober says
      that knows no more than that the connection was not accepted
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask.

    - `address`, `port`: what is under test, as the internet sees it
    - `source`: our own address to ask from: a prober that dials its caller dials what it sees there
    - `nonce`: 16 bytes that a listener of ours at this port sends to whoever connects, or answers
      to whoever sends them (UDP); None where a service of somebody's listens
    """

    transport: ProbeTransport
    address: IPAddress
    port: int
    source: IPAddress | None = None
    nonce: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. `nonce_seen`: the prober met our listener, and nobody else's."""

    outcome: Outcome
    nonce_seen: bool = False


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a prober can do.

    - `own_address_only`: it dials whoever asks, and nobody else
    - `tells_why`: it tells a refused connection from one that timed out
    - `public`: what it finds is shown to everybody
    - `sees_nonce`: it reads what the listener says
    """

    transports: frozenset[ProbeTransport]
    families: frozenset[Family]
    own_address_only: bool
    tells_why: bool
    public: bool
    sees_nonce: bool

    def can(self, question: Question) -> bool:
        """Say whether a question can be put to it at all."""
        return self.cover(question.transport, question.address.version)

    def cover(self, transport: ProbeTransport, family: Family) -> bool:
        """Say whether any question over these can be put to it."""
        return transport in self.transports and family in self.families


@dataclass(frozen=True, slots=True)
class Limit:
    """How often it may be asked: `burst` times at once, and then once in `seconds`."""

    burst: int
    seconds: float


class Prober(Protocol):
    """A service outside that tries to connect to us."""

    @property
    def kind(self) -> str:
        """The name of its kind, as options and texts have it."""

    @property
    def key(self) -> str:
        """What tells it from others of its kind, for its limit: no secret."""

    @property
    def abilities(self) -> Abilities:
        """What it can do."""

    @property
    def limit(self) -> Limit:
        """How often it may be asked."""

    async def check(self, question: Question) -> Answer:
        """Let it knock. Raises OtherAddress when it tried another address, else OutsideError."""


TCP_ONLY: Final = frozenset({ProbeTransport.TCP})
BOTH_FAMILIES: Final[frozenset[Family]] = frozenset({4, 6})
