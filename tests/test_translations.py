"""Every translation that the code asks for exists in each language, and no other does."""

from collections.abc import Iterable, Mapping
from itertools import chain
import json
from pathlib import Path
import re

import pytest

from custom_components.homeport.ddns import PROVIDERS
from custom_components.homeport.gateway.errors import EXPLAINED_CODES
from custom_components.homeport.line import AddressKind, Confidence, Openable, Reason, Remedy
from custom_components.homeport.ports import Advice, BlockedBy, Candidate

from .flow_translation_use import FlowCollector
from .string_values import Values
from .translation_use import Collector, Uses, leaves, load

HOMEPORT = Path(__file__).parents[1] / "custom_components/homeport"
LANGUAGES = "en", "ja"

# What the code takes from tables, which its text does not show.
_HOSTNAME = "config_subentries.hostname.step"
_ATTRIBUTES: dict[str, dict[str, Iterable[str]]] = {
    "binary_sensor.ipv4_openable": {"openable": Openable},
    "binary_sensor.ipv6_openable": {"openable": Openable},
    "sensor.line_mode": {
        "confidence": Confidence,
        "overridden": ("true", "false"),
        "reasons": Reason,
        "remedies": Remedy,
    },
    "sensor.ipv6_mode": {"confidence": Confidence},
    "sensor.carrier": {"confidence": Confidence},
    "sensor.blocked_by": {"candidates": Candidate},
    "sensor.blocked_by_ipv6": {"candidates": Candidate},
}
TABLES: dict[str, set[str]] = {
    "exceptions": {
        *(f"upnp_{code}.message" for code in EXPLAINED_CODES),
        *(f"pcp_{code}.message" for code in range(1, 14)),
        *(f"natpmp_{code}.message" for code in range(1, 6)),
    },
    "issues": {
        f"blocked_{step}.{text}"
        # What is reachable needs nothing to be done.
        for step in chain(BlockedBy, Advice)
        if step is not BlockedBy.NOTHING
        for text in ("title", "description")
    },
    "entity.sensor.wan_address_kind.state": {kind.value for kind in AddressKind if kind.ipv4},
    **{
        f"entity.{entity}.state_attributes.{attribute}.state": set(map(str, states))
        for entity, attributes in _ATTRIBUTES.items()
        for attribute, states in attributes.items()
    },
    _HOSTNAME: set(PROVIDERS),
    f"{_HOSTNAME}.user.menu_options": set(PROVIDERS),
    **{
        f"{_HOSTNAME}.{name}.data": {"hostname", *(field.key for field in spec.fields)}
        for name, spec in PROVIDERS.items()
    },
    "config.step.reauth_confirm.data": {
        field.key for spec in PROVIDERS.values() for field in spec.reauth_fields
    },
}


def uses_of(collector: Collector, tables: Mapping[str, Iterable[str]]) -> Uses:
    """Return what an integration asks for; `tables` has the keys that its code does not show."""
    uses = collector.collect()
    FlowCollector(collector).collect()
    for path, place in uses.dynamic.items():
        if path not in tables:
            uses.unclear.add(f"{place}: keys of {path} that TABLES of this test does not name")
    for path, keys in tables.items():
        beside = re.escape(path).replace(r"\.data", r"\.(data|data_description)")
        for key in keys:
            uses.required[f"{path}.{key}"] = "a table"
            uses.covered.add(rf"{beside}\.{key}")
    return uses


def carried_nowhere(carried: Values, texts: Iterable[str]) -> list[str]:
    """Name the keys that errors carry and that no place where errors are shown has a text for."""
    shown = [path for path in texts if re.search(r"^exceptions\.|\.(error|abort)\.", path)]
    ends = {path.removesuffix(".message").rpartition(".")[2] for path in shown}
    return [
        *(f"{key}: an error without a text" for key in sorted(carried.exact - ends)),
        *(
            f"{pattern}: errors without a text"
            for pattern in sorted(carried.patterns)
            if not any(re.fullmatch(pattern, end) for end in ends)
        ),
    ]


def problems(folder: Path, texts: Mapping[str, str], tables: Mapping[str, set[str]]) -> list[str]:
    """Name everything that is missing, unused, or could not be read."""
    collector = Collector(folder)
    uses = uses_of(collector, tables)
    covered = re.compile("|".join(f"(?:{each})" for each in uses.covered))
    return [
        *(f"cannot be read: {place}" for place in sorted(uses.unclear)),
        *(
            f"{path} is missing, used in {place}"
            for path, place in sorted(uses.required.items())
            if not any(each == path or each.startswith(f"{path}.") for each in texts)
        ),
        *(
            f"nothing for {pattern}, used in {place}"
            for pattern, place in sorted(uses.required_patterns.items())
            if not any(re.match(rf"{pattern}(\.|$)", each) for each in texts)
        ),
        *carried_nowhere(collector.carried, texts),
        *(f"{path} is never used" for path in sorted(texts) if not covered.fullmatch(path)),
    ]


def placeholders(text: str) -> set[str]:
    """Return the names in braces."""
    return set(re.findall(r"\{(\w+)\}", text))


def unlike(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """Name the texts that only one language has, or that differ in their placeholders."""
    return [f"{path}: only in one" for path in sorted(first.keys() ^ second.keys())] + [
        f"{path}: other placeholders"
        for path in sorted(first.keys() & second.keys())
        if placeholders(first[path]) != placeholders(second[path])
    ]


def icon_problems(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Name the icons of entities, states and actions that do not exist."""
    icons = leaves(json.loads((folder / "icons.json").read_text(encoding="utf-8")))
    # Of the paths, what comes before the texts: entity.sensor.mode, services.open.
    owners = {".".join(path.split(".")[:3]) for path in texts if path.startswith("entity.")}
    owners |= {".".join(path.split(".")[:2]) for path in texts if path.startswith("services.")}
    wrong = []
    for path in icons:
        owner = ".".join(path.split(".")[: 3 if path.startswith("entity.") else 2])
        is_state = ".state." in path and not path.endswith((".on", ".off"))
        if owner not in owners or (is_state and path not in texts):
            wrong.append(f"icons.json: {path} has an icon but no name")
    return wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_complete_and_used(language: str) -> None:
    assert problems(HOMEPORT, load(HOMEPORT, language), TABLES) == []


def test_languages_are_alike() -> None:
    first, *others = (load(HOMEPORT, language) for language in LANGUAGES)
    files = {path.stem for path in (HOMEPORT / "translations").glob("*.json")}
    assert files == set(LANGUAGES)
    for other in others:
        assert unlike(first, other) == []


def test_texts_are_texts() -> None:
    for language in LANGUAGES:
        empty = [path for path, text in load(HOMEPORT, language).items() if not text.strip()]
        assert empty == []


def test_icons() -> None:
    assert icon_problems(HOMEPORT, load(HOMEPORT, "en")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_four_names_of_japanese_lines(language: str) -> None:
    texts = load(HOMEPORT, language)
    for at in "selector.{}.options", "entity.sensor.{}.state":
        ipv4, ipv6 = at.format("line_mode"), at.format("ipv6_mode")
        assert texts[f"{ipv4}.pppoe"] == "IPv4 PPPoE"
        assert texts[f"{ipv4}.map_e"] == "IPv6 IPoE (MAP-E)"
        assert texts[f"{ipv4}.ds_lite"] == "IPv6 IPoE (DS-Lite)"
        assert texts[f"{ipv6}.pppoe"] == "IPv6 PPPoE"


def below(texts: Mapping[str, str], before: str) -> dict[str, str]:
    """Return the texts whose paths begin with something, without it."""
    return {
        path.removeprefix(before): text for path, text in texts.items() if path.startswith(before)
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_options_and_sensors_use_the_same_words(language: str) -> None:
    texts = load(HOMEPORT, language)
    for key in "line_mode", "ipv6_mode":
        states = below(texts, f"entity.sensor.{key}.state.")
        options = below(texts, f"selector.{key}.options.")
        del options["automatic"]
        assert options == states
