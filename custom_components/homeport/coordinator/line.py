"""The line: reading the gateway, asking the echo, and what follows from both."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from ipaddress import IPv4Address
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from yarl import URL

from ..const import CONF_ECHO_URL, CONF_LOCATION, CONF_PROBER_URL
from ..gateway import Gateway, GatewayError, GatewayInfo, Link
from ..host import source_address
from ..line import EchoEvidence, Evidence, GatewayEvidence, LineMode, LineReport, classify
from ..outside import EchoipProber, OutsideError, TokenBucket, public_ipv4
from .base import HomeportCoordinator, Sessions

_LOGGER = logging.getLogger(__name__)

_POLL_WITH_EVENTS = timedelta(minutes=5)
_POLL_WITHOUT_EVENTS = timedelta(minutes=1)
_POLL_SILENT_GATEWAY = timedelta(seconds=30)
_ECHO_CONFIRMS = 4 * 3600.0
"""Seconds between echo requests where the gateway's events tell of a change: six a day."""
_ECHO_POLLS = 300.0
"""Seconds between echo requests where only the echo can tell of a change."""
_ECHO_BURST, _ECHO_REFILL = 10, 60.0
"""Echo requests at once, and seconds until one more, however often the address changes."""
_HINT_GAP = 0.25
"""Seconds between two readings of the gateway, however many events come."""


class LineCoordinator(HomeportCoordinator[LineReport]):
    """Reads the gateway and asks the echo, each when there is reason to, and says what follows."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], sessions: Sessions) -> None:
        """Prepare; nothing is asked before `start`."""
        super().__init__(hass, entry, None, LineReport())
        self._sessions = sessions
        self._evidence = Evidence(gateway_pending=CONF_LOCATION in entry.data)
        self._echo_wanted = asyncio.Event()
        self._echo_failed = False
        self._hinted: asyncio.Task[None] | None = None
        self._hint_pending = False
        self._heard = False
        self._own_change_until = 0.0
        self._reading_later: asyncio.Task[None] | None = None
        self._link = self._new_link()
        self.reads = 0
        """Readings of the gateway so far, failed ones included: ports are read after each."""

    @property
    def gateway(self) -> Gateway | None:
        """Return the gateway, if it answers."""
        return self._link.igd if self._link else None

    @property
    def gateway_info(self) -> GatewayInfo | None:
        """Return who the gateway is, if it answers."""
        return self._link.igd.info if self._link and self._link.igd else None

    @property
    def own_address(self) -> IPv4Address | None:
        """Return the address of this Home Assistant as the gateway sees it."""
        return self._link.own_address if self._link and self._link.igd else None

    @property
    def gateway_answers(self) -> bool:
        """Say whether the last reading of the gateway succeeded."""
        return self._evidence.gateway is not None

    @property
    def prober(self) -> EchoipProber | None:
        """Return the prober, if one may be asked."""
        url = self.config_entry.options.get(CONF_PROBER_URL)
        return EchoipProber(self._sessions.ipv4, url) if url else None

    @callback
    def start(self) -> None:
        """Begin to watch the line, in the background."""
        run = partial(self.config_entry.async_create_background_task, self.hass)
        run(self.async_refresh(), "homeport first reading")
        run(self._watch_echo(), "homeport echo")

    @callback
    def options_changed(self) -> None:
        """Ask the echo that is configured now; what the other one said is void."""
        self._evidence = replace(self._evidence, echo=None)
        self._echo_failed = False
        self._echo_wanted.set()
        self._conclude()

    @override
    async def async_shutdown(self) -> None:
        """End the subscription to the gateway's events."""
        await super().async_shutdown()
        if self._link:
            await self._link.close()

    @override
    async def _async_update_data(self) -> LineReport:
        await self._read_gateway()
        return classify(self._evidence)

    def _new_link(self) -> Link | None:
        location = self.config_entry.data.get(CONF_LOCATION)
        return (
            Link(self._sessions.any, location, source_address, self._on_hint) if location else None
        )

    async def _read_gateway(self) -> None:
        if not self._link:
            return
        before = self._evidence.gateway or self._evidence.silent_gateway
        try:
            status = await self._link.read()
        except GatewayError as err:
            if self._evidence.silent_gateway is None:
                _LOGGER.warning("The router does not answer: %s", err or type(err).__name__)
            silent = before or GatewayEvidence(None, None, since=0)
            self._evidence = replace(
                self._evidence, gateway_pending=False, gateway=None, silent_gateway=silent
            )
            self.update_interval = _POLL_SILENT_GATEWAY
        else:
            if self._evidence.silent_gateway:
                _LOGGER.info("The router answers again")
            changed = before is not None and before.address != status.address
            since = self.hass.loop.time() if changed else before.since if before else 0
            now = GatewayEvidence(status.connected, status.address, since)
            self._evidence = replace(
                self._evidence, gateway_pending=False, gateway=now, silent_gateway=None
            )
            self.update_interval = _POLL_WITH_EVENTS if self._link.pushes else _POLL_WITHOUT_EVENTS
            if changed:
                self._echo_wanted.set()
        self.reads += 1

    @callback
    def expect_table_events(self, seconds: float) -> None:
        """Take events about the gateway's table for the echo of our own change: no hurry."""
        self._own_change_until = self.hass.loop.time() + seconds

    @callback
    def _on_hint(self, said: Mapping[str, str]) -> None:
        """Read the gateway: at once where an event brings news of the line, else a little later."""
        first, self._heard = not self._heard, True
        if _is_news(self._evidence.gateway, said):
            self._read_soon()
        # The first one says how things stand, which has just been read.
        elif not first and (self._reading_later is None or self._reading_later.done()):
            self._reading_later = self.config_entry.async_create_background_task(
                self.hass, self._read_later(), "homeport table event"
            )

    async def _read_later(self) -> None:
        """Read once for all events that come until then.

        The line as well: an event may have been made up just before the address changed.
        """
        await asyncio.sleep(max(_HINT_GAP, self._own_change_until - self.hass.loop.time()))
        await self.async_refresh()

    @callback
    def _read_soon(self) -> None:
        """Read the gateway now; a hint that comes during a reading leads to one more."""
        self._hint_pending = True
        if self._hinted is None or self._hinted.done():
            self._hinted = self.config_entry.async_create_background_task(
                self.hass, self._read_hinted(), "homeport event"
            )

    async def _read_hinted(self) -> None:
        while self._hint_pending:
            self._hint_pending = False
            await self.async_refresh()
            await asyncio.sleep(_HINT_GAP)

    async def _watch_echo(self) -> None:
        bucket = TokenBucket(_ECHO_BURST, _ECHO_REFILL)
        while True:
            self._echo_wanted.clear()
            bucket.take(self.hass.loop.time())
            await self._ask_echo()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._echo_interval):
                    await self._echo_wanted.wait()
            await asyncio.sleep(bucket.wait(self.hass.loop.time()))

    @property
    def _echo_interval(self) -> float:
        confirmed = self.data.mode is LineMode.PUBLIC and self.data.public_ipv4
        pushes = self._link is not None and self._link.pushes
        return _ECHO_CONFIRMS if confirmed and pushes else _ECHO_POLLS

    async def _ask_echo(self) -> None:
        url = self.config_entry.options.get(CONF_ECHO_URL)
        if not url:
            return
        asked = self.hass.loop.time()
        try:
            address = await public_ipv4(self._sessions.ipv4, url)
        except OutsideError as err:
            if not self._echo_failed:
                _LOGGER.warning("The address echo %s gave no address: %s", URL(url).host, err)
            self._echo_failed, address = True, None
        else:
            self._echo_failed = False
        secure = URL(url).scheme == "https"
        self._evidence = replace(self._evidence, echo=EchoEvidence(address, secure, asked))
        self._conclude()

    @callback
    def _conclude(self) -> None:
        # async_set_updated_data would also put off the next reading of the gateway.
        self.data = classify(self._evidence)
        self.async_update_listeners()


def _is_news(gateway: GatewayEvidence | None, said: Mapping[str, str]) -> bool:
    """Say whether an event tells anything about the line that the last reading did not show."""
    if gateway is None:
        return True
    address = "" if gateway.address is None else str(gateway.address)
    told = said.get("ExternalIPAddress", address).replace("0.0.0.0", "")  # noqa: S104 - for none
    connected = said.get("ConnectionStatus", "Connected") == "Connected"
    return told != address or (gateway.connected is True) != connected
