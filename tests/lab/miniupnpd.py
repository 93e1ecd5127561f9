"""miniupnpd: a real gateway with UPnP IGD 1 and 2, IPv6 pinholes, NAT-PMP and PCP."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
import socket
from typing import ClassVar, override

from .daemon import Daemon
from .host import Host

# The names that Debian's program is built with, all in `table inet filter`.
_NAT_PMP = 5351
CHAINS = ("miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd")


def firewall(lan: str, wan: str, *, closed: str = "drop") -> str:
    """Return the rules of a home router whose openings are miniupnpd's.

    `closed` is what becomes of a packet to a closed port: "drop" or "reject".
    """
    return f"""
table inet filter {{
  chain forward {{
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "{lan}" accept
    meta l4proto ipv6-icmp accept
    jump miniupnpd
    iifname "{wan}" meta nfproto ipv6 {closed}
  }}
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname "{wan}" ct state established,related accept
    iifname "{wan}" meta l4proto {{ icmp, ipv6-icmp }} accept
    iifname "{wan}" {closed}
  }}
  chain miniupnpd {{ }}
  chain prerouting {{
    type nat hook prerouting priority dstnat; policy accept;
    jump prerouting_miniupnpd
  }}
  chain prerouting_miniupnpd {{ }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    jump postrouting_miniupnpd
    meta nfproto ipv4 oifname "{wan}" masquerade
  }}
  chain postrouting_miniupnpd {{ }}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Miniupnpd(Daemon):
    """miniupnpd between two interfaces of a router that has the rules of `firewall`.

    2.3.1 takes no WAN address from a reserved range, the documentation ranges included: it then
    answers an empty address and refuses to map.
    """

    needs: ClassVar[Mapping[str, str]] = {"miniupnpd": "miniupnpd-nftables"}

    address: str
    """Where it listens, the router's own address in the LAN."""
    lan: str
    wan: str
    allow: tuple[str, ...]
    """Outside ports, clients and inside ports, such as "1-65535 192.168.77.0/24 1-65535"."""
    http_port: int = 5000
    secure_mode: bool = False
    """Whether a client may map to itself only."""
    uuid: str = "00000000-0000-4000-8000-000000000001"
    upnp: bool = True
    """Without it there is NAT-PMP and PCP only."""
    options: tuple[str, ...] = ()
    """More lines, such as "force_igd_desc_v1=yes"."""

    @property
    def location(self) -> str:
        """The URL of its description."""
        return f"http://{self.address}:{self.http_port}/rootDesc.xml"

    @override
    def prepare(self, folder: Path) -> list[str]:
        leases = folder / "leases"
        leases.touch()
        lines = [
            # By name: it follows the interface's address, and IPv6 does not work otherwise.
            f"ext_ifname={self.wan}",
            f"ext_ifname6={self.wan}",
            f"listening_ip={self.lan}",
            f"http_port={self.http_port}",
            f"uuid={self.uuid}",
            f"enable_upnp={'yes' if self.upnp else 'no'}",
            # This turns PCP on as well.
            "enable_natpmp=yes",
            "min_lifetime=10",
            "max_lifetime=86400",
            f"lease_file={leases}",
            f"secure_mode={'yes' if self.secure_mode else 'no'}",
            "system_uptime=no",
            "notify_interval=30",
            *self.options,
            *(f"allow {line}" for line in self.allow),
            "deny 0-65535 0.0.0.0/0 0-65535",
        ]
        configuration = folder / "miniupnpd.conf"
        configuration.write_text("\n".join([*lines, ""]))
        pid_file = folder / "pid"
        # It takes a file that an earlier run left behind for a sign that it is running.
        pid_file.unlink(missing_ok=True)
        return ["miniupnpd", "-d", "-f", str(configuration), "-P", str(pid_file)]

    @override
    def answers(self, host: Host) -> bool:
        # An answer, not just a connection: its main loop runs, so all its sockets are open.
        if not self.upnp:
            with host.new_socket(kind=socket.SOCK_DGRAM) as sock:
                sock.settimeout(1)
                sock.connect((self.address, _NAT_PMP))
                sock.send(bytes(2))  # the request for the external address
                return len(sock.recv(16)) > 4
        with host.new_socket() as sock:
            sock.settimeout(1)
            sock.connect((self.address, self.http_port))
            sock.sendall(b"GET /rootDesc.xml HTTP/1.0\r\n\r\n")
            return sock.recv(64, socket.MSG_WAITALL).startswith(b"HTTP/1.")

    @override
    def reset(self, host: Host) -> None:
        host.run("nft", "-f", "-", stdin="".join(f"flush chain inet filter {c}\n" for c in CHAINS))
