"""Who runs a line's IPv4-over-IPv6 service, by the names and addresses that tell."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, IPv6Network
import re
from typing import Final
from urllib.parse import urlsplit

from .prefixes import PrefixTable

_NAME_LENGTH = 253  # RFC 1035 section 2.3.4, without the last dot
_URL_LENGTH = 512


class Carrier(StrEnum):
    """Who runs the line's IPv4-over-IPv6 service."""

    V6PLUS = "v6plus"
    OCN = "ocn"
    BIGLOBE = "biglobe"
    NURO = "nuro"
    TRANSIX = "transix"
    XPASS = "xpass"
    V6CONNECT = "v6connect"
    SOFTBANK = "softbank"
    CYBERHOME = "cyberhome"
    RAKUTEN = "rakuten"
    VODAFONE_WEST = "vodafone_west"


class ReverseKind(StrEnum):
    """What the reverse name of an IPv4 address says of the line behind it."""

    SHARED_POOL = "shared_pool"
    """The address of a carrier's NAT (the AFTR of DS-Lite)."""
    MAP_E = "map_e"
    FIXED = "fixed"
    """A fixed address, which is not shared."""
    UNKNOWN = "unknown"
    """The carrier's, but lines of several kinds have such a name."""


@dataclass(frozen=True, slots=True)
class ReverseName:
    """A form of reverse names, without the last dot."""

    pattern: re.Pattern[str]
    kind: ReverseKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierFacts:
    """What a carrier can be told by.

    - `blocks`: the IPv6 prefixes of its lines. A sign of the carrier alone: IPv4 may go another way
    - `reverse_names`: of the IPv4 addresses that its lines have outside
    - `aftr_name`: of its AFTR, where that resolves on its own lines only
    - `provisioning_host`: the domain of its HB46PP server (v6pc/v6mig-prov, section 3.1)
    - `modes`: the line modes that it sells, as far as they are known: values of LineMode
    """

    carrier: Carrier
    blocks: tuple[str, ...] = ()
    reverse_names: tuple[ReverseName, ...] = ()
    aftr_name: str | None = None
    provisioning_host: str | None = None
    modes: frozenset[str] = frozenset()


def _reverse(pattern: str, kind: ReverseKind) -> ReverseName:
    return ReverseName(re.compile(pattern, re.ASCII | re.IGNORECASE), kind)


# The blocks are from the README of nyanshiba/rtxconfig, those of NURO from map-e-nuro.sh of
# site-u2023/config-software; the forms of reverse names from public mail headers.
CARRIERS: Final = (
    CarrierFacts(
        carrier=Carrier.V6PLUS,
        blocks=("240b:10::/30", "240b:250::/30"),
        # Fixed addresses have the same form.
        reverse_names=(_reverse(r"m\d{12}\.v4\.enabler\.ne\.jp", ReverseKind.UNKNOWN),),
        modes=frozenset({"map_e", "ipip_fixed"}),
    ),
    CarrierFacts(
        carrier=Carrier.OCN,
        blocks=("2400:4050::/30", "2400:4150::/30"),
        reverse_names=(
            _reverse(r"p\d{1,20}-ipoe\.ipoe\.ocn\.ne\.jp", ReverseKind.MAP_E),
            _reverse(r"p\d{1,20}-ipoefx\.ipoe\.ocn\.ne\.jp", ReverseKind.FIXED),
        ),
        modes=frozenset({"map_e", "ipip_fixed"}),
    ),
    CarrierFacts(
        carrier=Carrier.BIGLOBE,
        blocks=("2404:7a80::/30", "2404:7a84::/30"),
        # Known from one name only.
        reverse_names=(
            _reverse(
                r"flh\d{1,3}(?:-\d{1,3}){4}\.[a-z]{1,10}\.mesh\.ad\.jp",
                ReverseKind.UNKNOWN,
            ),
        ),
        modes=frozenset({"map_e"}),
    ),
    CarrierFacts(
        carrier=Carrier.NURO,
        blocks=("240d:f::/32", "240d:10::/32"),
        modes=frozenset({"map_e", "public"}),
    ),
    CarrierFacts(
        carrier=Carrier.TRANSIX,
        blocks=("2409:10::/30", "2409:250::/30"),
        reverse_names=(
            _reverse(r"(?:\d{1,3}\.){4}shared\.user\.transix\.jp", ReverseKind.SHARED_POOL),
        ),
        aftr_name="gw.transix.jp",
        modes=frozenset({"ds_lite", "ipip_fixed"}),
    ),
    # Its AFTR, dgw.xpass.jp, resolves everywhere and so is no sign.
    CarrierFacts(
        carrier=Carrier.XPASS,
        blocks=("2001:f70::/30", "2001:f74::/30"),
        reverse_names=(
            _reverse(
                r"\d{1,3}(?:-\d{1,3}){3}\.(?:east|west)\.xps\.vectant\.ne\.jp",
                ReverseKind.SHARED_POOL,
            ),
        ),
        modes=frozenset({"ds_lite", "ipip_fixed"}),
    ),
    CarrierFacts(
        carrier=Carrier.V6CONNECT,
        blocks=("2405:6580::/30", "2405:6584::/30"),
        # Whether d and f stand for dynamic and fixed is not documented.
        reverse_names=(
            _reverse(r"[a-z]{1,2}\d{6}\.[df]\.(?:east|west)\.v6connect\.net", ReverseKind.UNKNOWN),
        ),
        aftr_name="dslite.v6connect.net",
        provisioning_host="v6mig.v6connect.net",
        modes=frozenset({"ds_lite", "ipip_fixed"}),
    ),
    # Its 10G lines have an address of their own through a tunnel, with whatever name for it.
    CarrierFacts(
        carrier=Carrier.SOFTBANK,
        blocks=("2400:2410::/30", "2400:2650::/30"),
        modes=frozenset({"map_e", "ipip_fixed"}),
    ),
    CarrierFacts(carrier=Carrier.CYBERHOME, blocks=("2401:4d40::/30", "2401:4d44::/30")),
    CarrierFacts(carrier=Carrier.RAKUTEN, blocks=("240b:c0c4::/30", "240b:c0cc::/30")),
    CarrierFacts(
        carrier=Carrier.VODAFONE_WEST,
        reverse_names=(
            _reverse(r"aftr(?:-\d{1,3}){4}\.unity-media\.net", ReverseKind.SHARED_POOL),
        ),
        modes=frozenset({"ds_lite"}),
    ),
)

AFTR_NAMES: Final = tuple(facts.aftr_name for facts in CARRIERS if facts.aftr_name)
"""The names to look up, each of which resolves on its carrier's lines only."""

_BY_BLOCK: Final = PrefixTable(
    (IPv6Network(block), facts.carrier) for facts in CARRIERS for block in facts.blocks
)
_REVERSE: Final = tuple(
    (form.pattern, (facts.carrier, form.kind)) for facts in CARRIERS for form in facts.reverse_names
)
_BY_AFTR: Final = {facts.aftr_name: facts.carrier for facts in CARRIERS if facts.aftr_name}
_PROVISIONING: Final = tuple(
    (facts.provisioning_host, facts.carrier) for facts in CARRIERS if facts.provisioning_host
)
_TXT: Final = re.compile(rf"v=v6mig-1 url=(?P<url>[!-~]{{1,{_URL_LENGTH}}}) t=(?P<check>[ab])")


def by_ipv6(ip: IPv6Address) -> Carrier | None:
    """Return whose block an address is in."""
    return _BY_BLOCK.find(ip)


def by_reverse_name(name: str) -> tuple[Carrier, ReverseKind] | None:
    """Return whose form the reverse name of an IPv4 address has, and what it says of the line."""
    if len(name) > _NAME_LENGTH + 1:
        return None
    name = name.removesuffix(".")
    return next((said for pattern, said in _REVERSE if pattern.fullmatch(name)), None)


def by_aftr_name(name: str) -> Carrier | None:
    """Return on whose lines alone an AFTR name resolves."""
    return _BY_AFTR.get(name.removesuffix(".").lower())


def by_provisioning(text: str) -> Carrier | None:
    """Return whose HB46PP server a TXT record, or the URL in it, names."""
    host = _host(parse_provisioning(text) or text)
    if host is None:
        return None
    return next(
        (carrier for name, carrier in _PROVISIONING if f".{host}".endswith(f".{name}")), None
    )


def parse_provisioning(txt: str) -> str | None:
    """Return the URL in the TXT record of 4over6.info; None if it is not as HB46PP says.

    "v=v6mig-1 url=<URL> t=a", or t=b if the certificate is to be checked, which HTTP has none of
    (v6pc/v6mig-prov, section 3.1).
    """
    if not (found := _TXT.fullmatch(txt)):
        return None
    url = found["url"]
    if _host(url) is None or (url.lower().startswith("http:") and found["check"] == "b"):
        return None
    return url


def _host(url: str) -> str | None:
    """Return the host of an HTTP or HTTPS URL in lower case; None for anything else."""
    if len(url) > _URL_LENGTH or not (url.isascii() and url.isprintable()) or " " in url:
        return None
    try:
        parts = urlsplit(url)
        # Looking at the port raises for one that is none.
        valid = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        return None
    return parts.hostname if valid and parts.username is None else None
