"""Print what Home Assistant would install with pip at start, for a set of integrations.

usage: python scripts/ha_requirements.py DOMAIN_OR_MANIFEST... | uv pip install -r -

Home Assistant sets up its default integrations whatever the configuration says, and it also wants
the requirements of what an integration depends on. With all of them installed it starts without a
network.
"""

import json
from pathlib import Path
import sys
from typing import Any

import homeassistant
from homeassistant.auth.mfa_modules import totp
from homeassistant.bootstrap import DEFAULT_INTEGRATIONS
from homeassistant.requirements import DISCOVERY_INTEGRATIONS

CORE = Path(homeassistant.__file__).parent / "components"


def manifest_of(name: str) -> dict[str, Any]:
    """Read a manifest: of a core integration by its domain, of any other by its path."""
    path = Path(name) if name.endswith(".json") else CORE / name / "manifest.json"
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def needed_by(manifest: dict[str, Any]) -> set[str]:
    """Return the domains that Home Assistant prepares together with this one."""
    return {
        *manifest.get("dependencies", ()),
        *manifest.get("after_dependencies", ()),
        *(domain for domain, keys in DISCOVERY_INTEGRATIONS.items() if manifest.keys() & set(keys)),
    }


def requirements(names: set[str]) -> set[str]:
    """Follow the manifests from these on and return all their requirements."""
    todo, done, found = set(names), set[str](), set[str]()
    while todo:
        done.add(name := todo.pop())
        manifest = manifest_of(name)
        found.update(manifest.get("requirements", ()))
        todo |= needed_by(manifest) - done
    return found


if __name__ == "__main__":
    everything = requirements({*DEFAULT_INTEGRATIONS, *sys.argv[1:]}) | set(totp.REQUIREMENTS)
    sys.stdout.writelines(f"{requirement}\n" for requirement in sorted(everything))
