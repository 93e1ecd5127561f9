"""What a gateway is asked for and what it tells."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address
from typing import Final, Protocol


class Transport(StrEnum):
    """The protocol of a port."""

    TCP = "TCP"
    UDP = "UDP"


type MappingKey = tuple[Transport, int]
"""What makes a mapping unique on a gateway: protocol and external port (any remote host)."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A port mapping as we want it, or as we once asked for it."""

    protocol: Transport
    external_port: int
    internal_client: IPv4Address
    internal_port: int
    description: str

    @property
    def key(self) -> MappingKey:
        """Return what makes it unique on the gateway."""
        return self.protocol, self.external_port


UNKNOWN_LEASE: Final = -1
"""What `PortMapping.lease` is when the gateway says nothing that can be true."""
_SHORTEST_TAG: Final = 13
"""Characters of our description that a gateway has to keep for a mapping to be provably ours. Of
the tag "Homeport 1a2b3c4d" that leaves four digits of the instance's id."""


@dataclass(frozen=True, slots=True)
class PortMapping:
    """A port mapping as read from the gateway.

    `lease` is what is left, in seconds, 0 = forever, UNKNOWN_LEASE = not said. `remote_host` is the
    only one that may come in, "" = any.
    """

    protocol: Transport
    external_port: int
    internal_client: str
    internal_port: int
    description: str
    enabled: bool
    lease: int
    remote_host: str = ""

    @property
    def key(self) -> MappingKey:
        """Return what it is asked for by."""
        return self.protocol, self.external_port

    def is_of(self, opening: Opening) -> bool:
        """Say whether this is provably that opening: description, client and port all match.

        Some routers cut descriptions. One that was cut counts while what is left of it still tells
        whose it is: the rest of the proof, client and both ports, is always whole.
        """
        return (
            self.key == opening.key
            and not self.remote_host
            and self.internal_client == str(opening.internal_client)
            and self.internal_port == opening.internal_port
            and _is_tag(self.description, opening.description)
        )


def _is_tag(found: str, tag: str) -> bool:
    return found == tag or (len(found) >= _SHORTEST_TAG and tag.startswith(found))


@dataclass(frozen=True, slots=True)
class Granted:
    """What the gateway took: the external port, and for how many seconds, 0 = forever.

    A gateway may cut the lease without a word (miniupnpd 2.3.1 as IGD:2 makes a week of 0 and of
    anything longer, measured): what it really is has to be read back.
    """

    external_port: int
    lease: int


@dataclass(frozen=True, slots=True)
class WanStatus:
    """The internet side of the gateway, in the gateway's own words.

    `address` is None when the gateway names none; `connected` is None when it does not say.
    """

    connected: bool | None
    address: IPv4Address | None


@dataclass(frozen=True, slots=True)
class GatewayInfo:
    """Who the gateway is."""

    location: str
    udn: str
    name: str
    manufacturer: str
    model: str
    presentation_url: str | None


class Gateway(Protocol):
    """A router that can be asked and told things. Every method may raise GatewayError."""

    async def wan_status(self) -> WanStatus:
        """Ask for the state and the address of the internet side."""

    async def mapping(self, key: MappingKey) -> PortMapping | None:
        """Read one mapping back; None when there is none."""

    async def mappings(self, keys: Iterable[MappingKey] = ()) -> list[PortMapping]:
        """Read the whole table; only what is at `keys` where the gateway shows no more."""

    async def open(self, opening: Opening, lease: int) -> Granted:
        """Add or refresh a mapping for `lease` seconds, or for what the gateway takes instead."""

    async def open_any(
        self, opening: Opening, lease: int, candidates: Iterable[int] = ()
    ) -> Granted:
        """Add a mapping at its external port or, where that is not to be had, at another one."""

    async def close(self, key: MappingKey) -> None:
        """Delete a mapping. One that is not there is no error."""
