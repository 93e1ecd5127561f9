"""Asking and telling the gateway by the Port Control Protocol (RFC 6887)."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from .datagram import WITHIN, Asker, IPAddress, heard
from .epoch import Epoch
from .errors import GatewayError, PcpRefused
from .model import Transport
from .pcp_message import (
    Assigned,
    MapRequest,
    PcpResult,
    decode_announce,
    decode_map,
    encode_announce,
    encode_map,
)

PROBE_WITHIN: Final = 1.0
"""Seconds to find out whether PCP is spoken."""
LONGEST_LIFETIME: Final = 86400
"""Seconds believed, whatever is granted: who grants years is asked again all the same."""

# What a gateway says that does not know PREFER_FAILURE.
_NO_OPTION: Final = {PcpResult.UNSUPP_OPTION, PcpResult.MALFORMED_OPTION}


@dataclass(frozen=True, slots=True)
class Announced:
    """A gateway that speaks PCP. `epoch` is None when it refuses to say more than that."""

    epoch: Epoch | None


@dataclass(frozen=True, slots=True)
class PcpMapping:
    """What the gateway has granted; for IPv6 the external address and port are the host's own.

    `lifetime` is in seconds; to be renewed between a half and five eighths of it (section 11.2.1).
    """

    external_address: IPAddress
    external_port: int
    lifetime: int
    epoch: Epoch


class PcpClient:
    """Talks to one gateway over one family. It keeps nothing: not the nonces either."""

    def __init__(
        self, gateway: IPAddress, *, source: IPAddress | None = None, within: float = WITHIN
    ) -> None:
        """Take the gateway's address, for IPv6 normally a link-local one with its interface.

        `source` is the own address that is asked from and opened for, by default what the kernel
        chooses: over IPv6 that may be a temporary address, or a link-local one. `within` are the
        seconds that a request takes at most, once it is its turn.
        """
        self._asker = Asker(gateway, source, within)

    async def probe(self, within: float = PROBE_WITHIN) -> Announced | None:
        """Return what the gateway says to ANNOUNCE; None when it does not speak version 2."""
        try:
            seconds = await self._asker.ask(encode_announce, decode_announce, within=within)
        except PcpRefused as err:
            return None if err.code == PcpResult.UNSUPP_VERSION else Announced(None)
        except GatewayError:
            return None
        return Announced(heard(seconds))

    async def map(
        self,
        protocol: Transport,
        internal_port: int,
        external_port: int,
        lifetime: int,
        nonce: bytes,
        *,
        client: IPAddress | None = None,
        suggested_address: IPAddress | None = None,
        exact: bool = False,
    ) -> PcpMapping:
        """Open a port for this host, or for another one, `client`; or renew it by the same nonce.

        `lifetime` is in seconds, more than 0. `external_port` is a wish, 0 for none; over IPv6 it
        has to be the internal port, since only a firewall is opened there. `exact` asks the
        gateway to refuse rather than to take another external port. Some do not know that, and
        some do not care: the port that was assigned has to be looked at in any case. Raises
        PcpRefused, InvalidAnswer, GatewayUnreachable, ValueError.
        """
        if lifetime <= 0:
            raise ValueError("not a lifetime")
        request = MapRequest(
            protocol,
            internal_port,
            external_port,
            lifetime,
            nonce,
            client=client,
            address=suggested_address,
            exact=exact,
        )
        try:
            assigned = await self._ask(request)
        except PcpRefused as err:
            if not exact or err.code not in _NO_OPTION:
                raise
            assigned = await self._ask(replace(request, exact=False))
        return PcpMapping(
            assigned.external_address,
            assigned.external_port,
            min(assigned.lifetime, LONGEST_LIFETIME),
            heard(assigned.epoch),
        )

    async def unmap(
        self,
        protocol: Transport,
        internal_port: int,
        nonce: bytes,
        *,
        client: IPAddress | None = None,
    ) -> None:
        """Close what was opened with this nonce. What is not there is no error (section 15.1).

        Raises PcpRefused, with NOT_AUTHORIZED when it was opened or renewed with another nonce;
        GatewayUnreachable, ValueError. miniupnpd 2.3.1 says NOT_AUTHORIZED as well to every IPv6
        pinhole that was ever renewed: such a one is left to lapse, after `map` with a lifetime
        of 1.
        """
        try:
            await self._ask(MapRequest(protocol, internal_port, 0, 0, nonce, client=client))
        except PcpRefused as err:
            # What miniupnpd 2.3.1 says where there is nothing to delete.
            if err.code != PcpResult.NO_RESOURCES:
                raise

    async def _ask(self, request: MapRequest) -> Assigned:
        return await self._asker.ask(
            partial(encode_map, request), lambda data: decode_map(data, request)
        )
