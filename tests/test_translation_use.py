"""The translation check is quiet about a good integration and finds each thing that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from .test_translations import icon_problems, problems, unlike
from .translation_use import leaves

FILES = {
    "const.py": 'CONF_PORT = "port"\nSERVICE = "send"',
    "room/__init__.py": """
class RoomError(Exception):
    translation_key = "room_failed"

class Refused(RoomError):
    translation_key = "room_refused"

class Coded(RoomError):
    def __init__(self, code: int) -> None:
        self.translation_key = f"code_{code}" if code else "code_other"

def validate(values: dict[str, str]) -> dict[str, str]:
    errors = {}
    errors["zone"] = "not_in_zone"
    return errors
""",
    "mode.py": """
from enum import StrEnum, auto

class Mode(StrEnum):
    HOME = "home"
    AWAY = auto()
""",
    "config_flow.py": """
import voluptuous as vol
from homeassistant.config_entries import ConfigFlow, OptionsFlow, ConfigSubentryFlow
from homeassistant.const import CONF_HOST
from homeassistant.data_entry_flow import section
from .const import CONF_PORT
from .room import RoomError, validate

SCHEMA = vol.Schema({
    vol.Required(CONF_HOST): str,
    vol.Required("more"): section(vol.Schema({vol.Optional(CONF_PORT): str}), {}),
})

class Flow(ConfigFlow, domain="house"):
    @classmethod
    def async_get_supported_subentry_types(cls, entry):
        return {"room": RoomFlow}

    async def async_step_user(self, user_input=None):
        return self.async_show_menu(step_id="user", menu_options=["host", "none"])

    async def async_step_host(self, user_input=None):
        errors = {}
        try:
            self._abort_if_unique_id_configured()
        except RoomError as err:
            errors[CONF_HOST] = err.translation_key
        if user_input == 1:
            errors["base"] = "bad_host"
        schema = self.add_suggested_values_to_schema(SCHEMA, user_input or {"x": 1})
        return self.async_show_form(step_id="host", data_schema=schema, errors=errors)

    async def async_step_none(self, user_input=None):
        return self.async_abort(reason="no_luck" if user_input else "no_house")

class Options(OptionsFlow):
    async def async_step_init(self, user_input=None):
        return self.async_show_form(data_schema=_schema(), errors=validate(user_input))

class RoomFlow(ConfigSubentryFlow):
    async def async_step_user(self, user_input=None):
        return self._ask("user", {vol.Required("name"): str})

    async def async_step_reconfigure(self, user_input=None):
        return self._ask("reconfigure", {vol.Required("name"): str, vol.Optional("note"): str})

    async def async_step_back(self, user_input=None):
        return self._ask(self._step, {vol.Required("name"): str})

    def _ask(self, step, fields):
        self._step, self._fields = step, fields
        return self.async_show_form(step_id=step, data_schema=vol.Schema(fields))

class Forgotten(ConfigSubentryFlow):
    async def async_step_user(self, user_input=None):
        return self.async_show_form(step_id="forgotten")

def _schema():
    return vol.Schema({vol.Optional(CONF_PORT): str}).extend({"plain": str})
""",
    "sensor.py": """
from homeassistant.components.sensor import SensorEntityDescription
from homeassistant.exceptions import HomeAssistantError
from .mode import Mode

MODE = SensorEntityDescription(
    key="m", translation_key="mode", options=[mode.value for mode in Mode])

def fail(err):
    raise HomeAssistantError(translation_domain="house", translation_key=err.translation_key)

def stop(mode):
    raise HomeAssistantError(translation_domain="house", translation_key=f"mode_{mode}")
""",
    "event.py": """
class Bell(EventEntity):
    _attr_translation_key = "bell"
    _attr_event_types = ["rung"]
""",
    "repairs.py": """
def issue(hass):
    ir.async_create_issue(hass, "house", "x", is_fixable=True, translation_key="broken")

class Repair(RepairsFlow):
    async def async_step_init(self, user_input=None):
        return self.async_show_form(step_id="confirm", data_schema=vol.Schema({}))
""",
    "services.yaml": "send:\n  fields:\n    text:\n      example: hi\n",
    "icons.json": json.dumps(
        {
            "entity": {"sensor": {"mode": {"default": "mdi:a", "state": {"home": "mdi:b"}}}},
            "services": {"send": {"service": "mdi:send"}},
        }
    ),
}
SAYS = "Some words"
TEXTS: dict[str, Any] = {
    "title": SAYS,
    "config": {
        "step": {
            "user": {"title": SAYS, "menu_options": {"host": SAYS, "none": SAYS}},
            "host": {
                "data": {"host": SAYS},
                "data_description": {"host": SAYS},
                "sections": {"more": {"name": SAYS, "data": {"port": SAYS}}},
            },
        },
        "error": {
            "bad_host": SAYS, "room_refused": SAYS, "code_3": SAYS, "code_other": SAYS,
        },
        "abort": {"already_configured": SAYS, "no_luck": SAYS, "no_house": SAYS},
    },
    "options": {
        "step": {"init": {"data": {"port": SAYS, "plain": SAYS}}}, "error": {"not_in_zone": SAYS},
    },
    "config_subentries": {
        "room": {
            "entry_type": SAYS,
            "initiate_flow": {"user": SAYS, "reconfigure": SAYS},
            "step": {
                "user": {"data": {"name": SAYS}},
                "reconfigure": {"data": {"name": SAYS, "note": SAYS}},
            },
        }
    },
    "entity": {
        "sensor": {"mode": {"name": SAYS, "state": {"home": SAYS, "away": SAYS}}},
        "event": {
            "bell": {"name": SAYS, "state_attributes": {"event_type": {"state": {"rung": SAYS}}}}
        },
    },
    "exceptions": {"mode_home": {"message": SAYS}, "code_4": {"message": SAYS}},
    "issues": {"broken": {"title": SAYS, "fix_flow": {"step": {"confirm": {"title": SAYS}}}}},
    "services": {
        "send": {"name": SAYS, "description": SAYS, "fields": {"text": {"name": SAYS}}}
    },
}  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Write a small integration that has all its texts."""
    folder = tmp_path / "custom_components/house"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_a_good_integration(house: Path) -> None:
    texts = leaves(TEXTS)
    assert problems(house, texts, {}) == []
    assert icon_problems(house, texts) == []
    assert unlike(texts, texts) == []


# Two of these errors have a second text that will do, or are one of several for a pattern.
SPARE = {
    "config.error.code_3", "exceptions.code_4.message", "title",
    "config.step.user.title", "config.step.host.data_description.host",
    "entity.sensor.mode.name", "entity.event.bell.name",
    "issues.broken.fix_flow.step.confirm.title",
}  # fmt: skip


@pytest.mark.parametrize("path", sorted(leaves(TEXTS).keys() - SPARE))
def test_each_text_is_missed(house: Path, path: str) -> None:
    texts = leaves(TEXTS)
    del texts[path]
    key = path.removesuffix(".message").rpartition(".")[2]
    found = problems(house, texts, {})
    # Of keys that are made up where the program runs only the beginning is known.
    assert any(key.partition("_")[0] in each for each in found), found


@pytest.mark.parametrize(
    "path",
    [
        "config.step.gone.title",
        "config.step.host.data.gone",
        "config.step.host.data_description.gone",
        "config.step.host.sections.more.data.gone",
        "config.step.user.menu_options.gone",
        "config.error.gone",
        "config.abort.gone",
        "config_subentries.room.step.user.data.note",
        "config_subentries.room.step.forgotten.title",
        "config_subentries.gone.entry_type",
        "options.step.init.data.host",
        "entity.sensor.gone.name",
        "entity.sensor.mode.state.gone",
        "entity.switch.mode.name",
        "exceptions.gone.message",
        "issues.gone.title",
        "services.gone.name",
        "services.send.fields.gone.name",
        "gone",
    ],
)
def test_each_text_without_use_is_found(house: Path, path: str) -> None:
    assert problems(house, {**leaves(TEXTS), path: SAYS}, {}) == [f"{path} is never used"]


MORE_STEPS = """
class More(OptionsFlow):
    async def async_step_more(self, user_input=None):
        return self.async_show_form({})
"""
FIELD_OF_TABLE = "data_schema=vol.Schema({vol.Required(each.key): str for each in FIELDS})"


@pytest.mark.parametrize(
    ("file", "code", "complaint"),
    [
        ("sensor.py", 'SensorEntityDescription(key="a", translation_key="b")', "sensor.b is miss"),
        ("sensor.py", 'MODE = replace(MODE, translation_key="b")', "translation_key of replace"),
        (
            "sensor.py",
            'SensorEntityDescription(translation_key="mode", options=ask())',
            "mode.state that TABLES",
        ),
        (
            "sensor.py",
            'SelectSelectorConfig(options=list(Mode), translation_key="mode")',
            "selector.mode.options.away is missing",
        ),
        ("sensor.py", 'DeviceInfo(translation_key="line")', "device.line.name is missing"),
        ("mode.py", 'D = SensorEntityDescription(translation_key="b")', "outside the platforms"),
        ("mode.py", '    LOST = "lost"', "entity.sensor.mode.state.lost is missing"),
        ("room/__init__.py", "class N(RoomError): translation_key = 'b'", "b: an error without"),
        ("room/__init__.py", 'raise ValueError("invalid_zone")', "invalid_zone: an error without"),
        ("config_flow.py", MORE_STEPS.format("step_id=user_input"), "options.step that TABLES"),
        (
            "config_flow.py",
            MORE_STEPS.format(FIELD_OF_TABLE),
            "options.step.more.data that TABLES",
        ),
        ("services.yaml", "stop:", "services.stop.name is missing"),
    ],
)
def test_each_new_use_is_found(house: Path, file: str, code: str, complaint: str) -> None:
    with (house / file).open("a", encoding="utf-8") as changed:
        changed.write(f"{code}\n")
    found = problems(house, leaves(TEXTS), {})
    assert any(complaint in each for each in found), found


def test_keys_from_a_table(house: Path) -> None:
    with (house / "config_flow.py").open("a", encoding="utf-8") as changed:
        changed.write(MORE_STEPS.format(FIELD_OF_TABLE))
    texts = leaves(TEXTS)
    tables = {"options.step.more.data": {"server"}}
    assert problems(house, texts, tables) == [
        "options.step.more is missing, used in config_flow.py:63",
        "options.step.more.data.server is missing, used in a table",
    ]
    assert problems(house, texts | {"options.step.more.data.server": SAYS}, tables) == []


def test_languages() -> None:
    assert unlike({"a": "{x}", "b": "1"}, {"a": "{x} {x}", "c": "2"}) == [
        "b: only in one",
        "c: only in one",
    ]
    assert unlike({"a": "{x} and {y}"}, {"a": "{x} and {z}"}) == ["a: other placeholders"]


def test_icons(house: Path) -> None:
    icons = {"entity": {"sensor": {"mode": {"state": {"lost": "mdi:x"}}, "gone": {"default": "x"}}}}
    (house / "icons.json").write_text(json.dumps(icons), encoding="utf-8")
    assert icon_problems(house, leaves(TEXTS)) == [
        "icons.json: entity.sensor.mode.state.lost has an icon but no name",
        "icons.json: entity.sensor.gone.default has an icon but no name",
    ]
