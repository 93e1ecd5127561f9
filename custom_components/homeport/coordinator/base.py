"""What all coordinators have in common."""

from dataclasses import dataclass
import logging
from typing import Any

import aiohttp
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sessions:
    """HTTP sessions: for the gateway and DDNS providers, and for what must go over one family."""

    any: aiohttp.ClientSession
    ipv4: aiohttp.ClientSession
    ipv6: aiohttp.ClientSession


class HomeportCoordinator[ReportT](DataUpdateCoordinator[ReportT]):
    """A coordinator of a config entry, or of one of its subentries."""

    config_entry: ConfigEntry[Any]

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        subentry: ConfigSubentry | None,
        data: ReportT,
    ) -> None:
        """Take the subentry, if it is about one, and what is known before the first update."""
        super().__init__(
            hass, _LOGGER, config_entry=entry, name=subentry.title if subentry else entry.title
        )
        self.subentry = subentry
        self.data = data

    @property
    def key(self) -> str:
        """Return what the unique ids of its entities start with."""
        entry_id = self.config_entry.entry_id
        return f"{entry_id}_{self.subentry.subentry_id}" if self.subentry else entry_id
