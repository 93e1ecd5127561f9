"""What a check of a port has come to, as actions and attributes show it."""

from collections.abc import Mapping

from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from .advice import advice
from .coordinator import Check, PortCoordinator
from .outside import Family


def shown_blocker(port: PortCoordinator, family: Family) -> Mapping[str, object] | None:
    """Return what stands beside what stops a port: who may be meant, what to do, and the steps."""
    found = port.data.checks.get(family)
    if found is None:
        return None
    diagnosis = found.diagnosis
    return {
        "candidates": [each.value for each in diagnosis.candidates],
        "advice": advice(port.hass, port, found),
        "next_step": diagnosis.next_step,
        "steps": {each.step.value: each.state.value for each in diagnosis.steps},
    }


def shown_checks(port: PortCoordinator) -> JsonObjectType:
    """Return the whole chain over each family, with how long the steps took, and what to do."""
    return {
        "external_port": port.external_port,
        "checked": port.data.checked.isoformat() if port.data.checked else None,
        **{
            f"ipv{family}": _shown(found)
            | {"queued": port.checks.waits(family), "advice": advice(port.hass, port, found)}
            for family, found in port.data.checks.items()
        },
    }


def _shown(found: Check) -> JsonObjectType:
    diagnosis = found.diagnosis
    return {
        "reachability": diagnosis.reachability and diagnosis.reachability.value,
        "blocked_by": diagnosis.blocked_by and diagnosis.blocked_by.value,
        "candidates": [each.value for each in diagnosis.candidates],
        "next_step": diagnosis.next_step and diagnosis.next_step.value,
        "checked": found.checked.isoformat() if found.checked else None,
        "address": None if found.probed is None else str(found.probed),
        **_validity(found),
        "problem": found.problem.translation_key if found.problem else None,
        "steps": [
            {
                "step": each.step.value,
                "state": each.state.value,
                "detail": each.detail and each.detail.value,
                "seconds": None if each.seconds is None else round(each.seconds, 3),
            }
            for each in diagnosis.steps
        ],
    }


def _validity(found: Check) -> JsonObjectType:
    shown = found.certificate
    days = shown.days_left(dt_util.utcnow()) if shown else None
    return {
        "certificate_expires": shown.expires.isoformat() if shown and shown.expires else None,
        "certificate_days": None if days is None else round(days, 1),
    }
