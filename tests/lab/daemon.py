"""What every daemon of the lab has in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .host import Host


@dataclass(frozen=True, kw_only=True)
class Daemon(ABC):
    """A server to run in a namespace, as data: `Lab` starts and ends it."""

    needs: ClassVar[Mapping[str, str]] = {}
    """Its programs, and the Debian package of each."""

    namespace: str
    label: str = ""
    """Tells it from another daemon of its kind."""

    @property
    def name(self) -> str:
        """What its log and its folder are called; unique in a topology."""
        return self.label or type(self).__name__.lower()

    @abstractmethod
    def prepare(self, folder: Path) -> list[str]:
        """Write the configuration into `folder` and return the command that stays in front."""

    @abstractmethod
    def answers(self, host: Host) -> bool:
        """Say whether it serves by now. May raise OSError instead of returning False."""

    def reset(self, host: Host) -> None:  # noqa: B027 - most have nothing there
        """Clear away what it has left outside of its folder, while it is stopped."""
