"""Which gateway a config entry is about."""

from collections.abc import Mapping
from typing import Any

from .const import CONF_GATEWAY, CONF_LOCATION
from .gateway import Peer


def peer_of(data: Mapping[str, Any]) -> Peer | None:
    """Return where the gateway is asked; None for a line without one."""
    location, host = data.get(CONF_LOCATION), data.get(CONF_GATEWAY)
    return Peer(location, host) if location or host else None
