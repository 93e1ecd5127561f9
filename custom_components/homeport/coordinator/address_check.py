"""Asking the gateway for its address alone, between two readings: an event can be lost."""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers.event import async_track_time_interval

from ..gateway import GatewayError
from .line import LineCoordinator

_EVERY: Final = timedelta(minutes=10)


def async_check_address(hass: HomeAssistant, line: LineCoordinator) -> CALLBACK_TYPE:
    """Have the gateway read where its address is not what is known; return what ends that.

    One that sends no events is read more often than that anyway.
    """

    async def check(_: datetime) -> None:
        gateway, link = line.evidence.gateway, line.link
        if gateway is None or link is None or link.igd is None or not link.pushes:
            return
        try:
            same = await link.igd.external_address() == gateway.address
        except GatewayError:
            same = False
        if not same:
            await line.async_refresh()

    return async_track_time_interval(hass, check, _EVERY, cancel_on_shutdown=True)
