"""Which translations an integration's flows ask for: steps, fields, errors, ends."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
import re

from .package_source import Definition, Module, last_name
from .string_values import Function, Scope, Values
from .translation_use import KEY, TEXTS, Collector

MARKERS = {"Required", "Optional", "Inclusive", "Exclusive"}
FLOWS = ("ConfigFlow", "OptionsFlow", "OptionsFlowWithReload", "ConfigSubentryFlow", "RepairsFlow")
# Home Assistant has texts of its own for these.
OWN_REASONS = {"already_in_progress", "reauth_successful", "reconfigure_successful"}


@dataclass
class Fields:
    """The fields of a form: their keys, and those of its sections."""

    keys: Values = field(default_factory=Values)
    sections: dict[str, Fields] = field(default_factory=dict)
    # Where the keys are not in the text of the code: they come from a table.
    dynamic: bool = False


class FlowCollector:
    """Adds the flows' uses to those of a collector."""

    def __init__(self, collector: Collector) -> None:
        """Take the collector of the integration."""
        self.collector = collector
        self.package, self.reader = collector.package, collector.reader
        self.uses = collector.uses

    def collect(self) -> None:
        """Collect from every flow that Home Assistant can reach."""
        subentries = dict(self._subentry_types())
        for module in self.package.modules.values():
            for cls in (each for each in module.tree.body if isinstance(each, ast.ClassDef)):
                if (kind := self._kind(module, cls)) is None:
                    continue
                match kind:
                    case "ConfigFlow":
                        self._flow(module, cls, "config")
                        self.uses.may(r"config\.flow_title")
                    case "ConfigSubentryFlow" if cls in subentries:
                        self._subentry(module, cls, subentries[cls])
                    case "OptionsFlow" | "OptionsFlowWithReload":
                        self._flow(module, cls, "options")
                    case "RepairsFlow":
                        self._repairs(module, cls)

    def _kind(self, module: Module, cls: ast.ClassDef) -> str | None:
        for _, ancestor in self.package.bases(module, cls):
            for base in ancestor.bases:
                if last_name(base) in FLOWS:
                    return last_name(base)
                if last_name(base) == "ConfirmRepairFlow":
                    return "RepairsFlow"
        return None

    def _subentry_types(self) -> Iterator[tuple[ast.ClassDef, str]]:
        for module in self.package.modules.values():
            for node in ast.walk(module.tree):
                if not isinstance(node, ast.FunctionDef):
                    continue
                if node.name != "async_get_supported_subentry_types":
                    continue
                for part in ast.walk(node):
                    if isinstance(part, ast.Dict):
                        for key, value in zip(part.keys, part.values, strict=True):
                            cls = self.package.named(module, value)
                            for name in self.collector.read(module, key).exact if cls else ():
                                yield cls[1], name

    def _subentry(self, module: Module, cls: ast.ClassDef, name: str) -> None:
        at = f"config_subentries.{name}"
        methods = {
            node.name
            for _, ancestor in self.package.bases(module, cls)
            for node in ancestor.body
            if isinstance(node, ast.AsyncFunctionDef)
        }
        begins = {"user", "reconfigure"} & {each.removeprefix("async_step_") for each in methods}
        place = module.place(cls)
        self.uses.need(f"{at}.", Values(exact=frozenset({"entry_type"})), "", place)
        self.uses.need(f"{at}.initiate_flow.", Values(exact=frozenset(begins)), "", place)
        self._flow(module, cls, at)

    def _repairs(self, module: Module, cls: ast.ClassDef) -> None:
        """Let any issue have these steps, and require each step of one issue at least."""
        before = set(self.uses.covered)
        self._flow(module, cls, "issues.*.fix_flow")
        for path in list(self.uses.required):
            if path.startswith("issues.*."):
                place = self.uses.required.pop(path)
                self.uses.required_patterns[re.escape(path).replace(r"\*", KEY)] = place
        for covered in self.uses.covered - before:
            self.uses.covered.add(covered.replace(r"\*", KEY))

    def _reached(self, module: Module, cls: ast.ClassDef) -> Iterator[tuple[Module, ast.AST]]:
        """Go through the nodes of a flow and of the functions that it uses on this side."""
        todo: list[tuple[Module, Definition]] = list(self.package.bases(module, cls))
        done: set[Definition] = set()
        while todo:
            owner, definition = todo.pop()
            if definition in done:
                continue
            done.add(definition)
            for node in ast.walk(definition):
                yield owner, node
                if isinstance(node, ast.Name) and (
                    (found := self.package.resolve(owner, node.id))
                    and isinstance(found[1], ast.FunctionDef | ast.AsyncFunctionDef)
                ):
                    todo.append(found)

    def _flow(self, module: Module, cls: ast.ClassDef, at: str) -> None:
        for owner, node in self._reached(module, cls):
            if isinstance(node, ast.Call):
                self._call(owner, node, at)
            for value in _errors(node):
                values = self.collector.read(owner, value)
                self.uses.need(f"{at}.error.", values, "", owner.place(node))

    def _call(self, module: Module, call: ast.Call, at: str) -> None:
        place = module.place(call)
        arguments = {each.arg: each.value for each in call.keywords if each.arg}
        match last_name(call.func):
            case "async_show_form" | "async_show_menu" | "async_show_progress":
                self._step(module, call, arguments, at)
                progress = self.collector.read(module, arguments.get("progress_action"))
                self.uses.need(f"{at}.progress.", progress, "", place)
            case "async_abort" | "async_update_and_abort" | "async_update_reload_and_abort":
                reasons = self.collector.read(module, arguments.get("reason"))
                kept = Values(reasons.exact - OWN_REASONS, reasons.patterns)
                kept |= Values(optional=reasons.optional | (reasons.exact & OWN_REASONS))
                self.uses.need(f"{at}.abort.", kept, "", place)
            case "AbortFlow" if call.args:
                reasons = self.collector.read(module, call.args[0])
                self.uses.need(f"{at}.abort.", reasons, "", place)
            case "_abort_if_unique_id_configured" | "_async_abort_entries_match":
                reason = arguments.get("error", ast.Constant(value="already_configured"))
                reasons = self.collector.reader.strings(reason, Scope(module))
                self.uses.need(f"{at}.abort.", reasons, "", place)
            case "async_create_entry":
                texts = self.collector.read(module, arguments.get("description"))
                self.uses.need(f"{at}.create_entry.", texts, "", place)

    def _step(
        self, module: Module, call: ast.Call, arguments: dict[str, ast.expr], at: str
    ) -> None:
        scope = self.reader.scope_of(module, call)
        scopes = [scope]
        step = arguments.get("step_id")
        if step is None and scope.function:
            step = ast.Constant(value=scope.function.name.removeprefix("async_step_"))
        elif not isinstance(step, ast.Constant):
            # Each call of the helper that shows the form is a form of its own.
            scopes = list(self.reader.calls_of(scope)) or scopes
        for each in scopes:
            steps = self.reader.strings(step, each)
            if steps.unknown or not steps.exact:
                self.uses.dynamic[f"{at}.step"] = module.place(call)
            for name in steps.exact:
                self._texts(f"{at}.step.{name}", arguments, each, module.place(call))

    def _texts(self, at: str, arguments: dict[str, ast.expr], scope: Scope, place: str) -> None:
        self.uses.required.setdefault(at, place)
        self.uses.may(rf"{re.escape(at)}\.{TEXTS}")
        if options := arguments.get("menu_options"):
            values = self.reader.strings(options, scope)
            if values.unknown:
                self.uses.dynamic[f"{at}.menu_options"] = place
            self.uses.need(f"{at}.menu_options.", values, "", place)
            self.uses.need(f"{at}.menu_option_descriptions.", values.made_optional(), "", place)
        if schema := arguments.get("data_schema"):
            self._fields(at, self.fields(schema, scope), place)

    def _fields(self, at: str, fields: Fields, place: str) -> None:
        if fields.dynamic:
            self.uses.dynamic[f"{at}.data"] = place
        self.uses.need(f"{at}.data.", fields.keys, "", place)
        self.uses.need(f"{at}.data_description.", fields.keys.made_optional(), "", place)
        for name, inner in fields.sections.items():
            self.uses.need(f"{at}.sections.", Values(frozenset({name})), ".name", place)
            self.uses.may(rf"{re.escape(f'{at}.sections.{name}')}\.description")
            self._fields(f"{at}.sections.{name}", inner, place)

    def fields(self, node: ast.AST, scope: Scope, depth: int = 0) -> Fields:
        """Return the fields of a form from the expression of its schema."""
        found = Fields()
        if depth > 20:
            found.dynamic = True
            return found
        for child, where in self._parts(node, scope, found, depth):
            inner = self.fields(child, where, depth + 1)
            found.keys |= inner.keys
            found.sections |= inner.sections
            found.dynamic |= inner.dynamic
        return found

    def _parts(
        self, node: ast.AST, scope: Scope, found: Fields, depth: int
    ) -> list[tuple[ast.AST, Scope]]:
        """Note the fields that stand right here, and return where to look for more."""
        match node:
            case ast.Call(func=func, args=[key, *_]) if last_name(func) in MARKERS:
                values = self.reader.strings(key, scope)
                found.keys |= values
                found.dynamic |= bool(values.unknown)
                return []
            case ast.Call(func=func, args=[schema, *_]) if last_name(func).startswith("add_sugg"):
                return [(schema, scope)]
            case ast.Dict():
                return list(self._dict_parts(node, scope, found, depth))
            case ast.DictComp(key=key):
                keys_of_it = self.fields(key, scope, depth + 1).keys
                found.keys |= keys_of_it
                found.dynamic |= bool(keys_of_it.unknown) or not keys_of_it.exact
                return []
            case ast.Name(id=name):
                return list(self.reader.bindings(name, scope))
            case ast.Call(func=func) if function := self._function(func, scope):
                owner, definition = function
                inside = Scope(owner, definition)
                returned = [each for each in ast.walk(definition) if isinstance(each, ast.Return)]
                return [(each.value, inside) for each in returned if each.value]
            case ast.Call(func=func, args=args):
                return [(each, scope) for each in (func, *args)]
        return [(child, scope) for child in ast.iter_child_nodes(node)]

    def _dict_parts(
        self, node: ast.Dict, scope: Scope, found: Fields, depth: int
    ) -> Iterator[tuple[ast.AST, Scope]]:
        """Note the sections in a dictionary, and go through its keys and what it is made of."""
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(value, ast.Call) and last_name(value.func) == "section":
                for name in self.fields(key, scope, depth + 1).keys.exact if key else ():
                    found.sections[name] = self.fields(value.args[0], scope, depth + 1)
            elif isinstance(key, ast.Constant):
                found.keys |= self.reader.strings(key, scope)
            else:
                yield value if key is None else key, scope

    def _function(self, func: ast.expr, scope: Scope) -> tuple[Module, Function] | None:
        match func:
            case ast.Name(id=name):
                found = self.package.resolve(scope.module, name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                methods = (
                    (scope.module, node)
                    for node in ast.walk(scope.module.tree)
                    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                    and node.name == name
                )
                found = next(methods, None)
            case _:
                return None
        match found:
            case (module, ast.FunctionDef() | ast.AsyncFunctionDef() as function):
                return module, function
        return None


def _errors(node: ast.AST) -> Iterator[ast.expr]:
    """Go through the expressions that a node makes errors of a form."""
    match node:
        case (
            ast.Assign(targets=[ast.Subscript(value=ast.Name(id="errors"))], value=value)
            | ast.Assign(targets=[ast.Name(id="errors")], value=value)
            | ast.AnnAssign(target=ast.Name(id="errors"), value=ast.expr() as value)
            | ast.NamedExpr(target=ast.Name(id="errors"), value=value)
            | ast.AugAssign(target=ast.Name(id="errors"), value=value)
            | ast.keyword(arg="errors", value=ast.Dict() as value)
        ):
            yield value
        case ast.Call(func=ast.Attribute(value=ast.Name(id="errors"), attr=method), args=args):
            yield from args[1:] if method == "setdefault" else args if method == "update" else ()
        case ast.FunctionDef(returns=ast.expr() as returns) if ast.unparse(returns) == (
            "dict[str, str]"
        ):
            for part in ast.walk(node):
                if isinstance(part, ast.Return) and isinstance(part.value, ast.Dict):
                    yield part.value
