"""Lines without IPv4 of their own: NAT64, 464XLAT, and nothing at all."""

from tests.lab.daemon import Daemon
from tests.lab.peers import SIMULATED_GATEWAY_LOCATION, simulated_gateway
from tests.lab.tayga import PREFIX, Tayga, tun

from .common import Access, Line, Side, assemble
from .pieces import NATIVE, ipoe, no_nat, resolver, reverse

POOL = "118.22.52.1"

CLAT = "192.0.0.1"
"""RFC 7335; RFC 6877 leaves the choice."""
_CLAT_PREFIX = "2a00:77:77:3::/64"
"""Part of what is delegated to the home."""

_INSIDE = "192.168.255.0/24"
"""For what the translator has made IPv4 of, before the source NAT."""

_PLAT = Tayga(
    namespace="isp",
    device="nat64",
    ipv4="192.168.255.1",
    lines=("ipv6-addr 2a00:77:64::1", f"dynamic-pool {_INSIDE}"),
)
_PROVIDER = Access(
    links=(),
    isp=Side(
        routes=(f"{_INSIDE} dev nat64", f"{PREFIX} dev nat64"),
        # The translator has no state: this is what makes a NAT64 (RFC 6146) of it.
        nft=f"""
table ip plat {{
  chain post {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {_INSIDE} oifname "n0" meta l4proto {{ tcp, udp, icmp }} snat ip to {POOL}:20000-21023
  }}
}}
""",
    ),
)
_NAMES = resolver(
    # RFC 7050 section 8.2.
    "ipv4only.arpa. A 192.0.0.170",
    "ipv4only.arpa. A 192.0.0.171",
    "net.example. A 11.22.33.2",
    reverse(POOL, "nat64.isp.example"),
    prefixes=(NATIVE,),
    options=f"dns64 {PREFIX} {{ clients {{ any; }}; recursive-only no; }};",
)


def nat64(*daemons: Daemon) -> Line:
    """Return NAT64 and DNS64: IPv4 is reached by names alone, such as net.example."""
    return Line(
        topology=assemble(
            "nat64",
            ipoe(NATIVE) + _PROVIDER,
            *(simulated_gateway(""), _PLAT, _NAMES, *daemons),
            home=no_nat("e0"),
            prefix=NATIVE,
            devices=(tun("isp", "nat64"),),
        ),
        mode="nat64",
        ipv6_mode="native",
        ipv6_openable="all",
        prefix=NATIVE,
        location=SIMULATED_GATEWAY_LOCATION,
    )


def nat64_clat(*daemons: Daemon) -> Line:
    """Return 464XLAT (RFC 6877): the router translates as well, so `lan` has IPv4."""
    clat = Tayga(
        namespace="rtr",
        device="clat",
        ipv4="192.0.0.2",
        lines=(f"map {CLAT} {_CLAT_PREFIX.replace('::/64', '::464')}",),
    )
    translate = Side(
        # IPv4 gains 20 bytes on its way into IPv6.
        routes=("default dev clat mtu 1480", f"{_CLAT_PREFIX} dev clat"),
        nft="""
table ip translate {
  chain post {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "clat" masquerade
  }
}
""",
    )
    return Line(
        topology=assemble(
            "nat64-clat",
            ipoe(NATIVE) + _PROVIDER,
            *(simulated_gateway(CLAT), _PLAT, clat, _NAMES, *daemons),
            home=no_nat("e0", inside=("lan0", "clat")) + translate,
            prefix=NATIVE,
            devices=(tun("isp", "nat64"), tun("rtr", "clat", f"{CLAT}/29")),
        ),
        mode="nat64",
        ipv6_mode="native",
        ipv6_openable="all",
        public=(POOL,),
        wan=CLAT,
        mtu=1480,
        prefix=NATIVE,
        location=SIMULATED_GATEWAY_LOCATION,
    )


def ipv6_only(*daemons: Daemon) -> Line:
    """Return a home whose IPv4 ends at its router."""
    return Line(
        topology=assemble(
            "ipv6-only",
            ipoe(NATIVE),
            *(simulated_gateway(""), resolver(prefixes=(NATIVE,)), *daemons),
            home=no_nat("e0"),
            prefix=NATIVE,
        ),
        mode="none",
        ipv6_mode="native",
        ipv6_openable="all",
        prefix=NATIVE,
        location=SIMULATED_GATEWAY_LOCATION,
    )
