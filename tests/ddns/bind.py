"""A real BIND on loopback that takes signed updates, for the tests of RFC 2136."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
import shutil
import socket
import subprocess
import time

import dns.flags
import dns.message
import dns.rdatatype

ZONE = "dyn.example.test"
HOST = f"home.{ZONE}"
KEY = "ha-key"
SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiBSRkMgMjEzNiE="
NAMED = shutil.which("named", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

# "a-key" may change nothing but A; "sha512-key" shows another algorithm.
_CONFIG = """
key "ha-key" {{ algorithm hmac-sha256; secret "{secret}"; }};
key "a-key" {{ algorithm hmac-sha256; secret "{secret}"; }};
key "sha512-key" {{ algorithm hmac-sha512; secret "{secret}"; }};
options {{
  directory "{directory}"; pid-file none; session-keyfile none; lock-file none;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify no; allow-transfer {{ none; }};
}};
controls {{ }};
zone "dyn.example.test" {{
  type primary; file "zone.db";
  update-policy {{
    grant ha-key zonesub A AAAA; grant sha512-key zonesub A AAAA; grant a-key zonesub A;
  }};
}};
"""
_ZONE = """$ORIGIN dyn.example.test.
$TTL 60
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.1
"""


@dataclass(frozen=True, slots=True)
class Bind:
    """A running server."""

    port: int

    @property
    def server(self) -> str:
        """What a user enters."""
        return f"127.0.0.1:{self.port}"

    def lookup(self, name: str, kind: str) -> set[str]:
        """Return the records that the server has, as text; only authoritative answers count."""
        query = dns.message.make_query(name, kind, use_edns=False)
        query.flags &= ~dns.flags.RD
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(2)
            sock.sendto(query.to_wire(), ("127.0.0.1", self.port))
            answer = dns.message.from_wire(sock.recv(4096))
        assert answer.flags & dns.flags.AA
        wanted = dns.rdatatype.from_text(kind)
        return {
            rdata.to_text() for rrset in answer.answer if rrset.rdtype == wanted for rdata in rrset
        }

    def serial(self) -> int:
        """Return the zone's serial number."""
        (soa,) = self.lookup(ZONE, "SOA")
        return int(soa.split()[2])


def free_port() -> int:
    """Return a port that is free for TCP and UDP on 127.0.0.1."""
    for _ in range(20):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")


@contextmanager
def bind(directory: Path) -> Iterator[Bind]:
    """Run BIND with its files in an empty directory; end it afterwards."""
    assert NAMED is not None
    port = free_port()
    (directory / "zone.db").write_text(_ZONE)
    config = directory / "named.conf"
    config.write_text(_CONFIG.format(secret=SECRET, directory=directory, port=port))
    log = directory / "log"
    with log.open("w") as stream:
        process = subprocess.Popen([NAMED, "-g", "-n", "1", "-c", str(config)], stderr=stream)
    try:
        deadline = time.monotonic() + 20
        while not log.read_text().rstrip().endswith("running"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"named does not start:\n{log.read_text()}")
            time.sleep(0.02)
        yield Bind(port)
    finally:
        process.terminate()
        process.wait(10)
