"""What the user lets Homeport ask, and says of the line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from yarl import URL

from .const import (
    CONF_BOTH_ROUTERS,
    CONF_ECHO_URLS,
    CONF_IPV6_MODE,
    CONF_LINE_MODE,
    CONF_LOOK_BEHIND,
    CONF_LOOK_UP_NAMES,
    CONF_PROBER_URL,
    CONF_RULE_EA_LENGTH,
    CONF_RULE_IPV4,
    CONF_RULE_IPV6,
    CONF_RULE_PSID_OFFSET,
    CONF_STUN_MINUTES,
    CONF_STUN_SERVERS,
    DEFAULT_STUN_MINUTES,
)
from .line import Ipv6Mode, LineMode, MapERule
from .outside.stun import parse_server

MOST_SERVICES: Final = 5
"""How many echoes, and how many STUN servers, there can be."""
MOST_STUN_MINUTES: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOptions:
    """The options of a config entry.

    - `echo_urls`, `stun_servers`, `prober_url`: who may be asked; empty or None for nobody
    - `stun_minutes`: how often STUN is asked where nothing tells of a change; 0 leaves that to
      the echoes, which are asked less often
    - `look_up_names`: whether to look up the names that tell a carrier by
    - `look_behind`: whether to ask what lies behind the router
    - `both_routers`: whether to open ports on a second router as well
    - `line_mode`, `ipv6_mode`: what the user says that the line is; None to find out
    - `rule`: a MAP-E rule of the user's own
    """

    echo_urls: tuple[str, ...] = ()
    stun_servers: tuple[str, ...] = ()
    stun_minutes: int = DEFAULT_STUN_MINUTES
    prober_url: str | None = None
    look_up_names: bool = False
    look_behind: bool = False
    both_routers: bool = False
    line_mode: LineMode | None = None
    ipv6_mode: Ipv6Mode | None = None
    rule: MapERule | None = None

    @classmethod
    def from_mapping(cls, options: Mapping[str, Any]) -> Self:
        """Read the options of an entry. A damaged value is as good as none."""
        minutes, prober = options.get(CONF_STUN_MINUTES), options.get(CONF_PROBER_URL)
        if type(minutes) is not int or not 0 <= minutes <= MOST_STUN_MINUTES:
            minutes = DEFAULT_STUN_MINUTES
        return cls(
            echo_urls=_good(options.get(CONF_ECHO_URLS), is_service),
            stun_servers=_good(options.get(CONF_STUN_SERVERS), is_stun_server),
            stun_minutes=minutes,
            prober_url=prober if isinstance(prober, str) and is_service(prober) else None,
            look_up_names=options.get(CONF_LOOK_UP_NAMES) is True,
            look_behind=options.get(CONF_LOOK_BEHIND) is True,
            both_routers=options.get(CONF_BOTH_ROUTERS) is True,
            line_mode=_member(LineMode, options.get(CONF_LINE_MODE)),
            ipv6_mode=_member(Ipv6Mode, options.get(CONF_IPV6_MODE)),
            rule=_rule(options),
        )


def is_service(text: str) -> bool:
    """Say whether a text is the URL of a web service."""
    try:
        url = URL(text)
        return url.scheme in {"http", "https"} and bool(url.host) and not url.user
    except ValueError, IndexError:  # yarl raises the other one for "[]@"
        return False


def is_stun_server(text: str) -> bool:
    """Say whether a text names a STUN server."""
    try:
        parse_server(text)
    except ValueError:
        return False
    return True


def _good(stored: object, is_good: Callable[[str], bool]) -> tuple[str, ...]:
    texts = stored if isinstance(stored, list | tuple) else ()
    good = [text for text in texts if isinstance(text, str) and is_good(text)]
    return tuple(dict.fromkeys(good))[:MOST_SERVICES]


def _member[ModeT: StrEnum](kind: type[ModeT], stored: object) -> ModeT | None:
    return next((member for member in kind if member.value == stored), None)


def _rule(options: Mapping[str, Any]) -> MapERule | None:
    ipv6, ipv4 = options.get(CONF_RULE_IPV6), options.get(CONF_RULE_IPV4)
    ea_length, offset = options.get(CONF_RULE_EA_LENGTH), options.get(CONF_RULE_PSID_OFFSET)
    if not (isinstance(ipv6, str) and isinstance(ipv4, str)):
        return None
    if not (type(ea_length) is int and type(offset) is int):
        return None
    try:
        return MapERule.parse(ipv6, ipv4, ea_length, offset)
    except ValueError:
        return None
