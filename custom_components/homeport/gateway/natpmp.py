"""Asking and telling the gateway by the NAT Port Mapping Protocol (RFC 6886)."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from .datagram import WITHIN, Asker, heard
from .epoch import Epoch
from .errors import InvalidAnswer, NatPmpRefused
from .model import Transport
from .natpmp_message import (
    NETWORK_FAILURE,
    Mapped,
    decode_address,
    decode_map,
    encode_address_request,
    encode_map,
)

LONGEST_LIFETIME: Final = 86400
"""Seconds believed, whatever is granted: who grants years is asked again all the same."""


@dataclass(frozen=True, slots=True)
class NatPmpAddress:
    """The gateway's external address; None when it has none that could be mapped.

    `epoch` is None where the gateway says so by an error.
    """

    address: IPv4Address | None
    epoch: Epoch | None


@dataclass(frozen=True, slots=True)
class NatPmpMapping:
    """What the gateway has granted; `lifetime` is in seconds, to be renewed at half of it."""

    external_port: int
    lifetime: int
    epoch: Epoch


class NatPmpClient:
    """Talks to one gateway. It can open ports for this host alone, over IPv4 alone."""

    def __init__(
        self, gateway: IPv4Address, *, source: IPv4Address | None = None, within: float = WITHIN
    ) -> None:
        """Take the gateway's address, and the own one to ask from if it is not the kernel's choice.

        `within` are the seconds that a request takes at most, once it is its turn.
        """
        self._asker = Asker(gateway, source, within)

    async def external_address(self, within: float | None = None) -> NatPmpAddress:
        """Ask for the external address; the answer also says that NAT-PMP is spoken.

        Raises NatPmpRefused, GatewayUnreachable.
        """
        try:
            said = await self._asker.ask(
                lambda _: encode_address_request(), decode_address, within=within
            )
        except NatPmpRefused as err:
            if err.code == NETWORK_FAILURE:
                return NatPmpAddress(None, None)
            raise
        return NatPmpAddress(said.address, heard(said.epoch))

    async def map(
        self, protocol: Transport, internal_port: int, external_port: int, lifetime: int
    ) -> NatPmpMapping:
        """Open a port for this host, or renew it; `lifetime` is in seconds, more than 0.

        The gateway may assign another external port than the wished one, also because this host
        has opened the internal port before: it is for the caller to compare. Raises NatPmpRefused,
        InvalidAnswer when what is granted is no port or for no time, GatewayUnreachable,
        ValueError.
        """
        if lifetime <= 0:
            raise ValueError("not a lifetime")
        granted = await self._ask(protocol, internal_port, external_port, lifetime)
        if not (granted.external_port and granted.lifetime):
            raise InvalidAnswer("a mapping of nothing")
        lifetime = min(granted.lifetime, LONGEST_LIFETIME)
        return NatPmpMapping(granted.external_port, lifetime, heard(granted.epoch))

    async def unmap(self, protocol: Transport, internal_port: int) -> None:
        """Close what this host has opened. What is not there is no error (section 3.4).

        Raises NatPmpRefused, GatewayUnreachable, ValueError.
        """
        await self._ask(protocol, internal_port, 0, 0)

    async def _ask(
        self, protocol: Transport, internal_port: int, external_port: int, lifetime: int
    ) -> Mapped:
        request = encode_map(protocol, internal_port, external_port, lifetime)
        return await self._asker.ask(
            lambda _: request, lambda data: decode_map(data, protocol, internal_port)
        )
