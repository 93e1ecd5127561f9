"""A hostname: telling its DDNS provider the confirmed address, and what came of it."""

from collections.abc import Callable, Mapping
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from ..const import CONF_HOSTNAME, CONF_PROVIDER
from ..ddns import PROVIDERS, Provider, State, Status, Target, Updater, fingerprint
from ..store import HomeportStore
from .base import HomeportCoordinator, Sessions
from .line import LineCoordinator


class HostnameCoordinator(HomeportCoordinator[State]):
    """Runs the updater of one hostname."""

    subentry: ConfigSubentry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        subentry: ConfigSubentry,
        *,
        line: LineCoordinator,
        sessions: Sessions,
        store: HomeportStore,
    ) -> None:
        """Take up where the last run ended."""
        self._line = line
        self._sessions = sessions
        self._store = store
        stored = State.from_dict(store.hostnames.get(subentry.subentry_id, {}))
        super().__init__(hass, entry, subentry, stored.for_fingerprint(_fingerprint(subentry)))
        self._updater = self._new_updater()

    @property
    def hostname(self) -> str:
        """Return the name itself."""
        return str(self.subentry.data[CONF_HOSTNAME])

    @property
    def provider_id(self) -> str:
        """Return the id of the provider."""
        return str(self.subentry.data[CONF_PROVIDER])

    @callback
    def start(self) -> Callable[[], None]:
        """Follow the line; return what ends that."""
        self._line_updated()
        return self._line.async_add_listener(self._line_updated)

    @override
    async def async_shutdown(self) -> None:
        """End an attempt under way."""
        await super().async_shutdown()
        await self._updater.stop()

    async def async_subentry_changed(self) -> None:
        """Go on with the provider and credentials that the subentry has now."""
        await self._updater.stop()
        self.async_set_updated_data(self.data.for_fingerprint(_fingerprint(self.subentry)))
        self._updater = self._new_updater()
        self._line_updated()

    async def async_force(self) -> State:
        """Send now, changed or not; return the state after the answer. Raises DdnsError."""
        return await self._updater.force()

    def _new_updater(self) -> Updater:
        return Updater(
            self._create_provider,
            self.hostname,
            self.data,
            save=self._save,
            on_change=self._on_change,
        )

    async def _create_provider(self) -> Provider:
        spec = PROVIDERS[self.provider_id]
        return await spec.create(self._sessions.any, _values(self.subentry.data))

    async def _save(self, state: State) -> None:
        self._store.hostnames[self.subentry.subentry_id] = state.as_dict()
        await self._store.save()

    @callback
    def _line_updated(self) -> None:
        refused = self.data.status is Status.WRONG_CREDENTIALS
        if refused and self.data.fingerprint == _fingerprint(self.subentry):
            # There is no flow yet after a restart, or where another flow was in its way.
            self._start_reauth()
        if address := self._line.data.confirmed_ipv4:
            self._updater.want(Target(ipv4=address))

    @callback
    def _on_change(self, state: State) -> None:
        halted = state.status is Status.WRONG_CREDENTIALS
        if halted and self.data.status is not Status.WRONG_CREDENTIALS:
            self._start_reauth()
        self.async_set_updated_data(state)

    @callback
    def _start_reauth(self) -> None:
        self.config_entry.async_start_reauth(
            self.hass, data={"subentry_id": self.subentry.subentry_id}
        )


def _values(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what the provider has to know."""
    return {key: str(value) for key, value in data.items() if key != CONF_PROVIDER}


def _fingerprint(subentry: ConfigSubentry) -> str:
    data = subentry.data
    return fingerprint(data[CONF_PROVIDER], data[CONF_HOSTNAME], _values(data))
