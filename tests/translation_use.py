"""Which translations an integration's code asks for."""

import ast
from dataclasses import dataclass, field
from itertools import chain
import json
from pathlib import Path
import re
from typing import Any

import yaml

from .package_source import Module, Package, last_name
from .string_values import Reader, Scope, Values

PLATFORMS = {
    "binary_sensor", "button", "event", "number", "select", "sensor", "switch", "text", "update",
}  # fmt: skip
TEXTS = "(title|description|submit)"
KEY = "[a-z0-9_-]+"


@dataclass
class Uses:
    """What the code asks for, in dotted paths.

    `required` must be in the translations; of `required_patterns` each has to match one; what is
    there has to be matched by one of `covered`. `unclear`: places that could not be read.
    `dynamic`: paths whose keys come from a table of the code, with the place that uses it.
    """

    required: dict[str, str] = field(default_factory=dict)
    required_patterns: dict[str, str] = field(default_factory=dict)
    covered: set[str] = field(default_factory=set)
    unclear: set[str] = field(default_factory=set)
    dynamic: dict[str, str] = field(default_factory=dict)

    def need(self, before: str, values: Values, after: str, place: str) -> None:
        """Require and cover a path for each of the values."""
        for text in values.exact:
            path = f"{before}{text}{after}"
            self.required.setdefault(path, place)
            self.covered.add(re.escape(path))
        for pattern in values.patterns:
            path = f"{re.escape(before)}{pattern}{re.escape(after)}"
            self.required_patterns.setdefault(path, place)
            self.covered.add(path)
        for pattern in values.optional:
            self.covered.add(f"{re.escape(before)}{pattern}{re.escape(after)}")

    def may(self, pattern: str) -> None:
        """Cover what may be there or not."""
        self.covered.add(pattern)


class Collector:
    """Collects from one integration. The flows have a collector of their own."""

    def __init__(self, folder: Path) -> None:
        """Read the integration in a folder."""
        self.package = Package(folder)
        self.reader = Reader(self.package)
        self.uses = Uses()
        self.carried = self._carried_keys()

    def read(self, module: Module, node: ast.expr | None) -> Values:
        """Read an expression; what its text does not tell may be any key that is carried there."""
        values = self.reader.strings(node, self.reader.scope_of(module, node or module.tree))
        return values | self.carried.made_optional() if values.unknown else values

    def collect(self) -> Uses:
        """Collect everything but the flows."""
        self.uses.may("title")
        keys_as_names = any(
            isinstance(node, ast.Assign)
            and last_name(node.targets[0]) == "_attr_translation_key"
            and last_name(node.value) == "key"
            for module in self.package.modules.values()
            for node in ast.walk(module.tree)
        )
        for module, call in chain.from_iterable(self.package.calls.values()):
            arguments = {each.arg: each.value for each in call.keywords if each.arg}
            if "translation_key" in arguments:
                self._translation_key(module, call, arguments)
            elif keys_as_names and last_name(call.func).endswith("Description"):
                self._entity(module, arguments["key"], arguments)
        for module in self.package.modules.values():
            self._attributes(module)
        self._services()
        self._system_health()
        return self.uses

    def _carried_keys(self) -> Values:
        """Return the keys that come from elsewhere to where a person reads them.

        They are carried by exceptions of the package, or are errors of a form that a room finds.
        """
        found = Values()
        for module in self.package.modules.values():
            for node in ast.walk(module.tree):
                match node:
                    case ast.ClassDef() if self._is_error(module, node):
                        found |= self._said(module, node)
                    case ast.Call():
                        cls = self.package.named(module, node.func)
                        if cls and self._is_error(*cls):
                            found |= self._given(module, node, *cls)
                    case ast.Raise(exc=ast.Call(args=[ast.Constant(value=str(text))])):
                        if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", text):
                            found |= Values(exact=frozenset({text}))
                    case ast.Constant(value=str(text)) if re.fullmatch(
                        "invalid(_[a-z0-9]+)+", text
                    ):
                        found |= Values(exact=frozenset({text}))
                    case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="errors"))]):
                        values = self.reader.strings(node.value, self.reader.scope_of(module, node))
                        found |= Values(exact=values.exact)
        return Values(found.exact, found.patterns)

    def _is_error(self, module: Module, cls: ast.ClassDef) -> bool:
        return self.package.descends_from(module, cls, "Exception") or (
            self.package.descends_from(module, cls, "Error")
        )

    def _said(self, module: Module, cls: ast.ClassDef) -> Values:
        """Return the `translation_key` that exceptions of a class have by themselves."""
        found = Values()
        for node in ast.walk(cls):
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id="translation_key")], value=value)
                    | ast.AnnAssign(
                        target=ast.Name(id="translation_key"), value=ast.expr() as value
                    )
                ) if not self._only_a_base(cls):
                    found |= self.reader.strings(value, Scope(module))
                case ast.Assign(targets=[ast.Attribute(attr="translation_key")], value=value):
                    found |= self.reader.strings(value, self.reader.scope_of(module, node))
                case ast.FunctionDef(name="translation_key"):
                    for part in ast.walk(node):
                        if isinstance(part, ast.Return):
                            found |= self.reader.strings(part.value, Scope(module, node))
        return found

    def _only_a_base(self, cls: ast.ClassDef) -> bool:
        """Say whether nobody ever sees the class's own key: each class below it has another."""
        below = [
            other
            for module in self.package.modules.values()
            for other in module.definitions.values()
            if isinstance(other, ast.ClassDef)
            and any(
                (found := self.package.named(module, base)) and found[1] is cls
                for base in other.bases
            )
        ]
        made = any(
            (found := self.package.named(module, call.func)) and found[1] is cls
            for module, call in self.package.calls.get(cls.name, ())
        )
        replaced = all("translation_key" in ast.unparse(other) for other in below)
        return bool(below) and replaced and not made

    def _given(self, module: Module, call: ast.Call, owner: Module, cls: ast.ClassDef) -> Values:
        """Return the `translation_key` that a call gives to an exception of the package."""
        given = next((each.value for each in call.keywords if each.arg == "translation_key"), None)
        if given is None and call.args:
            for _, ancestor in self.package.bases(owner, cls):
                for node in ancestor.body:
                    if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                        names = [each.arg for each in node.args.args[1:]]
                        if "translation_key" in names[: len(call.args)]:
                            given = call.args[names.index("translation_key")]
        return self.reader.strings(given, self.reader.scope_of(module, call))

    def _translation_key(
        self, module: Module, call: ast.Call, arguments: dict[str, ast.expr]
    ) -> None:
        name, key, place = last_name(call.func), arguments["translation_key"], module.place(call)
        values = self.read(module, key)
        cls = self.package.named(module, call.func)
        if "translation_domain" in arguments and name != "async_create_issue":
            self.uses.need("exceptions.", values, ".message", place)
        elif name == "async_create_issue":
            self.uses.need("issues.", values, ".title", place)
            for issue in values.exact | values.patterns:
                self.uses.may(rf"issues\.{issue}\.description")
        elif name.endswith("Description"):
            self._entity(module, key, arguments)
        elif name == "DeviceInfo":
            self.uses.need("device.", values, ".name", place)
        elif name.endswith("SelectorConfig"):
            for selector in values.exact:
                options = self.read(module, arguments.get("options"))
                self.uses.need(f"selector.{selector}.options.", options, "", place)
        elif name == "__init__" or (cls and self._is_error(*cls)):
            pass  # carried by an exception, and collected as such
        else:
            self.uses.unclear.add(f"{place}: translation_key of {name}")

    def _entity(self, module: Module, key: ast.expr, arguments: dict[str, ast.expr]) -> None:
        """Require an entity's name and its states."""
        platform, place = module.name.partition(".")[0], module.place(key)
        if platform not in PLATFORMS:
            self.uses.unclear.add(f"{place}: an entity outside the platforms")
            return
        names = self.read(module, key)
        self.uses.need(f"entity.{platform}.", names, "", place)
        for name in names.exact:
            at = f"entity.{platform}.{name}"
            self.uses.may(rf"{re.escape(at)}\.(name|unit_of_measurement)")
            self.uses.may(rf"{re.escape(at)}\.state_attributes\.{KEY}\.name")
            if platform in {"binary_sensor", "switch"}:
                self.uses.may(rf"{re.escape(at)}\.state\.(on|off)")
            for argument, where in (
                ("options", f"{at}.state."),
                ("event_types", f"{at}.state_attributes.event_type.state."),
            ):
                if states := arguments.get(argument):
                    values = self.read(module, states)
                    if values.unknown or not values.exact:
                        self.uses.dynamic[where.rstrip(".")] = module.place(states)
                    self.uses.need(where, values, "", module.place(states))

    def _attributes(self, module: Module) -> None:
        """Take entities that say everything in attributes of their class."""
        for cls in ast.walk(module.tree):
            if not isinstance(cls, ast.ClassDef):
                continue
            said = {
                node.targets[0].id.removeprefix("_attr_"): node.value
                for node in cls.body
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            }
            if (key := said.get("translation_key")) and not self._is_error(module, cls):
                self._entity(module, key, said)

    def _services(self) -> None:
        """Require texts for what services.yaml describes."""
        path = self.package.folder / "services.yaml"
        services: dict[str, Any] = yaml.safe_load(path.read_text()) if path.exists() else {}
        for service, described in services.items():
            at = f"services.{service}"
            for text in "name", "description":
                self.uses.need(f"{at}.", Values(exact=frozenset({text})), "", path.name)
            for name, content in ((described or {}).get("fields") or {}).items():
                section = "fields" in (content or {})
                kind = "sections" if section else "fields"
                self.uses.need(f"{at}.{kind}.{name}.", Values(frozenset({"name"})), "", path.name)
                self.uses.may(rf"{re.escape(at)}\.{kind}\.{name}\.description")
                for inner in content["fields"] if section else ():
                    where = f"{at}.fields.{inner}."
                    self.uses.need(where, Values(frozenset({"name"})), "", path.name)
                    self.uses.may(rf"{re.escape(where)}description")

    def _system_health(self) -> None:
        """Require a text for each line of the system health page."""
        if (module := self.package.modules.get("system_health")) is None:
            return
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
                for key in node.value.keys:
                    values = self.read(module, key)
                    self.uses.need("system_health.info.", values, "", module.place(node))


def leaves(tree: dict[str, Any], before: str = "") -> dict[str, str]:
    """Return the texts of a translation by their dotted paths."""
    found: dict[str, str] = {}
    for key, value in tree.items():
        path = f"{before}{key}"
        found |= leaves(value, f"{path}.") if isinstance(value, dict) else {path: value}
    return found


def load(folder: Path, language: str) -> dict[str, str]:
    """Return the texts of a language."""
    path = folder / "translations" / f"{language}.json"
    return leaves(json.loads(path.read_text(encoding="utf-8")))
