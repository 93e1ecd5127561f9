"""Dynamic DNS: providers, and the updater that keeps a hostname's records at one of them."""

from collections.abc import Mapping

from .driver import Updater
from .dyndns2 import DYNDNS2
from .provider import (
    Answer,
    AuthRefused,
    Blocked,
    ConfigRefused,
    DdnsError,
    Field,
    Provider,
    ProviderSpec,
    Target,
    Unavailable,
    normal_hostname,
)
from .rfc2136 import RFC2136
from .updater import HALTED, State, Status, fingerprint

__all__ = [
    "HALTED",
    "PROVIDERS",
    "Answer",
    "AuthRefused",
    "Blocked",
    "ConfigRefused",
    "DdnsError",
    "Field",
    "Provider",
    "ProviderSpec",
    "State",
    "Status",
    "Target",
    "Unavailable",
    "Updater",
    "fingerprint",
    "normal_hostname",
]

PROVIDERS: Mapping[str, ProviderSpec] = {spec.id: spec for spec in (DYNDNS2, RFC2136)}
