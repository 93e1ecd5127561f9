"""What Home Assistant, HACS and the Marketplace want of the files beside the code."""

import json
from pathlib import Path
import re
from typing import Any
import xml.etree.ElementTree as ET

from homeassistant.const import __version__ as running
import pytest
import yaml

from tests.integration.steps import INTEGRATION, TEXTS

ROOT = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = json.loads((INTEGRATION / "manifest.json").read_text("utf-8"))
HACS: dict[str, Any] = json.loads((ROOT / "hacs.json").read_text("utf-8"))
ICONS: dict[str, Any] = json.loads((INTEGRATION / "icons.json").read_text("utf-8"))
SERVICES: dict[str, Any] = yaml.safe_load((INTEGRATION / "services.yaml").read_text("utf-8"))

# github.com/hacs/integration, validate/ and custom_components/hacs/utils/validate.py
HACS_KEYS = {
    "content_in_root",
    "country",
    "filename",
    "hacs",
    "hide_default_branch",
    "homeassistant",
    "name",
    "persistent_directory",
    "render_readme",
    "zip_release",
}
MANIFEST_KEYS = {"codeowners", "documentation", "domain", "issue_tracker", "name", "version"}
IGD = {f"urn:schemas-upnp-org:device:InternetGatewayDevice:{version}" for version in (1, 2)}


def test_manifest_has_what_is_wanted() -> None:
    assert set(MANIFEST) >= MANIFEST_KEYS
    assert MANIFEST["domain"] == INTEGRATION.name == "homeport"
    assert MANIFEST["config_flow"] is True
    assert MANIFEST["integration_type"] == "hub"
    assert MANIFEST["iot_class"] == "local_push"
    assert {"network", "ssdp"} <= set(MANIFEST["dependencies"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])
    for key in "documentation", "issue_tracker":
        assert MANIFEST[key].startswith("https://")


def test_manifest_keys_are_in_the_order_that_hassfest_wants() -> None:
    keys = list(MANIFEST)
    assert keys == ["domain", "name", *sorted(keys[2:])]


def test_requirements_have_lower_bounds_only() -> None:
    """An exact version would clash with the one that Home Assistant pins for itself."""
    assert MANIFEST["requirements"]
    for requirement in MANIFEST["requirements"]:
        assert re.fullmatch(r"[a-z0-9-]+>=\d+(\.\d+)*", requirement), requirement


def test_gateways_are_discovered_by_search_and_by_announcement() -> None:
    assert {matcher["st"] for matcher in MANIFEST["ssdp"] if "st" in matcher} == IGD
    assert {matcher["nt"] for matcher in MANIFEST["ssdp"] if "nt" in matcher} == IGD


def test_version_is_the_same_everywhere() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'\nversion = "{MANIFEST["version"]}"\n' in project


def test_hacs() -> None:
    assert set(HACS) <= HACS_KEYS
    assert HACS["name"] == MANIFEST["name"]
    oldest = tuple(int(part) for part in HACS["homeassistant"].split("."))
    assert oldest[:2] == (2026, 10)
    assert oldest <= tuple(int(part) for part in running.split(".")[:3])


@pytest.mark.parametrize(
    ("name", "width"),
    [("icon.png", 256), ("icon@2x.png", 512)],
)
def test_icon(name: str, width: int) -> None:
    data = (INTEGRATION / "brand" / name).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (width, width)


def test_drawings_are_well_formed() -> None:
    for drawing in (INTEGRATION / "brand").rglob("*.svg"):
        ET.parse(drawing)


def test_actions_are_described_in_all_three_files() -> None:
    assert set(SERVICES) == set(TEXTS["services"]) == set(ICONS["services"])
    for name, described in SERVICES.items():
        texts = TEXTS["services"][name]
        assert texts["name"]
        assert texts["description"]
        assert set(described.get("fields", {})) == set(texts.get("fields", {}))
        for field in texts.get("fields", {}).values():
            assert field["name"]
            assert field["description"]


def test_every_entity_has_an_icon() -> None:
    for platform, entities in TEXTS["entity"].items():
        without_class = set(entities) - set(ICONS["entity"].get(platform, {}))
        # A device class brings an icon of its own.
        assert without_class <= {"last_check"}, platform


def test_icons_are_of_what_exists() -> None:
    for platform, entities in ICONS["entity"].items():
        assert set(entities) <= set(TEXTS["entity"][platform])
        for key, icons in entities.items():
            states = TEXTS["entity"][platform][key].get("state", {"on": "", "off": ""})
            assert set(icons.get("state", {})) <= set(states)
            for icon in [icons["default"], *icons.get("state", {}).values()]:
                assert re.fullmatch(r"mdi:[a-z0-9-]+", icon)
