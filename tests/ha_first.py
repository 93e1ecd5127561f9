"""A pytest plugin that only imports Home Assistant, before any other plugin is loaded.

On import, Home Assistant 2026.11 puts engines of its own in the place of httpx and voluptuous. It
refuses if httpx was imported before, and pytest plugins do import it.
"""

from homeassistant.components import logger
from homeassistant.components.logger import helpers

# The newest test package is made for 2026.10.4 and looks for this name where it was then.
if not hasattr(logger, "_clear_logger_overwrites"):
    logger._clear_logger_overwrites = helpers._clear_logger_overwrites  # type: ignore[attr-defined]
