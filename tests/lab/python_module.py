"""A server of this project as a daemon: `python -m MODULE ARGUMENTS`."""

from dataclasses import dataclass
from pathlib import Path
import sys
from typing import override

from .daemon import Daemon
from .host import Host, family_of


@dataclass(frozen=True, kw_only=True)
class PythonModule(Daemon):
    """A module that runs until SIGTERM and listens on TCP when it is ready."""

    module: str
    arguments: tuple[str, ...] = ()
    listens: tuple[tuple[str, int], ...]
    """The addresses and TCP ports that all accept a connection once it is ready."""

    @property
    @override
    def name(self) -> str:
        return self.label or self.module.rpartition(".")[2]

    @override
    def prepare(self, folder: Path) -> list[str]:
        return [sys.executable, "-m", self.module, *self.arguments]

    @override
    def answers(self, host: Host) -> bool:
        for address, port in self.listens:
            with host.new_socket(family_of(address)) as sock:
                sock.settimeout(1)
                sock.connect((address, port))
        return True
