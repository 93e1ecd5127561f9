"""What a port can lead to, as the user writes it: an address, a MAC address or a name."""

from enum import StrEnum
from ipaddress import IPv4Address
import re
from typing import Final

from .line import AddressKind, address_kind

_NO_DEVICE: Final = frozenset(
    {AddressKind.SPECIAL, AddressKind.MULTICAST, AddressKind.DOCUMENTATION, AddressKind.NONE}
)
_MAC: Final = re.compile(
    "(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\\.){2}[0-9a-f]{4}"
)
_LONGEST_NAME: Final = 253  # RFC 1035 section 2.3.4, without the last dot
_LABEL: Final = re.compile("[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123 section 2.1
_GROUP_BIT: Final = 0x01  # IEEE 802: of the first octet; no single device


class TargetKind(StrEnum):
    """How a target is named."""

    ADDRESS = "address"
    MAC = "mac"
    MDNS_NAME = "mdns_name"
    DNS_NAME = "dns_name"


def parse_target(text: str) -> tuple[TargetKind, str]:
    """Return how a text names a device at home, and the name as it is kept.

    MAC addresses are kept in lower case with colons, names in lower case without a last dot. Names
    under "local" are for multicast DNS (RFC 6762 section 3). Raises ValueError for any other text.
    """
    text = text.strip().lower()
    if _MAC.fullmatch(text):
        return TargetKind.MAC, _mac(text)
    name = text.removesuffix(".")
    labels = name.split(".")
    if labels[-1].isdigit():  # RFC 1123 section 2.1: no name ends like that
        address = IPv4Address(text)
        if not may_be_device(address):
            raise ValueError("not the address of a device")
        return TargetKind.ADDRESS, str(address)
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("not a name")
    if labels[-1] == "localhost" or labels == ["local"]:  # RFC 6761 section 6.3
        raise ValueError("not the name of a device")
    return (TargetKind.MDNS_NAME if labels[-1] == "local" else TargetKind.DNS_NAME), name


def may_be_device(address: IPv4Address) -> bool:
    """Say whether a device at home can have an address."""
    return address_kind(address) not in _NO_DEVICE


def _mac(text: str) -> str:
    octets = bytes.fromhex(re.sub("[.:-]", "", text))
    if octets[0] & _GROUP_BIT or not any(octets):
        raise ValueError("not the MAC address of a device")
    return octets.hex(":")
