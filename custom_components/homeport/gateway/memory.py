"""What is to be remembered of a gateway from one run to the next."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
import hashlib
from ipaddress import IPv4Address, IPv6Address
import secrets
from typing import Any, Final, Self

from .model import MappingKey, Opening, Transport

_SECRET_BYTES: Final = 16
_NONCE_BYTES: Final = 12  # RFC 6887 section 11.1
_END_OF_TIME: Final = 253_402_300_800  # the year 10000


class By(StrEnum):
    """The protocol by which a mapping was made."""

    IGD = "igd"
    PCP = "pcp"
    NAT_PMP = "nat_pmp"


@dataclass(frozen=True, slots=True)
class Grant:
    """A mapping that was asked for by a protocol which has no table to read.

    `ends` is in seconds since 1970: then it is gone, whatever became of it.
    """

    by: By
    opening: Opening
    ends: float


@dataclass(frozen=True, slots=True)
class Second:
    """A second router: where it is asked, and what address the first one has there."""

    router: IPv4Address
    wan: IPv4Address


@dataclass(slots=True)
class Memory:
    """What to know again after a restart.

    - `secret`: what the nonces of PCP come from, so that no other host can guess one
    - `lease_rule`: see `Igd`
    - `grants`: what was asked for by PCP or NAT-PMP and may still be open, by its key
    - `second`: the second router on which everything is opened as well, if there is one
    """

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(_SECRET_BYTES))
    lease_rule: int | None = None
    grants: dict[MappingKey, Grant] = field(default_factory=dict)
    second: Second | None = None

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read what was saved. A damaged part of it is as good as none."""
        memory = cls()
        with suppress(KeyError, TypeError, ValueError):
            secret = bytes.fromhex(stored["secret"])
            memory.secret = secret if len(secret) == _SECRET_BYTES else memory.secret
        rule = stored.get("lease_rule")
        if type(rule) is int and 0 <= rule < 1 << 31:
            memory.lease_rule = rule
        grants = stored.get("grants")
        for each in grants if isinstance(grants, list) else ():
            with suppress(KeyError, TypeError, ValueError):
                grant = Grant(
                    By(each["by"]), opening_from_dict(each["opening"]), _end(each["ends"])
                )
                memory.grants[grant.opening.key] = grant
        with suppress(KeyError, TypeError, ValueError):
            second = stored["second"]
            memory.second = Second(IPv4Address(second["router"]), IPv4Address(second["wan"]))
        return memory

    def to_dict(self) -> dict[str, Any]:
        """Return what is to be saved."""
        return {
            "secret": self.secret.hex(),
            "lease_rule": self.lease_rule,
            "grants": [
                {
                    "by": grant.by.value,
                    "opening": opening_to_dict(grant.opening),
                    "ends": int(grant.ends),
                }
                for grant in self.grants.values()
            ],
            "second": self.second
            and {"router": str(self.second.router), "wan": str(self.second.wan)},
        }

    def nonce(self, opening: Opening) -> bytes:
        """Return the mapping nonce of an opening: the same one as long as this is remembered.

        PCP tells a mapping by protocol, client and internal port (RFC 6887 section 11.1).
        """
        return self.nonce_for(opening.protocol, opening.internal_client, opening.internal_port)

    def nonce_for(
        self, protocol: Transport, client: IPv4Address | IPv6Address, internal_port: int
    ) -> bytes:
        """Return the mapping nonce for a port of a host."""
        said = f"{protocol} {client} {internal_port}"
        digest = hashlib.blake2b(said.encode(), key=self.secret, digest_size=_NONCE_BYTES)
        return digest.digest()


def opening_to_dict(opening: Opening) -> dict[str, Any]:
    """Return an opening as it is saved."""
    return {
        "protocol": opening.protocol.value,
        "external_port": opening.external_port,
        "internal_client": str(opening.internal_client),
        "internal_port": opening.internal_port,
        "description": opening.description,
    }


def opening_from_dict(stored: Mapping[str, Any]) -> Opening:
    """Return an opening that was saved. Raises KeyError, TypeError, ValueError."""
    return Opening(
        protocol=Transport(stored["protocol"]),
        external_port=_port(stored["external_port"]),
        internal_client=IPv4Address(str(stored["internal_client"])),
        internal_port=_port(stored["internal_port"]),
        description=str(stored["description"]),
    )


def _port(stored: object) -> int:
    if type(stored) is int and 0 < stored < 65_536:
        return stored
    raise ValueError


def _end(stored: object) -> float:
    if type(stored) is int and 0 <= stored < _END_OF_TIME:
        return stored
    raise ValueError
