"""Every translation that the code asks for exists in each language, and no other does."""

from collections.abc import Iterable, Mapping
import json
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.homeport.ddns import PROVIDERS

from .flow_translation_use import FlowCollector
from .translation_use import Collector, Uses, leaves, load

HOMEPORT = Path(__file__).parents[1] / "custom_components/homeport"
LANGUAGES = "en", "ja"

# What the flows take from tables, which the text of the code does not show.
_HOSTNAME = "config_subentries.hostname.step"
TABLES: dict[str, set[str]] = {
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


def uses_of(folder: Path, tables: Mapping[str, Iterable[str]]) -> Uses:
    """Return what an integration asks for; `tables` has the keys that its code does not show."""
    collector = Collector(folder)
    uses = collector.collect()
    FlowCollector(collector).collect()
    for path, place in uses.dynamic.items():
        if path not in tables:
            uses.unclear.add(f"{place}: keys of {path} that TABLES of this test does not name")
    for path, keys in tables.items():
        for key in keys:
            uses.required[f"{path}.{key}"] = "a table"
            beside = re.escape(path).replace(r"\.data", r"\.(data|data_description)")
            uses.covered.add(rf"{beside}\.{key}")
    return uses


def carried_nowhere(folder: Path, there: Iterable[str]) -> list[str]:
    """Name the keys of exceptions and room's errors that no place has a text for."""
    carried = Collector(folder).carried
    ends = {
        match[1]
        for path in there
        if (match := re.fullmatch(r"exceptions\.(\w+)\.message|.+\.(?:error|abort)\.(\w+)", path))
        and (match[1] or match[2])
    } | {path.rpartition(".")[2] for path in there if re.search(r"\.(error|abort)\.\w+$", path)}
    missing = [f"exceptions or error: {key} is missing" for key in sorted(carried.exact - ends)]
    return missing + [
        f"exceptions or error: nothing for {pattern}"
        for pattern in carried.patterns
        if not any(end and re.fullmatch(pattern, end) for end in ends)
    ]


def problems(folder: Path, texts: Mapping[str, str], tables: Mapping[str, set[str]]) -> list[str]:
    """Name everything that is missing, unused, or could not be read."""
    uses = uses_of(folder, tables)
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
        *carried_nowhere(folder, texts),
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
    known = {path.rpartition(".")[0] for path in texts} | set(texts)
    services = {path.split(".")[1] for path in texts if path.startswith("services.")}
    wrong = []
    for path in icons:
        owner = re.sub(r"\.default$", "", path)
        if path.startswith("services."):
            exists = path.split(".")[1] in services
        elif "state" in path.split(".") and not re.search(r"\.(on|off)$", path):
            exists = owner in texts
        else:
            exists = ".".join(owner.split(".")[:3]) in {
                ".".join(each.split(".")[:3]) for each in known
            }
        if not exists:
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
