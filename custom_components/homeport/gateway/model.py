"""What a gateway is asked for and what it tells."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address
from typing import Protocol


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


@dataclass(frozen=True, slots=True)
class PortMapping:
    """A port mapping as read from the gateway; `lease` is what is left, in seconds, 0 = forever."""

    protocol: Transport
    external_port: int
    internal_client: str
    internal_port: int
    description: str
    enabled: bool
    lease: int

    def is_of(self, opening: Opening) -> bool:
        """Say whether this is provably that opening: description, client and port all match."""
        return (
            (self.protocol, self.external_port) == opening.key
            and self.internal_client == str(opening.internal_client)
            and self.internal_port == opening.internal_port
            and self.description == opening.description
        )


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

    async def open(self, opening: Opening, lease: int) -> None:
        """Add or refresh a mapping for `lease` seconds."""

    async def close(self, key: MappingKey) -> None:
        """Delete a mapping. One that is not there is no error."""
