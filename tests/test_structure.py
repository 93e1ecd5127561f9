"""The rooms of the house know each other only along the arrows of the design."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from .package_source import Import, Module, Package, last_name

ROOT = Path(__file__).parents[1]

# The core: each room, and the rooms that it may use. Of those marked here only the data, no doing.
ARROWS = {
    "host": set(),
    "outside": set(),
    "gateway": set(),
    "ddns": set(),
    "line": {"host", "outside", "gateway"},
    "ports": {"gateway", "line", "outside"},
}
ONLY_DATA = {"line"}

# The modules on Home Assistant's side that put the rooms together. All others may show the data of
# every room, but make use of one at most.
ASSEMBLING = {
    *("", "coordinator", "config_flow", "gateway_form", "options_flow", "subentry_flow", "services")
}

LONGEST = 400

DATA_BASES = ("Enum", "Flag", "NamedTuple", "TypedDict", "Protocol", "Exception", "Error")


def room_of(module: str) -> str | None:
    """Return the room that a module is in; None for Home Assistant's side."""
    first = module.partition(".")[0]
    return first if first in ARROWS else None


def is_data(package: Package, found: Import) -> bool:
    """Say whether an import is of something that is only there to be looked at."""
    if found.module is None or found.name is None:
        return False
    resolved = package.resolve(package.modules[found.module], found.name)
    match resolved:
        case (module, ast.ClassDef() as cls):
            return any(last_name(each) == "dataclass" for each in cls.decorator_list) or any(
                package.descends_from(module, cls, base) for base in DATA_BASES
            )
        case (_, ast.Assign() | ast.AnnAssign() | ast.TypeAlias()):
            return True
    return False


def wrong_in_room(package: Package, room: str, found: Import) -> str | None:
    """Say what is wrong about an import in a room; None if nothing is."""
    if found.module is None:
        outside = str(found.name).partition(".")[0]
        return f"{room} must not know Home Assistant" if outside == "homeassistant" else None
    other = room_of(found.module)
    if other is None:
        return f"{room} must not know Home Assistant's side ({found.module or '.'})"
    if other == room:
        return None
    if other not in ARROWS[room]:
        return f"{room} must not know {other}"
    if room in ONLY_DATA and not is_data(package, found):
        return f"{room} may use only data of {other}, not {found.name or found.module}"
    return None


def wrong_imports(package: Package, module: Module) -> Iterator[str]:
    """Name the imports of one module that go against an arrow."""
    path, used = module.path.relative_to(package.folder), set[str]()
    room = room_of(module.name)
    for found in module.imports:
        if found.module is not None and found.module not in package.modules:
            yield f"{path}:{found.line}: there is no module {found.module}"
        elif room:
            if complaint := wrong_in_room(package, room, found):
                yield f"{path}:{found.line}: {complaint}"
        elif found.module and (other := room_of(found.module)) and not is_data(package, found):
            used.add(other)
    if len(used) > 1 and module.name.partition(".")[0] not in ASSEMBLING:
        allowed = ", ".join(sorted(ASSEMBLING - {""}))
        yield f"{path}: only {allowed} put rooms together, and this uses {', '.join(sorted(used))}"


def cycles(package: Package) -> Iterator[str]:
    """Name one import cycle, if there is any."""
    graph = {
        name: {found.module for found in module.imports if found.module is not None} - {name}
        for name, module in package.modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield "import cycle: " + " → ".join(name or "." for name in error.args[1])


def violations(package: Package) -> list[str]:
    """Name everything in a package that goes against the design."""
    wrong = [each for module in package.modules.values() for each in wrong_imports(package, module)]
    return wrong + list(cycles(package))


def test_arrows() -> None:
    package = Package(ROOT / "custom_components/homeport")
    assert violations(package) == []
    assert set(ARROWS) <= {room_of(name) for name in package.modules}


def too_long(root: Path) -> dict[str, int]:
    """Return the number of lines of each Python file that has too many."""
    return {
        str(path.relative_to(root)): lines
        for folder in ("custom_components", "tests", "scripts", "benchmarks", "prober")
        for path in sorted((root / folder).rglob("*.py"))
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }


def test_length(tmp_path: Path) -> None:
    assert too_long(ROOT) == {}
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/long.py").write_text("pass\n" * 401, encoding="utf-8")
    (tmp_path / "tests/short.py").write_text("pass\n" * 400, encoding="utf-8")
    assert too_long(tmp_path) == {"tests/long.py": 401}


GOOD = {
    "__init__.py": "from .coordinator import Coordinator",
    "const.py": "DOMAIN = 'house'",
    "coordinator.py": "from .gateway import Igd\nfrom .line.classify import classify\n"
    "from custom_components.house.ddns import update",
    "sensor.py": "from .line import Mode\nfrom .gateway import Opening\nfrom .ddns import update\n"
    "import homeassistant.core",
    "host/__init__.py": "",
    "gateway/__init__.py": "from .igd import Igd, Opening",
    "gateway/igd.py": "from dataclasses import dataclass\n@dataclass\nclass Opening: ...\n"
    "class Igd: ...\nclass GatewayError(Exception): ...\nclass NotOpen(GatewayError): ...",
    "line/__init__.py": "from .mode import Mode",
    "line/mode.py": "from enum import StrEnum\nclass Mode(StrEnum): ...",
    "line/classify.py": "from ..gateway import Opening\nfrom . import mode\ndef classify(): ...",
    "ports/__init__.py": "from ..gateway import Igd\nfrom ..line import Mode",
    "ddns/__init__.py": "def update(): ...",
}


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        (None, "", None),
        ("sensor.py", "from .gateway.igd import NotOpen\nfrom .ddns import update", None),
        ("gateway/igd.py", "from homeassistant.core import callback", "not know Home Assistant"),
        ("ports/x.py", "def f():\n    import homeassistant", "x.py:2: ports must not know Home"),
        ("gateway/__init__.py", "from ..line import Mode", "gateway must not know line"),
        ("ddns/__init__.py", "from ..gateway.igd import Igd", "ddns must not know gateway"),
        ("ddns/__init__.py", "import custom_components.house.host", "ddns must not know host"),
        ("host/x.py", "from ..const import DOMAIN", "host must not know Home Assistant's side"),
        ("host/x.py", "from .. import const", "host must not know Home Assistant's side (const)"),
        ("line/x.py", "from ..gateway import Igd", "line may use only data of gateway, not Igd"),
        ("line/x.py", "from .. import gateway", "line may use only data of gateway"),
        ("sensor.py", "from .gateway import Igd\nfrom .ddns import update", "put rooms together"),
        ("line/mode.py", "from .classify import classify", "import cycle: line."),
        ("const.py", "from . import coordinator\nfrom .nowhere import x", "no module nowhere"),
    ],
)  # fmt: skip
def test_the_checker(tmp_path: Path, file: str | None, source: str, complaint: str | None) -> None:
    """The checker is quiet about a good house and finds each thing that is wrong."""
    folder = tmp_path / "custom_components/house"
    for name, content in GOOD.items() | ({(file, source)} if file else set()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    if file:
        (folder / file).write_text(source, encoding="utf-8")
    found = violations(Package(folder))
    if complaint is None:
        assert found == []
    else:
        assert any(complaint in each for each in found), found
