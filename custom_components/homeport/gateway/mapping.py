"""What gateways answer about a mapping, read with care."""

from collections.abc import Mapping
from typing import Final

from .errors import InvalidAnswer
from .markup import children, local_name, parse
from .model import UNKNOWN_LEASE, PortMapping, Transport

_LONGEST_LEASE = 0x7FFF_FFFF  # a negative number in an unsigned one's clothes is beyond
_LONGEST_TEXT = 256
"""Characters that are kept of a text. A hostile table could fill the memory with them."""
_ANY_HOST: Final = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104 - nothing binds to it


def parse_mapping(said: Mapping[str, str], key: tuple[Transport, int] | None = None) -> PortMapping:
    """Return the mapping that an answer or an entry of a list tells.

    `key` is what was asked for, where the answer does not repeat it (GetSpecificPortMappingEntry).
    Raises InvalidAnswer.
    """
    try:
        protocol, external_port = key or (
            Transport(said["NewProtocol"].upper()),
            int(said["NewExternalPort"]),
        )
        internal_port = int(said["NewInternalPort"])
        client = said["NewInternalClient"][:_LONGEST_TEXT]
    except (KeyError, ValueError) as err:
        raise InvalidAnswer(type(err).__name__) from err
    remote_host = said.get("NewRemoteHost", "")[:_LONGEST_TEXT]
    return PortMapping(
        protocol=protocol,
        external_port=external_port,
        internal_client=client,
        internal_port=internal_port,
        description=_description(said)[:_LONGEST_TEXT],
        enabled=said.get("NewEnabled", "1").lower() in {"1", "true", "yes"},
        lease=_lease(said.get("NewLeaseDuration") or said.get("NewLeaseTime", "")),
        remote_host="" if key or remote_host in _ANY_HOST else remote_host,
    )


def parse_listing(text: str) -> list[PortMapping]:
    """Return the entries of a NewPortListing (WANIPConnection:2 section 2.3.26).

    An entry that is none hides none of the others. Raises InvalidAnswer.
    """
    found = []
    for element in parse(text).iter():
        if local_name(element) == "PortMappingEntry":
            try:
                found.append(parse_mapping(children(element)))
            except InvalidAnswer:
                continue
    return found


def _description(said: Mapping[str, str]) -> str:
    return said.get("NewPortMappingDescription") or said.get("NewDescription", "")


def _lease(said: str) -> int:
    """Return the seconds; what is negative, missing or no number says nothing."""
    try:
        seconds = int(said)
    except ValueError:
        return UNKNOWN_LEASE
    return seconds if 0 <= seconds <= _LONGEST_LEASE else UNKNOWN_LEASE
