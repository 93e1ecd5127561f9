"""Homeport's own prober on the internet side of the lab."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe

from tests.lab import Authority, Bind
from tests.lab.daemon import Daemon
from tests.lab.home import NET, NET6
from tests.lab.python_module import PythonModule

from .api import FlowKind
from .homeport import Homeport

_NAME = "prober.dyn.example"
_PORT = 8443


@dataclass(frozen=True, slots=True)
class OwnProber:
    """The daemon, the name server that knows it, and the secret."""

    daemons: tuple[Daemon, ...]
    token: str

    @property
    def options(self) -> dict[str, str]:
        """What the form of the probers asks for."""
        return self.options_at(_NAME)

    def options_at(self, address: str) -> dict[str, str]:
        """Return the same for one of its addresses, where nobody knows its name."""
        host = f"[{address}]" if ":" in address else address
        return {"own_prober_url": f"https://{host}:{_PORT}", "own_prober_token": self.token}


def own_prober(
    authority: Authority, folder: Path, *addresses: str, names: Mapping[str, str] | None = None
) -> OwnProber:
    """Return a prober on `net` that is met at these addresses, or at the two of the home's.

    `names`: what it may be told to dial.
    """
    at = addresses or (NET, NET6)
    token = token_urlsafe(32)
    certificate = authority.issue(_NAME, *at)
    listen = [f"[{each}]:{_PORT}" if ":" in each else f"{each}:{_PORT}" for each in at]
    dialled = ", ".join(f'{name} = "{hostname}"' for name, hostname in (names or {}).items())
    config = folder / "prober.toml"
    config.write_text(
        f"listen = {listen}\n"
        f'certificate = "{certificate.certificate}"\nkey = "{certificate.key}"\n'
        f'[[tokens]]\nsha256 = "{sha256(token.encode()).hexdigest()}"\nnames = {{ {dialled} }}\n'
    )
    daemon = PythonModule(
        namespace="net",
        module="prober",
        arguments=("--config", str(config)),
        listens=tuple((each, _PORT) for each in at),
    )
    records = tuple(f"prober {'AAAA' if ':' in each else 'A'} {each}" for each in at)
    ipv4 = tuple(each for each in at if ":" not in each)
    return OwnProber((daemon, Bind(namespace="net", addresses=ipv4, records=records)), token)


async def ask_own_prober(homeport: Homeport, prober: OwnProber, **more: str) -> None:
    """Name the prober in the options."""
    step = await homeport.server.run_flow(
        FlowKind.OPTIONS,
        homeport.entry_id,
        {"next_step_id": "probers"},
        {**prober.options, **more},
    )
    assert step["type"] == "create_entry", step
