"""What a DDNS provider is: what it is told, what it answers, how it fails, how it is made."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
import re
from typing import ClassVar, Protocol

import aiohttp
import idna

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NAME_LENGTH = 253
_REPLY_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The addresses that a hostname should have; None = not known, that record is left alone."""

    ipv4: IPv4Address | None = None
    ipv6: IPv6Address | None = None

    @property
    def known(self) -> bool:
        """Whether there is any address at all."""
        return self.ipv4 is not None or self.ipv6 is not None

    def updated(self, newer: Target) -> Target:
        """Return this target with the addresses that `newer` knows: unknown is not absent."""
        return Target(ipv4=newer.ipv4 or self.ipv4, ipv6=newer.ipv6 or self.ipv6)


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: whether the provider says that a record changed, and its own words (`words`)."""

    changed: bool
    reply: str


class DdnsError(Exception):
    """An update failed. Neither `reply` nor the text holds credentials or a URL."""

    translation_key: str = "update_failed"

    def __init__(self, reply: str, *, translation_key: str | None = None) -> None:
        """Take the provider's own words (`words`) or the name of what went wrong."""
        super().__init__(reply)
        self.reply = reply
        if translation_key is not None:
            self.translation_key = translation_key


class AuthRefused(DdnsError):
    """The credentials are wrong: halt until they change."""

    translation_key = "wrong_credentials"


class ConfigRefused(DdnsError):
    """The provider rejects the name, the zone or the request: halt until the user acts."""

    translation_key = "rejected"


class Blocked(DdnsError):
    """The provider has blocked the account or this client: halt until the user acts."""

    translation_key = "blocked_by_provider"


class Unavailable(DdnsError):
    """A passing fault: try again later, not before `retry_after` seconds where it is given."""

    translation_key = "unavailable"

    def __init__(
        self, reply: str, *, retry_after: float | None = None, translation_key: str | None = None
    ) -> None:
        """Take the words, and the shortest wait in seconds that the provider asks for."""
        super().__init__(reply, translation_key=translation_key)
        self.retry_after = retry_after


class Provider(Protocol):
    """Where a hostname's records are kept."""

    async def update(self, hostname: str, target: Target) -> Answer:
        """Publish the known addresses of `target` (at least one); raise a DdnsError if it fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that the user must say about a provider.

    `credential`: what the provider may refuse, and is asked for again then; secrets always are.
    """

    key: str
    required: bool = True
    secret: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    credential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """A kind of provider: its name (a proper name, not translated), its fields, how it is made.

    `validate(hostname, values)` gives a mapping of field to error key, empty when all is well;
    what is wrong with the hostname stands under HOSTNAME. `create(session, values)` expects
    values that passed, and may raise a DdnsError.
    """

    HOSTNAME: ClassVar[str] = "hostname"

    id: str
    name: str
    fields: tuple[Field, ...]
    create: Callable[[aiohttp.ClientSession, Mapping[str, str]], Awaitable[Provider]]
    validate: Callable[[str, Mapping[str, str]], dict[str, str]]

    @property
    def secrets(self) -> frozenset[str]:
        """The keys of the values that nobody may see."""
        return frozenset(field.key for field in self.fields if field.secret)

    @property
    def reauth_fields(self) -> tuple[Field, ...]:
        """The fields to ask for again when the provider refuses the credentials."""
        return tuple(field for field in self.fields if field.secret or field.credential)


def completed(fields: Iterable[Field], values: Mapping[str, str]) -> dict[str, str]:
    """Return a value for every field: trimmed unless secret, its default or "" when it is empty."""
    result = {}
    for field in fields:
        value = values.get(field.key) or ""
        result[field.key] = (value if field.secret else value.strip()) or field.default or ""
    return result


def field_errors(fields: Iterable[Field], values: Mapping[str, str]) -> dict[str, str]:
    """Return the errors that the fields' own descriptions show in completed values."""
    errors = {}
    for field in fields:
        value = values[field.key]
        if field.required and not value:
            errors[field.key] = "required"
        elif field.choices and value not in field.choices:
            errors[field.key] = "invalid_choice"
    return errors


def words(text: str, credentials: Iterable[str] = ()) -> str:
    """Return a provider's words for people: no credentials, one printable line, 200 characters."""
    for credential in sorted(filter(None, credentials), key=len, reverse=True):
        text = text.replace(credential, "***")
    # A space, not nothing: what is dropped could join the halves of a credential.
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:_REPLY_LENGTH].rstrip()


def normal_hostname(text: str) -> str:
    """Return a full host name in its one form: lower case, ASCII (IDNA 2008), no final dot.

    Raises ValueError unless it has two labels or more of 1 to 63 letters, digits and inner
    hyphens, 253 characters at most (RFC 1123 section 2.1), and is not an IPv4 address.
    """
    name = text.strip().lower().removesuffix(".")
    if not name.isascii():
        name = idna.encode(name, uts46=True).decode().removesuffix(".")
    labels = name.split(".")
    if len(name) > _NAME_LENGTH or len(labels) < 2 or labels[-1].isdigit():
        raise ValueError("not a full host name")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("a label is not made of letters, digits and inner hyphens")
    return name
