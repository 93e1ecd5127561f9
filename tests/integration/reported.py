"""A line that is whatever a test says, for what only shows it."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.line import LineReport


async def report(
    hass: HomeAssistant, entry: MockConfigEntry, patch: pytest.MonkeyPatch, line: LineReport
) -> None:
    """Let a report follow from all evidence, now and later."""
    patch.setattr("custom_components.homeport.coordinator.line.classify", lambda _: line)
    await entry.runtime_data.line.async_detect()
    assert entry.runtime_data.line.data == line
    await hass.async_block_till_done()
