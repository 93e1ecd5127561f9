"""coturn: a real STUN server (RFC 8489), with two addresses one for RFC 5780 as well."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
import socket
from typing import ClassVar, override

from .daemon import Daemon
from .host import Host, family_of


@dataclass(frozen=True, kw_only=True)
class Coturn(Daemon):
    """coturn as a STUN server for anybody, over UDP and TCP."""

    needs: ClassVar[Mapping[str, str]] = {"turnserver": "coturn"}

    addresses: tuple[str, ...]
    """Where it listens. Two of one family make it able to answer from the other one (RFC 5780)."""
    port: int = 3478

    @override
    def prepare(self, folder: Path) -> list[str]:
        return [
            *("turnserver", "-n"),
            *(option for address in self.addresses for option in ("-L", address)),
            *("-p", str(self.port)),
            *("--stun-only", "--no-auth", "--no-tls", "--no-dtls", "--no-cli"),
            # Without these it writes into the system's folders.
            *("--userdb", str(folder / "database"), "--pidfile", str(folder / "pid")),
            *("--log-file", "stdout", "--simple-log"),
            # One thread starts and ends sooner than one for each processor.
            *("--relay-threads", "1"),
        ]

    @override
    def answers(self, host: Host) -> bool:
        # A Binding request of its own for each address: TCP is open before UDP is served.
        request = bytes.fromhex("00010000 2112a442") + b"is it there?"
        for address in self.addresses:
            with host.new_socket(family_of(address), socket.SOCK_DGRAM) as sock:
                sock.settimeout(0.2)
                sock.connect((address, self.port))
                sock.send(request)
                if sock.recv(1500)[8:20] != request[8:]:
                    return False
        return True
