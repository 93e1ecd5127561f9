"""Repair issues of ports: another home's, another device's, and those that the router refuses."""

from functools import partial
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .advice import placeholders, shown
from .allowed_ports import in_words, own_port_set
from .const import CONF_INTERNAL_PORT, DOMAIN
from .coordinator import HomeportConfigEntry, PortCoordinator
from .line import Openable
from .outside import Family
from .ports import MappingState, is_curable

_NOT_IN_SET: Final = "port_not_in_set_"
_FOREIGN: Final = "foreign_mapping_"
_OWN_ONLY: Final = "own_only_"
_PINHOLE: Final = "pinhole_by_hand_"
_BLOCKED_BY_FAMILY: Final[dict[Family, str]] = {4: "blocked_ipv4_", 6: "blocked_ipv6_"}
_EXPOSED: Final = "exposed_host_"


@callback
def async_watch_ports(hass: HomeAssistant, entry: HomeportConfigEntry) -> None:
    """Raise the issues of an entry, and withdraw them, until it is unloaded."""
    data = entry.runtime_data

    def follow(port: PortCoordinator) -> None:
        entry.async_on_unload(port.async_add_listener(partial(_look, hass, entry, port)))

    @callback
    def look_at_all() -> None:
        _look_at_exposure(hass, entry)
        for port in data.ports.values():
            _look(hass, entry, port)

    data.async_on_subentry(PortCoordinator, follow)
    entry.async_on_unload(data.line.async_add_listener(look_at_all))


@callback
def async_forget_removed(hass: HomeAssistant) -> None:
    """Withdraw the issues of lines and ports that are gone."""
    entries = hass.config_entries.async_entries(DOMAIN)
    owners = {each.entry_id for each in entries}.union(*(each.subentries for each in entries))
    by_port = _NOT_IN_SET, _FOREIGN, _OWN_ONLY, _PINHOLE, *_BLOCKED_BY_FAMILY.values()
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain != DOMAIN:
            continue
        for prefix in _EXPOSED, *by_port:
            if issue_id.startswith(prefix) and issue_id.removeprefix(prefix) not in owners:
                ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def _look(hass: HomeAssistant, entry: HomeportConfigEntry, port: PortCoordinator) -> None:
    """Raise the issues of a port, or withdraw those that are cured.

    While it is not known how things stand they stay as they are: to withdraw one would also forget
    that the user wants to hear no more of it.
    """
    if port.subentry.subentry_id in entry.subentries:
        _look_at_port_set(hass, entry, port)
        _look_at_holder(hass, port)
        _look_at_refusal(hass, port)
        _look_at_pinhole(hass, port)
        for family, prefix in _BLOCKED_BY_FAMILY.items():
            _look_at_blocker(hass, port, family, prefix)


@callback
def _look_at_exposure(hass: HomeAssistant, entry: HomeportConfigEntry) -> None:
    exposure = entry.runtime_data.exposure
    issue_id = f"{_EXPOSED}{entry.entry_id}"
    families = [f"IPv{family}" for family in exposure.exposed_over]
    if families:
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="exposed_host",
            translation_placeholders={"families": ", ".join(families)},
        )
    elif exposure.exposed is False:
        ir.async_delete_issue(hass, DOMAIN, issue_id)


def _look_at_blocker(
    hass: HomeAssistant, port: PortCoordinator, family: Family, prefix: str
) -> None:
    """Raise what was found when it was looked at last, for as long as that may be true."""
    found = port.data.checks.get(family)
    step = found.diagnosis.next_step if found else None
    if found and step and is_curable(step) and (port.data.wanted or port.by_hand):
        _say_what_to_do(
            hass, port, prefix, f"blocked_{step.value}", placeholders(hass, port, found)
        )
    else:
        _withdraw(hass, port, prefix)


def _look_at_port_set(
    hass: HomeAssistant, entry: HomeportConfigEntry, port: PortCoordinator
) -> None:
    subentry, line = port.subentry, port.line.data
    issue_id = f"{_NOT_IN_SET}{subentry.subentry_id}"
    if not port.data.wanted or port.automatic.movable:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
    elif port.port_allowed is False and (port_set := own_port_set(line)):
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            data={"entry_id": entry.entry_id, "subentry_id": subentry.subentry_id},
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key="port_not_in_set",
            translation_placeholders={
                "name": subentry.title,
                "port": str(port.external_port),
                "ranges": in_words(port_set),
            },
        )
    elif port.port_allowed or line.ipv4_openable is not Openable.UNKNOWN:
        ir.async_delete_issue(hass, DOMAIN, issue_id)


def _look_at_holder(hass: HomeAssistant, port: PortCoordinator) -> None:
    if port.data.wanted and (holder := port.data.holder):
        _say_what_to_do(
            hass,
            port,
            _FOREIGN,
            "foreign_mapping",
            {
                "protocol": port.protocol.value,
                "port": str(port.external_port),
                "client": shown(holder.internal_client),
                "internal_port": str(holder.internal_port),
                "description": shown(holder.description),
            },
        )
    elif not port.data.wanted or port.data.mapping not in {None, MappingState.FOREIGN}:
        _withdraw(hass, port, _FOREIGN)


def _look_at_refusal(hass: HomeAssistant, port: PortCoordinator) -> None:
    if port.data.wanted and port.data.own_only:
        _say_what_to_do(
            hass,
            port,
            _OWN_ONLY,
            "own_only",
            {
                "protocol": port.protocol.value,
                "port": str(port.external_port),
                "client": str(port.target.ipv4),
                "internal_port": str(port.subentry.data[CONF_INTERNAL_PORT]),
            },
        )
    elif not port.data.wanted or port.data.mapping is not None:
        _withdraw(hass, port, _OWN_ONLY)


def _look_at_pinhole(hass: HomeAssistant, port: PortCoordinator) -> None:
    report = port.data.pinhole
    if report.by_hand and (pinhole := report.pinhole) and port.data.wanted:
        _say_what_to_do(
            hass,
            port,
            _PINHOLE,
            "pinhole_by_hand",
            {
                "client": str(pinhole.client),
                "protocol": pinhole.protocol.value,
                "port": str(pinhole.port),
            },
        )
    elif not port.data.wanted or not port.pinhole.asked or report.state is not None:
        _withdraw(hass, port, _PINHOLE)


def _say_what_to_do(
    hass: HomeAssistant,
    port: PortCoordinator,
    prefix: str,
    key: str,
    placeholders: dict[str, str],
) -> None:
    """Raise an issue that is cured on the router's own pages, with the link there."""
    gateway = port.line.gateway_info
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{prefix}{port.subentry.subentry_id}",
        is_fixable=False,
        learn_more_url=gateway.presentation_url if gateway else None,
        severity=ir.IssueSeverity.WARNING,
        translation_key=key,
        translation_placeholders={"name": port.subentry.title, **placeholders},
    )


def _withdraw(hass: HomeAssistant, port: PortCoordinator, prefix: str) -> None:
    ir.async_delete_issue(hass, DOMAIN, f"{prefix}{port.subentry.subentry_id}")
