"""BIND 9: an authoritative server that takes signed updates (RFC 2136, TSIG)."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes
import socket
from typing import ClassVar, override

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from .daemon import Daemon
from .host import Host, family_of


def new_secret() -> str:
    """Return a TSIG secret of 256 bits in Base64."""
    return b64encode(token_bytes(32)).decode()


@dataclass(frozen=True, kw_only=True)
class Bind(Daemon):
    """A primary server for one zone, with the keys that may change it."""

    needs: ClassVar[Mapping[str, str]] = {"named": "bind9"}

    addresses: tuple[str, ...]
    """Where it listens. The first is the address of the zone's name server."""
    zone: str = "dyn.example."
    records: tuple[str, ...] = ()
    """What stands in the zone at first, as in a zone file: "home A 192.0.2.1"."""
    keys: Mapping[str, str] = field(default_factory=lambda: {"homeport.": new_secret()})
    """Secrets in Base64 by key name, for HMAC-SHA256."""
    update_policy: tuple[str, ...] = ("grant homeport. zonesub A AAAA TXT",)
    """Empty lets nobody change the zone."""
    options: str = ""
    """More options for named.conf, such as "dns64 64:ff9b::/96 { };"."""
    extra: str = ""
    """More for named.conf: options stand in braces, so this is for zones, views and the like."""

    @override
    def prepare(self, folder: Path) -> list[str]:
        zone_file = folder / "zone"
        if not zone_file.exists():
            zone_file.write_text(
                "\n".join(
                    (
                        "$TTL 60",
                        "@ SOA ns admin 1 3600 600 86400 60",
                        "@ NS ns",
                        f"ns {'AAAA' if ':' in self.addresses[0] else 'A'} {self.addresses[0]}",
                        *self.records,
                        "",
                    )
                )
            )
        configuration = folder / "named.conf"
        configuration.write_text(self._configuration(folder, zone_file))
        # One thread starts and ends sooner than one for each processor.
        return ["named", "-g", "-n", "1", "-c", str(configuration)]

    def _configuration(self, folder: Path, zone_file: Path) -> str:
        keys = "\n".join(
            f'key "{name}" {{ algorithm hmac-sha256; secret "{secret}"; }};'
            for name, secret in self.keys.items()
        )
        ipv4 = "".join(f"{a}; " for a in self.addresses if ":" not in a)
        ipv6 = "".join(f"{a}; " for a in self.addresses if ":" in a)
        policy = "".join(f"{line}; " for line in self.update_policy)
        update_policy = f"update-policy {{ {policy}}};" if policy else ""
        return f"""
{keys}
options {{
  directory "{folder}"; pid-file "{folder}/pid"; session-keyfile none;
  listen-on {{ {ipv4 or "none; "}}}; listen-on-v6 {{ {ipv6 or "none; "}}};
  recursion no; dnssec-validation no;
  {self.options}
}};
controls {{ }};
zone "{self.zone}" {{
  type primary; file "{zone_file}"; {update_policy}
}};
{self.extra}
"""

    @override
    def answers(self, host: Host) -> bool:
        # It listens before the zone is loaded, and says SERVFAIL until then.
        return bool(self.lookup(host, self.zone, "SOA", within=1))

    def lookup(self, host: Host, name: str, kind: str, *, within: float = 2) -> set[str]:
        """Ask from `host` and return the records of that name and kind, empty when there are none.

        Raises OSError when it does not answer, LookupError for an answer other than NOERROR and
        NXDOMAIN.
        """
        server = self.addresses[0]
        question = dns.message.make_query(name, kind)
        with host.new_socket(family_of(server), socket.SOCK_DGRAM) as sock:
            sock.settimeout(within)
            sock.connect((server, 53))
            sock.send(question.to_wire())
            answer = dns.message.from_wire(sock.recv(4096))
        if answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            raise LookupError(f"{name} {kind}: {dns.rcode.to_text(answer.rcode())}")
        wanted = dns.rdatatype.from_text(kind)
        return {str(data) for rrset in answer.answer if rrset.rdtype == wanted for data in rrset}
