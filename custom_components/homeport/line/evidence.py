"""What was observed about the line."""

from dataclasses import dataclass
from ipaddress import IPv4Address


@dataclass(frozen=True, slots=True)
class GatewayEvidence:
    """What the gateway said last, and `since` when, in seconds of a clock that is never set."""

    connected: bool | None
    address: IPv4Address | None
    since: float


@dataclass(frozen=True, slots=True)
class EchoEvidence:
    """What the outside echo said last; no address when it could not be asked.

    `secure` tells whether it came over HTTPS, so that nobody on the way can have made it up.
    `time` is when it was asked, in seconds of the same clock as `GatewayEvidence.since`.
    """

    address: IPv4Address | None
    secure: bool
    time: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known. None stands for what there is not, was not asked, or did not answer.

    `silent_gateway` is what a gateway that does not answer now had said before. `gateway_pending`:
    there is a gateway that was not asked yet.
    """

    gateway_pending: bool = False
    gateway: GatewayEvidence | None = None
    silent_gateway: GatewayEvidence | None = None
    echo: EchoEvidence | None = None
