"""What people do with ports, opening, closing and checking them, with failures in their words."""

from datetime import timedelta

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .allowed_ports import in_words, nearest_free, own_port_set, taken_ports
from .const import CONF_INTERNAL_PORT, CONF_TRY_ANYWAY, DOMAIN, Family
from .coordinator import HomeportConfigEntry, PortCoordinator
from .errors import translated
from .gateway import ActionRefused, GatewayError
from .line import Openable


async def open_port(port: PortCoordinator, duration: timedelta | None = None) -> None:
    """Open a port, for as long as its settings say if no `duration` is given.

    Raises HomeAssistantError with what stops it.
    """
    _raise_uncontrolled(port)
    if not port.subentry.data.get(CONF_TRY_ANYWAY):
        _raise_obstacle(port)
    await _find(port)
    await _want(port, wanted=True, duration=duration or port.close_after)
    _raise_unknown_target(port)
    if holder := port.data.holder:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="foreign_mapping",
            translation_placeholders={
                "port": str(port.external_port),
                "client": holder.internal_client,
                "description": holder.description,
            },
        )


async def close_port(port: PortCoordinator) -> None:
    """Close a port. Raises HomeAssistantError when the router does not."""
    _raise_uncontrolled(port)
    await _want(port, wanted=False)


async def look_at_port(port: PortCoordinator) -> None:
    """Look at a port from outside; what that has come to is in its report."""
    await port.async_check()


async def check_port(port: PortCoordinator) -> None:
    """Look at a port from outside. Raises HomeAssistantError where nobody outside has answered."""
    found = (await port.async_check()).values()
    problem = next((each.problem for each in found if each.problem), None)
    if problem and not any(each.checked for each in found):
        raise translated(problem) from problem


async def close_all_ports(entry: HomeportConfigEntry) -> tuple[list[str], dict[str, str]]:
    """Close every port of a line; return the names of those closed, and why others are not.

    Raises ServiceValidationError where there is no router to tell.
    """
    if entry.runtime_data.table is None:
        raise no_gateway()
    closed: list[str] = []
    failed: dict[str, str] = {}
    for port, err in (await entry.runtime_data.async_close_all()).items():
        if err is None:
            closed.append(port.name)
        else:
            failed[port.name] = str(translated(err))
    return closed, failed


async def press_close_all(entry: HomeportConfigEntry) -> None:
    """Close every port of a line. Raises HomeAssistantError with those that are not closed."""
    _, failed = await close_all_ports(entry)
    if failed:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="not_all_closed",
            translation_placeholders={
                "ports": "; ".join(f"{name}: {reason}" for name, reason in failed.items())
            },
        )


def no_gateway() -> ServiceValidationError:
    """Return what says that there is no router to be told anything."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="no_gateway")


def _raise_uncontrolled(port: PortCoordinator) -> None:
    """Raise ServiceValidationError where it is not for Homeport to open and close a port."""
    if port.by_hand:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="opened_by_hand")
    if not port.controlled:
        raise no_gateway()


def _raise_obstacle(port: PortCoordinator) -> None:
    """Raise ServiceValidationError where the line lets nothing in at a port."""
    line = port.line.data
    if Family.IPV4 in port.families and line.mode and line.ipv4_openable is Openable.NONE:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key=f"line_{line.mode}")
    if Family.IPV6 in port.families and line.ipv6_mode and line.ipv6_openable is Openable.NONE:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="line_no_ipv6")
    port_set = own_port_set(line)
    # One that may be moved is, as soon as it is looked at.
    if port_set and port.port_allowed is False and not port.automatic.movable:
        taken = taken_ports(port.config_entry, port.protocol)
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="port_not_in_set",
            translation_placeholders={
                "port": str(port.external_port),
                "nearest": str(nearest_free(port_set, port.external_port, taken) or "-"),
                "ranges": in_words(port_set),
            },
        )


async def _find(port: PortCoordinator) -> None:
    """Look for the device once more, if it is not known where that is."""
    ipv6_unknown = port.pinhole.asked and port.pinhole.address is None
    if port.target.ipv4 is None or ipv6_unknown:
        await port.target.async_look()


def _raise_unknown_target(port: PortCoordinator) -> None:
    """Raise HomeAssistantError where it is not known where a port is to lead."""
    if Family.IPV4 in port.families and port.target.name and port.target.ipv4 is None:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="target_unknown",
            translation_placeholders={"client": port.target.name},
        )


async def _want(port: PortCoordinator, *, wanted: bool, duration: timedelta | None = None) -> None:
    try:
        await port.async_want(wanted=wanted, duration=duration)
    except GatewayError as err:
        port_set = port.line.data.port_set
        if port_set and port.port_allowed is False and isinstance(err, ActionRefused):
            # What routers say of a port that the provider has given to another home.
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="refused_outside_the_set",
                translation_placeholders={
                    "port": str(port.external_port),
                    "code": str(err.code),
                    "ranges": in_words(port_set),
                },
            ) from err
        if port.is_own_only(err):
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="own_only",
                translation_placeholders={
                    "protocol": port.protocol.value,
                    "port": str(port.external_port),
                    "client": str(port.target.ipv4),
                    "internal_port": str(port.subentry.data[CONF_INTERNAL_PORT]),
                },
            ) from err
        raise translated(err) from err
