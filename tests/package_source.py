"""A Python package as syntax trees: what its modules define and import. Nothing of it is run."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

type Definition = (
    ast.ClassDef
    | ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.Assign
    | ast.AnnAssign
    | ast.TypeAlias
)


@dataclass(frozen=True)
class Import:
    """One imported name: `module` is a module of the package, or None for one from outside.

    `name` is what is imported from it; None where it is the module itself. From outside, it is the
    full dotted path.
    """

    module: str | None
    name: str | None
    bound: str
    line: int


@dataclass(frozen=True, eq=False)
class Module:
    """One file. `name` is relative to the package ("gateway.igd"); the package's own is ""."""

    name: str
    path: Path
    tree: ast.Module
    definitions: dict[str, Definition] = field(default_factory=dict)
    imports: list[Import] = field(default_factory=list)

    def place(self, node: ast.AST) -> str:
        """Say where a node stands."""
        return f"{self.path.name}:{getattr(node, 'lineno', '?')}"

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Return for every node the one that it stands in."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Go from a node outwards."""
        while parent := self.parents.get(node):
            yield parent
            node = parent


class Package:
    """All modules of the package in a folder."""

    def __init__(self, folder: Path) -> None:
        """Read and parse every Python file in the folder."""
        self.folder = folder
        self.full_name = f"{folder.parent.name}.{folder.name}"
        self.modules: dict[str, Module] = {}
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
            self.modules[name] = Module(name, path, tree, dict(_definitions(tree)))
        for module in self.modules.values():
            module.imports.extend(self._imports(module))

    @cached_property
    def calls(self) -> dict[str, list[tuple[Module, ast.Call]]]:
        """Return all calls by the last name of what is called."""
        found: dict[str, list[tuple[Module, ast.Call]]] = defaultdict(list)
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call):
                    found[last_name(node.func)].append((module, node))
        return dict(found)

    def resolve(self, module: Module, name: str) -> tuple[Module, Definition] | None:
        """Find the definition that a name means in a module, through imports and re-exports."""
        if name in module.definitions:
            return module, module.definitions[name]
        for found in module.imports:
            if found.bound == name and found.module is not None and found.name is not None:
                source = self.modules.get(found.module)
                return self.resolve(source, found.name) if source else None
        return None

    def bases(self, module: Module, cls: ast.ClassDef) -> Iterator[tuple[Module, ast.ClassDef]]:
        """Go through a class and those of its ancestors that the package defines."""
        yield module, cls
        for base in cls.bases:
            if isinstance(found := self.named(module, base), tuple):
                yield from self.bases(*found)

    def named(self, module: Module, node: ast.AST) -> tuple[Module, ast.ClassDef] | None:
        """Return the class of the package that an expression like `Base[X]` names."""
        if isinstance(node, ast.Subscript):
            node = node.value
        if isinstance(node, ast.Name) and (found := self.resolve(module, node.id)):
            owner, definition = found
            return (owner, definition) if isinstance(definition, ast.ClassDef) else None
        return None

    def descends_from(self, module: Module, cls: ast.ClassDef, ending: str) -> bool:
        """Say whether the class or an ancestor has a base whose name has this ending."""
        return any(
            last_name(base).endswith(ending)
            for _, ancestor in self.bases(module, cls)
            for base in ancestor.bases
        )

    def _imports(self, module: Module) -> Iterator[Import]:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    inside = self._inside(alias.name)
                    bound = alias.asname or alias.name
                    yield Import(
                        inside, None if inside is not None else alias.name, bound, node.lineno
                    )
            elif isinstance(node, ast.ImportFrom):
                yield from self._imports_from(module, node)

    def _imports_from(self, module: Module, node: ast.ImportFrom) -> Iterator[Import]:
        if node.level:
            package = module.name.split(".") if module.name else []
            if module.path.name != "__init__.py":
                package = package[:-1]
            package = package[: len(package) - node.level + 1]
            source: str | None = ".".join(filter(None, [*package, node.module]))
        else:
            source = self._inside(node.module or "")
        for alias in node.names:
            bound = alias.asname or alias.name
            if source is None:
                yield Import(None, f"{node.module}.{alias.name}", bound, node.lineno)
            elif (whole := f"{source}.{alias.name}".lstrip(".")) in self.modules:
                yield Import(whole, None, bound, node.lineno)
            else:
                yield Import(source, alias.name, bound, node.lineno)

    def _inside(self, name: str) -> str | None:
        if name == self.full_name:
            return ""
        prefix = f"{self.full_name}."
        return name.removeprefix(prefix) if name.startswith(prefix) else None


def last_name(node: ast.AST) -> str:
    """Return "c" for `a.b.c`, `c[T]` and `a.c(…)`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=inner) | ast.Call(func=inner):
            return last_name(inner)
    return ""


def _definitions(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    for node in tree.body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name, node
            case ast.TypeAlias(name=ast.Name(id=name)) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name, node
            case ast.Assign():
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        yield target.id, node
