"""Announcements of the gateway over SSDP: one that has restarted is read at once."""

from collections.abc import Callable

from homeassistant.components import ssdp
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo

# The first as well, since Home Assistant passes on the first goodbye of a device only.
_TARGETS = (
    "upnp:rootdevice",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
)


class SsdpAnnouncements:
    """Calls back when the gateway with a UDN says that it is there, and was away before.

    It was, when it has said goodbye, or says that it has booted since (UPnP Device Architecture 1.1
    section 1.2.2, BOOTID.UPNP.ORG). Anybody at home can say so in its name: it is no more than a
    reason to look.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        udn: Callable[[], str | None],
        is_silent: Callable[[], bool],
        on_return: Callable[[], None],
    ) -> None:
        """Take whose announcements count, what says that it is silent, and whom to call."""
        self._hass = hass
        self._udn = udn
        self._is_silent = is_silent
        self._on_return = on_return
        self._boot = ""
        self._gone = False
        self._listening = False
        self._stop: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Begin to listen; what was announced lately is heard again, and is no news."""
        for target in _TARGETS:
            for header in "nt", "st":
                self._stop.append(
                    await ssdp.async_register_callback(self._hass, self._heard, {header: target})
                )
        self._listening = True

    @callback
    def stop(self) -> None:
        """End listening."""
        while self._stop:
            self._stop.pop()()

    @callback
    def _heard(self, info: SsdpServiceInfo, change: ssdp.SsdpChange) -> None:
        if info.ssdp_udn != self._udn():
            return
        if change is ssdp.SsdpChange.BYEBYE:
            self._gone = True
            return
        boot = str(info.ssdp_headers.get(ssdp.ATTR_SSDP_BOOTID, ""))
        # The first one that is heard after the start: it may have booted since we have read it.
        booted = bool(boot) and boot != self._boot and self._listening
        self._boot = boot or self._boot
        if booted or self._gone or self._is_silent():
            self._gone = False
            self._on_return()
