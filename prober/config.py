"""The configuration file, in TOML."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
import hmac
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
import re
import tomllib
from typing import Any, Final

from .address import IPAddress

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NAME: Final = re.compile(r"[a-z0-9_-]{1,32}")
# RFC 1123 section 2.1, with at least one dot; nothing that could be taken for an address.
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOSTNAME: Final = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)+(?=[a-z]){_LABEL}")
_LISTEN: Final = re.compile(r"(?:\[(?P<six>[^]]+)\]|(?P<four>[^:]+)):(?P<port>[0-9]{1,5})")
_KEYS: Final = {"listen", "certificate", "key", "proxies", "own_addresses", "tokens"}
_TOKEN_KEYS: Final = {"sha256", "names"}


class ConfigError(Exception):
    """What is wrong with the file, in words for its author."""


@dataclass(frozen=True, slots=True)
class Token:
    """Who may ask.

    - `digest`: the SHA-256 of the secret, in hexadecimal
    - `names`: by short name the hostnames whose addresses it may have dialled
    """

    digest: str
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """What the operator wants.

    - `listen`: addresses and TCP ports
    - `certificate`, `key`: PEM files, for HTTPS; without them it speaks to `proxies` only
    - `proxies`: whose X-Forwarded headers are believed
    - `own_addresses`: further ones of this machine, such as a public one that a NAT translates
    """

    tokens: tuple[Token, ...]
    listen: tuple[tuple[IPAddress, int], ...] = (
        (ip_address("0.0.0.0"), 8443),  # noqa: S104 - it is there for everybody
        (ip_address("::"), 8443),
    )
    certificate: Path | None = None
    key: Path | None = None
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    own_addresses: frozenset[IPAddress] = frozenset()

    def token(self, secret: str) -> Token | None:
        """Return the token that a secret is; every one is looked at, so that time tells nothing."""
        digest = digest_of(secret)
        found = [each for each in self.tokens if hmac.compare_digest(each.digest, digest)]
        return found[0] if found else None


def digest_of(secret: str) -> str:
    """Return what of a token's secret is written into the file.

    A fast hash will do: a secret has 256 random bits, which nobody tries out.
    """
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def load_config(path: Path) -> Config:
    """Read a file; relative paths in it are relative to its folder. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as err:
        raise ConfigError(f"cannot be read: {err.strerror}") from err
    except ValueError as err:
        raise ConfigError("not UTF-8") from err
    return parse_config(text, path.parent)


def parse_config(text: str, folder: Path) -> Config:
    """Return what a file says. Raises ConfigError."""
    try:
        said = tomllib.loads(text)
    except ValueError as err:
        raise ConfigError(f"not TOML: {err}") from err
    _known(said, _KEYS)
    values: dict[str, Any] = {
        "tokens": tuple(map(_token, _list(said, "tokens", dict))),
        "proxies": tuple(_each(said, "proxies", ip_network)),
        "own_addresses": frozenset(_each(said, "own_addresses", ip_address)),
    }
    if "listen" in said:
        values["listen"] = tuple(_each(said, "listen", _listen))
    for name in ("certificate", "key"):
        if name in said:
            values[name] = folder / _string(said, name)
    config = Config(**values)
    if not config.tokens:
        raise ConfigError("there is no token; --new-token makes one")
    if not config.listen:
        raise ConfigError('"listen" is empty')
    if (config.certificate is None) != (config.key is None):
        raise ConfigError('"certificate" and "key" go together')
    if config.certificate is None and not config.proxies:
        raise ConfigError('tokens need HTTPS: give "certificate" and "key", or "proxies"')
    return config


def _known(table: Mapping[str, Any], keys: set[str]) -> None:
    if unknown := sorted(table.keys() - keys):
        raise ConfigError(f"not known: {', '.join(unknown)}")


def _string(table: Mapping[str, Any], name: str) -> str:
    if not isinstance(value := table[name], str) or not value:
        raise ConfigError(f'"{name}" is no text')
    return value


def _list(table: Mapping[str, Any], name: str, kind: type) -> list[Any]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, kind) for each in value):
        raise ConfigError(f'"{name}" is not what it should be')
    return value


def _each(table: Mapping[str, Any], name: str, read: Callable[[str], Any]) -> list[Any]:
    found = []
    for each in _list(table, name, str):
        try:
            found.append(read(each))
        except ValueError as err:
            raise ConfigError(f'"{name}": {err}') from err
    return found


def _listen(text: str) -> tuple[IPAddress, int]:
    if not (found := _LISTEN.fullmatch(text)) or int(found["port"]) > 65535:
        raise ValueError(f"{text!r} is no address with a port")
    return ip_address(found["six"] or found["four"]), int(found["port"])


def _token(table: Mapping[str, Any]) -> Token:
    _known(table, _TOKEN_KEYS)
    if "sha256" not in table or not _DIGEST.fullmatch(digest := _string(table, "sha256")):
        raise ConfigError('"sha256" is 64 hexadecimal digits, as --new-token prints them')
    names = table.get("names", {})
    if not isinstance(names, dict):
        raise ConfigError('"names" is no table')
    for name in names:
        hostname = _string(names, name)
        if not _NAME.fullmatch(name) or not _HOSTNAME.fullmatch(hostname):
            raise ConfigError(f'"names": {name} = {hostname!r} is none')
    return Token(digest, names)
