"""It runs on any server: nothing but Python and aiohttp."""

import ast
from pathlib import Path
import sys

import pytest

FOLDER = Path(__file__).parents[2] / "prober"
OLDEST = (3, 11)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.name)
def test_it_needs_only_aiohttp(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=OLDEST)
    needed: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            needed |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            needed.add(str(node.module).partition(".")[0])
    assert needed <= sys.stdlib_module_names | {"aiohttp"}
