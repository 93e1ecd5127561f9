"""What somebody asks to be done."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
import json
import re
from typing import Final

from .address import IPAddress
from .refused import Refused

MAX_BODY: Final = 1024
"""Bytes; a question has about two hundred."""

_NONCE: Final = re.compile(r"[0-9a-f]{32}")
_NAME: Final = re.compile(r"[a-z0-9_-]{1,32}")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_MEMBERS: Final = {"transport", "port", "nonce", "name", "address"}


class Transport(StrEnum):
    """Over what to knock."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True)
class Question:
    """At which port to knock, and how.

    - `nonce`: 16 bytes that show that it is the caller's own listener that was met
    - `name`: of those configured for the token; what it resolves to is meant
    - `address`: that is meant; None for the caller's own, or for the first that `name` resolves to
    """

    transport: Transport
    port: int
    nonce: bytes | None = None
    name: str | None = None
    address: IPAddress | None = None


def parse_question(body: bytes) -> Question:
    """Return the question that a body asks, strictly. Raises Refused ("bad_request")."""
    try:
        said = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise Refused(400, "bad_request") from None
    if not isinstance(said, dict) or not said.keys() <= _MEMBERS:
        raise Refused(400, "bad_request")
    transport, port = said.get("transport"), said.get("port")
    if transport not in ("tcp", "udp") or type(port) is not int or not 0 < port < 65536:
        raise Refused(400, "bad_request")
    nonce, name = _text(said.get("nonce"), _NONCE), _text(said.get("name"), _NAME)
    return Question(
        Transport(transport),
        port,
        None if nonce is None else bytes.fromhex(nonce),
        name,
        _address(said.get("address")),
    )


def parse_port(text: str) -> int:
    """Return the port of a path. Raises Refused ("bad_request")."""
    if not _PORT.fullmatch(text) or int(text) > 65535:
        raise Refused(400, "bad_request")
    return int(text)


def _text(said: object, pattern: re.Pattern[str]) -> str | None:
    if said is None:
        return None
    if not isinstance(said, str) or not pattern.fullmatch(said):
        raise Refused(400, "bad_request")
    return said


def _address(said: object) -> IPAddress | None:
    if said is None:
        return None
    try:
        address = ip_address(said) if isinstance(said, str) else None
    except ValueError:
        address = None
    if address is None or (isinstance(address, IPv6Address) and address.scope_id):
        raise Refused(400, "bad_request")
    return address
