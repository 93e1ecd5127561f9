"""Which strings an expression of a program can be, as far as its text tells."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
import re
from typing import Self

import homeassistant.const as HA_CONST  # noqa: N812  (a module of constants)

from .package_source import Module, Package, last_name

type Function = ast.FunctionDef | ast.AsyncFunctionDef

# Expressions that are what these parts of them are, or that hold them.
PARTS: dict[type[ast.expr], tuple[str, ...]] = {
    ast.Attribute: ("value",),  # only of `.value`, which for an enumeration changes nothing
    ast.Await: ("value",),
    ast.BoolOp: ("values",),
    ast.Dict: ("values",),
    ast.GeneratorExp: ("elt",),
    ast.IfExp: ("body", "orelse"),
    ast.List: ("elts",),
    ast.ListComp: ("elt",),
    ast.NamedExpr: ("value",),
    ast.Set: ("elts",),
    ast.SetComp: ("elt",),
    ast.Starred: ("value",),
    ast.Subscript: ("value",),
    ast.Tuple: ("elts",),
}

# Calls that hand on the strings of their first argument.
TRANSPARENT = {"str", "list", "tuple", "set", "frozenset", "sorted", "dict", "MappingProxyType"}


@dataclass(frozen=True, slots=True)
class Values:
    """Strings that are possible, patterns of such, and the places that could not be read."""

    exact: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    # Patterns of what is possible, though the text does not tell that it ever occurs.
    optional: frozenset[str] = frozenset()

    def __or__(self, other: Self) -> Values:
        """Return what is possible in one or the other."""
        return Values(
            self.exact | other.exact,
            self.patterns | other.patterns,
            self.unknown | other.unknown,
            self.optional | other.optional,
        )

    def made_optional(self) -> Values:
        """Return the same, none of it required."""
        return Values(
            unknown=self.unknown,
            optional=self.optional | self.patterns | {re.escape(text) for text in self.exact},
        )


@dataclass(frozen=True, eq=False)
class Scope:
    """Where an expression stands, and what is known to be bound to the parameters there."""

    module: Module
    function: Function | None = None
    bound: dict[str, tuple[ast.expr, Scope]] = field(default_factory=dict)


class Reader:
    """Reads expressions of a package."""

    def __init__(self, package: Package) -> None:
        """Take the package."""
        self.package = package
        self._reading: set[ast.expr] = set()

    def scope_of(self, module: Module, node: ast.AST) -> Scope:
        """Return the scope that a node stands in."""
        for outer in module.around(node):
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
                return Scope(module, outer)
        return Scope(module)

    def calls_of(self, scope: Scope) -> Iterator[Scope]:
        """Go through the calls of the function of a scope, each as the scope with its bindings."""
        function = scope.function
        if function is None:
            return
        names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
        if names and names[0] in {"self", "cls"}:
            names = names[1:]
        for module, call in self.package.calls.get(function.name, ()):
            if self._is_of(scope, module, call):
                caller = self.scope_of(module, call)
                bound = {name: (arg, caller) for name, arg in zip(names, call.args, strict=False)}
                bound |= {each.arg: (each.value, caller) for each in call.keywords if each.arg}
                yield Scope(scope.module, function, bound)

    def _is_of(self, scope: Scope, module: Module, call: ast.Call) -> bool:
        function = scope.function
        if function is None:
            return False
        if isinstance(call.func, ast.Name):
            found = self.package.resolve(module, function.name)
            return found is not None and found[1] is function
        return module is scope.module

    def local(self, name: str, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
        """Go through what a name is bound to in the function of a scope."""
        if name in scope.bound:
            yield scope.bound[name]
            return
        for node in ast.walk(scope.function) if scope.function else ():
            match node:
                case ast.Assign(targets=targets, value=value):
                    if any(isinstance(each, ast.Name) and each.id == name for each in targets):
                        yield value, scope
                case (
                    ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value)
                    | ast.NamedExpr(target=ast.Name(id=target), value=value)
                    | ast.For(target=ast.Name(id=target), iter=value)
                    | ast.comprehension(target=ast.Name(id=target), iter=value)
                ):
                    if target == name:
                        yield value, scope

    def bindings(self, name: str, scope: Scope) -> list[tuple[ast.expr, Scope]]:
        """Return what a name is bound to: in its function, by the calls of it, or at the top."""
        function = scope.function
        if found := list(self.local(name, scope)):
            return found
        if function and name in {each.arg for each in all_arguments(function)}:
            return [each.bound[name] for each in self.calls_of(scope) if name in each.bound]
        match self.package.resolve(scope.module, name):
            case (module, ast.Assign(value=value)):
                return [(value, Scope(module))]
            case (module, ast.AnnAssign(value=ast.expr() as value)):
                return [(value, Scope(module))]
        return []

    def strings(self, node: ast.expr | None, scope: Scope) -> Values:
        """Return the strings that an expression can be, or that it holds."""
        # What depends on itself adds nothing to itself.
        if node is None or node in self._reading:
            return Values()
        self._reading.add(node)
        try:
            return self._strings(node, scope)
        finally:
            self._reading.discard(node)

    def _strings(self, node: ast.expr, scope: Scope) -> Values:
        unknown = Values(unknown=frozenset({scope.module.place(node)}))
        match node:
            case ast.Constant(value=None | ""):
                return Values()
            case ast.Constant(value=str(text)):
                return Values(exact=frozenset({text}))
            case ast.JoinedStr(values=parts):
                return Values(patterns=frozenset({"".join(map(_pattern, parts))}))
            case ast.Name(id=name):
                return self._named(name, scope) or unknown
            case ast.Attribute(value=value, attr=member) if member != "value":
                return self._member(value, member, scope) or unknown
            case ast.Call():
                return self._called(node, scope) or unknown
        if (parts := _parts(node)) is None:
            return unknown
        found, loops = Values(), list[ast.comprehension](getattr(node, "generators", ()))
        turns = {
            each.target.id: (each.iter, scope)
            for each in loops
            if isinstance(each.target, ast.Name)
        }
        inside = Scope(scope.module, scope.function, scope.bound | turns)
        for part in parts:
            found |= self.strings(part, inside)
        # A condition in a comprehension leaves out some.
        return found.made_optional() if any(each.ifs for each in loops) else found

    def _named(self, name: str, scope: Scope) -> Values | None:
        if bindings := self.bindings(name, scope):
            found = Values()
            for expression, where in bindings:
                found |= self.strings(expression, where)
            return found
        match self.package.resolve(scope.module, name):
            case (_, ast.ClassDef() as cls) if members := enum_members(cls):
                return Values(exact=frozenset(members.values()))
        for found_import in scope.module.imports:
            if found_import.bound == name and found_import.name == f"{HA_CONST.__name__}.{name}":
                value = getattr(HA_CONST, name, None)
                return Values(exact=frozenset({str(value)})) if isinstance(value, str) else None
        return None

    def _member(self, value: ast.expr, member: str, scope: Scope) -> Values | None:
        if isinstance(value, ast.Name) and value.id == "self":
            return self._own(member, scope)
        if (found := self.package.named(scope.module, value)) is None:
            return None
        members = enum_members(found[1])
        return Values(exact=frozenset({members[member]})) if member in members else None

    def _own(self, member: str, scope: Scope) -> Values | None:
        """Return what the methods of a class assign to an attribute of `self`."""
        module = scope.module
        outer = module.around(scope.function or module.tree)
        cls = next((each for each in outer if isinstance(each, ast.ClassDef)), None)
        found: Values | None = None
        for node in ast.walk(cls) if cls else ():
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if value := _assigned(member, targets, node.value):
                    read = self.strings(value, self.scope_of(module, node))
                    found = read if found is None else found | read
        return found

    def _called(self, call: ast.Call, scope: Scope) -> Values | None:
        name = last_name(call.func)
        if name in TRANSPARENT and call.args:
            return self.strings(call.args[0], scope)
        match call.func:
            case ast.Attribute(value=mapping, attr="get" | "values" | "copy"):
                found = self.strings(mapping, scope)
                for default in call.args[1:]:
                    found |= self.strings(default, scope)
                return found
            case ast.Name() if (
                resolved := self.package.resolve(scope.module, name)
            ) and isinstance(resolved[1], ast.FunctionDef | ast.AsyncFunctionDef):
                found, inside = Values(), Scope(*resolved)
                for node in ast.walk(resolved[1]):
                    if isinstance(node, ast.Return):
                        found |= self.strings(node.value, inside)
                return found
        return None


def all_arguments(function: Function) -> list[ast.arg]:
    """Return the parameters of a function."""
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def enum_members(cls: ast.ClassDef) -> dict[str, str]:
    """Return the members of a StrEnum with their values; nothing for another class."""
    if not any(last_name(base) == "StrEnum" for base in cls.bases):
        return {}
    members = {}
    for node in cls.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                members[name] = text
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=func)):
                if last_name(func) == "auto":
                    members[name] = name.lower()
    return members


def _assigned(member: str, targets: list[ast.expr], value: ast.expr | None) -> ast.expr | None:
    """Return what an assignment gives to an attribute of `self`; None where to something else."""
    for target in targets:
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
        for each, part in pairs:
            match each:
                case ast.Attribute(value=ast.Name(id="self"), attr=attr) if attr == member:
                    return part
    return None


def _parts(node: ast.expr) -> list[ast.expr] | None:
    names = PARTS.get(type(node))
    if names is None:
        return None
    fields = [getattr(node, name) for name in names]
    return [each for part in fields for each in (part if isinstance(part, list) else [part])]


def _pattern(part: ast.expr) -> str:
    return re.escape(part.value) if isinstance(part, ast.Constant) else "[a-z0-9_]+"
