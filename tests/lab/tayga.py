"""TAYGA: a translator between IPv6 and IPv4 (RFC 7915)."""

from collections.abc import Mapping
from dataclasses import dataclass
import json
from pathlib import Path
from typing import ClassVar, override

from .daemon import Daemon
from .host import Host
from .topology import Interface

PREFIX = "64:ff9b::/96"
"""The well-known prefix (RFC 6052 section 2.1)."""


@dataclass(frozen=True, kw_only=True)
class Tayga(Daemon):
    """A translator without a state of its own. Its device is made before it: see `tun`."""

    needs: ClassVar[Mapping[str, str]] = {"tayga": "tayga"}

    device: str
    ipv4: str
    """Its own address, for the errors that it sends."""
    lines: tuple[str, ...]
    """More of its configuration: "dynamic-pool 192.168.255.0/24", "map IPV4 IPV6"."""

    @property
    @override
    def name(self) -> str:
        return self.label or f"tayga-{self.device}"

    @override
    def prepare(self, folder: Path) -> list[str]:
        configuration = folder / "tayga.conf"
        head = (
            f"tun-device {self.device}",
            f"ipv4-addr {self.ipv4}",
            f"prefix {PREFIX}",
            f"data-dir {folder}",
        )
        configuration.write_text("\n".join((*head, *self.lines, "")))
        return ["tayga", "-n", "-d", "-c", str(configuration)]

    @override
    def answers(self, host: Host) -> bool:
        # The device carries for as long as a program holds it.
        shown = host.run("ip", "-json", "link", "show", "dev", self.device)
        return "LOWER_UP" in json.loads(shown)[0]["flags"]


def tun(namespace: str, name: str, *addresses: str) -> Interface:
    """Return the device of a translator."""
    made_by = f"tuntap add dev {name} mode tun"
    return Interface(namespace=namespace, name=name, addresses=addresses, made_by=made_by)
