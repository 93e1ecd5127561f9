"""IPv6 pinholes (WANIPv6FirewallControl:1, the IPv6 side of an Internet Gateway Device).

Most gateways open a way to nobody but the address that asks for it, so everything is asked from the
address that is to be reached, whichever one the kernel would take by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address
from typing import Final, Self, override

from .bound import request_from
from .errors import ActionRefused, InvalidAnswer, UpnpCode
from .model import Transport
from .pinhole_url import SERVICE, find_control
from .soap import action_request, parse_answer

LONGEST_LEASE: Final = 86400
"""Seconds. Nothing stays open for ever: 0 and more than this is refused with 402."""

_PROTOCOL_NUMBERS = {Transport.TCP: 6, Transport.UDP: 17}  # IANA, Protocol Numbers
LARGEST_ID: Final = 65535  # a ui2
_FIRST_FREE_PORT = 1024  # those below are for machines that have signed in, as the standard has it
# miniupnpd 2.3.1 says 402 of an unknown id (measured). 606 means that the id has by now become that
# of another machine, as happens after a restart.
_NOT_OURS = frozenset({UpnpCode.INVALID_ARGS, UpnpCode.NOT_AUTHORIZED, UpnpCode.NO_SUCH_ENTRY})
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Pinhole:
    """A way from anywhere on the internet to one port of one machine.

    Port 0 would stand for all its ports; that is a ValueError, like any other that is none.
    """

    client: IPv6Address
    port: int
    protocol: Transport

    def __post_init__(self) -> None:
        """Refuse what is no port."""
        if not 0 < self.port < 65536:
            raise ValueError(self.port)


@dataclass(frozen=True, slots=True)
class FirewallStatus:
    """What a gateway says of its IPv6 firewall.

    `enabled`: it keeps things out; `pinholes_allowed`: it can be asked for ways in.
    """

    enabled: bool
    pinholes_allowed: bool


class Forbidden(StrEnum):
    """What may be the reason that a pinhole was forbidden, as far as this side can tell."""

    OTHER_HOST = "other_host"
    LOW_PORT = "low_port"
    NOT_PERMITTED = "not_permitted"


class PinholeForbidden(ActionRefused):
    """The gateway opens this pinhole only by hand, in its own pages; its explanation says how."""

    def __init__(self, pinhole: Pinhole, reason: Forbidden) -> None:
        """Take what was asked for."""
        super().__init__(UpnpCode.NOT_AUTHORIZED)
        self.translation_key = f"pinhole_{reason}"
        self.pinhole = pinhole
        self.reason = reason

    @property
    @override
    def placeholders(self) -> dict[str, str]:
        """Return the code, and what has to be entered by hand."""
        return {
            **super().placeholders,
            "client": str(self.pinhole.client),
            "port": str(self.pinhole.port),
            "protocol": self.pinhole.protocol.value,
        }


class PinholeControl:
    """The IPv6 firewall of a gateway, told things from one address of this machine.

    There is no list of pinholes to read: who opens one has to remember its id and the end of its
    lease. After a restart of the gateway the ids begin anew, so those from before mean nothing.
    """

    def __init__(self, source: IPv6Address, url: str) -> None:
        """Take the address to ask from and the control URL."""
        self.source = source
        self.url = url

    @classmethod
    async def connect(cls, source: IPv6Address, locations: Iterable[str]) -> Self | None:
        """Look for the firewall in the descriptions at these URLs, see `pinhole_url.at_hosts`.

        Returns None where the gateway has no such service; raises GatewayError where no gateway
        answers.
        """
        url = await find_control(source, locations)
        return cls(source, url) if url else None

    async def firewall(self) -> FirewallStatus:
        """Ask for the state of the firewall. Raises GatewayError."""
        answer = await self._call("GetFirewallStatus")
        try:
            return FirewallStatus(
                enabled=_FLAGS[answer["FirewallEnabled"].lower()],
                pinholes_allowed=_FLAGS[answer["InboundPinholeAllowed"].lower()],
            )
        except KeyError as err:
            raise InvalidAnswer from err

    async def add(self, pinhole: Pinhole, lease: int) -> int:
        """Open a pinhole for `lease` seconds, from 1 to LONGEST_LEASE, and return its id.

        One that is open gets the new lease and keeps its id. Raises PinholeForbidden where it can
        only be opened by hand; ActionRefused, above all with 402 for a lease that the gateway does
        not take, 701 where it has no room, 702 where the firewall is off, 703 where pinholes are
        not allowed; any other GatewayError.
        """
        try:
            answer = await self._call(
                "AddPinhole",
                # Any sender. With "::" miniupnpd 2.3.1 lets in that very address (measured).
                RemoteHost="",
                RemotePort=0,
                InternalClient=str(pinhole.client),
                InternalPort=pinhole.port,
                Protocol=_PROTOCOL_NUMBERS[pinhole.protocol],
                LeaseTime=lease,
            )
        except ActionRefused as err:
            if err.code == UpnpCode.NOT_AUTHORIZED:
                raise PinholeForbidden(pinhole, self._reason(pinhole)) from err
            raise
        return _parse_id(answer.get("UniqueID", ""))

    async def update(self, unique_id: int, lease: int) -> bool:
        """Let a pinhole end `lease` seconds from now, and say whether there still is one.

        Raises GatewayError.
        """
        try:
            await self._call("UpdatePinhole", UniqueID=unique_id, NewLeaseTime=lease)
        except ActionRefused as err:
            if err.code not in _NOT_OURS:
                raise
            # It may be about the lease as well.
            if err.code == UpnpCode.INVALID_ARGS and await self.exists(unique_id):
                raise
            return False
        return True

    async def delete(self, unique_id: int) -> None:
        """Close a pinhole. One that is not there is no error. Raises GatewayError."""
        try:
            await self._call("DeletePinhole", UniqueID=unique_id)
        except ActionRefused as err:
            if err.code not in _NOT_OURS:
                raise

    async def exists(self, unique_id: int) -> bool:
        """Say whether this machine has a pinhole of that id. Raises GatewayError."""
        try:
            await self._call("GetPinholePackets", UniqueID=unique_id)
        except ActionRefused as err:
            if err.code in _NOT_OURS:
                return False
            raise
        return True

    def _reason(self, pinhole: Pinhole) -> Forbidden:
        if pinhole.client != self.source:
            return Forbidden.OTHER_HOST
        return Forbidden.LOW_PORT if pinhole.port < _FIRST_FREE_PORT else Forbidden.NOT_PERMITTED

    async def _call(self, action: str, **arguments: str | int) -> dict[str, str]:
        request = action_request(self.url, SERVICE, action, arguments)
        return parse_answer(action, await request_from(self.source, request))


def _parse_id(text: str) -> int:
    """Return a UniqueID. Raises InvalidAnswer."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):
        raise InvalidAnswer
    if (unique_id := int(text)) > LARGEST_ID:
        raise InvalidAnswer
    return unique_id
