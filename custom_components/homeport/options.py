"""What the user lets Homeport ask, and says of the line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Self

from yarl import URL

from .const import (
    CONF_BOTH_ROUTERS,
    CONF_ECHO_URLS,
    CONF_GLOBALPING_TOKEN,
    CONF_HOSTED_PROBERS,
    CONF_IPV6_MODE,
    CONF_LINE_MODE,
    CONF_LOOK_BEHIND,
    CONF_LOOK_UP_NAMES,
    CONF_OWN_PROBER_NAME,
    CONF_OWN_PROBER_TOKEN,
    CONF_OWN_PROBER_URL,
    CONF_PROBER_URL,
    CONF_RULE_EA_LENGTH,
    CONF_RULE_IPV4,
    CONF_RULE_IPV6,
    CONF_RULE_PSID_OFFSET,
    CONF_STUN_MINUTES,
    CONF_STUN_SERVERS,
    CONF_UDP_SERVER,
    DEFAULT_STUN_MINUTES,
    HostedProber,
)
from .line import Ipv6Mode, LineMode, MapERule
from .outside.own_prober import is_prober_url
from .outside.stun import parse_server

MOST_SERVICES: Final = 5
"""How many echoes, and how many STUN servers, there can be."""
MOST_STUN_MINUTES: Final = 120
_LONGEST_TOKEN: Final = 256


@dataclass(frozen=True, slots=True)
class OwnProberOptions:
    """A prober of the user's own: where it is, and what it asks for.

    `name`: what the prober dials instead of the address that asks, as it is set up there.
    """

    url: str
    token: str = field(repr=False)
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOptions:
    """The options of a config entry.

    - `echo_urls`, `stun_servers`, `prober_url`, `hosted_probers`, `own_prober`, `udp_server`: who
      may be asked; empty or None for nobody
    - `globalping_token`: what makes Globalping answer more often
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
    hosted_probers: tuple[HostedProber, ...] = ()
    globalping_token: str | None = field(default=None, repr=False)
    own_prober: OwnProberOptions | None = None
    udp_server: str | None = None
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
            hosted_probers=_hosted(options.get(CONF_HOSTED_PROBERS)),
            globalping_token=_secret(options.get(CONF_GLOBALPING_TOKEN)),
            own_prober=_own_prober(options),
            udp_server=next(iter(_good([options.get(CONF_UDP_SERVER)], is_stun_server)), None),
            look_up_names=options.get(CONF_LOOK_UP_NAMES) is True,
            look_behind=options.get(CONF_LOOK_BEHIND) is True,
            both_routers=options.get(CONF_BOTH_ROUTERS) is True,
            line_mode=_member(LineMode, options.get(CONF_LINE_MODE)),
            ipv6_mode=_member(Ipv6Mode, options.get(CONF_IPV6_MODE)),
            rule=_rule(options),
        )


def without_probers(options: LineOptions) -> LineOptions:
    """Return what the options say of the line, and of who is asked about it."""
    nobody = LineOptions()
    return replace(
        options,
        prober_url=nobody.prober_url,
        hosted_probers=nobody.hosted_probers,
        globalping_token=nobody.globalping_token,
        own_prober=nobody.own_prober,
        udp_server=nobody.udp_server,
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


def is_token(text: str) -> bool:
    """Say whether a text can stand in a header as a token."""
    return bool(text) and len(text) <= _LONGEST_TOKEN and text.isascii() and text.isprintable()


def _good(stored: object, is_good: Callable[[str], bool]) -> tuple[str, ...]:
    texts = stored if isinstance(stored, list | tuple) else ()
    good = [text for text in texts if isinstance(text, str) and is_good(text)]
    return tuple(dict.fromkeys(good))[:MOST_SERVICES]


def _member[ModeT: StrEnum](kind: type[ModeT], stored: object) -> ModeT | None:
    return next((member for member in kind if member.value == stored), None)


def _hosted(stored: object) -> tuple[HostedProber, ...]:
    texts = stored if isinstance(stored, list | tuple) else ()
    return tuple(each for each in HostedProber if each.value in texts)


def _secret(stored: object) -> str | None:
    return stored if isinstance(stored, str) and is_token(stored) else None


def _own_prober(options: Mapping[str, Any]) -> OwnProberOptions | None:
    url, name = options.get(CONF_OWN_PROBER_URL), options.get(CONF_OWN_PROBER_NAME)
    token = _secret(options.get(CONF_OWN_PROBER_TOKEN))
    if not (isinstance(url, str) and is_prober_url(url) and token):
        return None
    return OwnProberOptions(url, token, name if isinstance(name, str) and name else None)


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
