"""Lines whose IPv4 ends in a provider's NAT: DS-Lite and CGNAT.

Two homes with the same addresses inside share the NAT, as they do at a provider.
"""

from dataclasses import replace

from tests.lab.daemon import Daemon
from tests.lab.home import LAN
from tests.lab.peers import SIMULATED_GATEWAY_LOCATION, simulated_gateway
from tests.lab.topology import Interface, Link, Namespace

from .common import Access, Line, Side, assemble
from .pieces import NATIVE, TUNNEL_MTU, gateway, ipoe, nat, no_nat, resolver, reverse

TRANSIX_HOME = "2409:10:1234:5600"
XPASS_HOME = "2001:f70:1234:5600"

POOL = "118.22.50.1"
BLOCKS = (f"{POOL}:10240-11263", f"{POOL}:11264-12287")
"""What a NAT that gives each home a block of ports has for this home, and for the neighbour."""
VARYING_POOL = ("118.22.51.1", "118.22.51.2", "118.22.51.3", "118.22.51.4")

B4 = "192.0.0.2"
"""RFC 6333 section 5.7."""
CGN_WAN = "100.64.0.2"
SQUATTED_WAN = "25.0.0.2"
"""In a block that belongs to a ministry, and that providers use as if it were private."""
TRANSIX_NAMES = (
    "gw.transix.jp. AAAA 2404:8e00::feed:100",
    # The octets stand the other way round there.
    reverse(POOL, "1.50.22.118.shared.user.transix.jp"),
)

_LAN = "192.168.77.0/24"
_HOME, _NEIGHBOUR = 1, 2
"""Zones of connections, marks, and tables of routes."""


def behind_nat(
    address: str,
    peer: str,
    pool: tuple[str, str],
    *,
    length: int,
    mtu: int = 1500,
    inside: str = "",
    wan: str = "w0",
    default: bool = True,
) -> Access:
    """Return a way through a provider's NAT for two homes with this WAN address.

    `pool` are the addresses and ports outside, home and neighbour, as nft writes them. `inside` is
    the network in the homes if they do not translate, so that the provider sees it. `default` says
    whether the home's IPv4 takes this way.
    """
    neighbour = Namespace(
        name="neighbour",
        routes=(f"default via {peer} dev w0" + (f" src {LAN}" if inside else ""),),
    )
    ends = [
        (Interface(namespace=home, name=name, addresses=(f"{address}/{length}", *more)), end)
        for home, name, end, more in (
            ("rtr", wan, "ta", ()),
            ("neighbour", "w0", "tb", (f"{LAN}/32",) if inside else ()),
        )
    ]
    routes = [
        route
        for mark, (_, end) in zip((_HOME, _NEIGHBOUR), ends, strict=True)
        for route in (
            f"{address} dev {end} table {mark}",
            *((f"{inside} via {address} dev {end} onlink table {mark}",) if inside else ()),
        )
    ]
    return Access(
        links=tuple(
            Link(
                home,
                Interface(namespace="isp", name=end, addresses=(f"{peer}/{length}",)),
                mtu,
            )
            for home, end in ends
        ),
        home=Side(routes=(f"default via {peer} dev {wan}",) if default else ()),
        isp=Side(
            routes=tuple(routes),
            rules=tuple(f"fwmark {mark} table {mark}" for mark in (_HOME, _NEIGHBOUR)),
            nft=_nat(pool),
        ),
        others=(neighbour,),
    )


def _nat(pool: tuple[str, str]) -> str:
    """Return the rules of a NAT that keeps two homes with the same addresses apart."""
    to_home, to_neighbour = pool
    flow = "meta nfproto ipv4 meta l4proto { tcp, udp, icmp } snat ip to"
    return f"""
table inet cgn {{
  chain zone {{
    type filter hook prerouting priority raw; policy accept;
    iifname "ta" ct original zone set {_HOME}
    iifname "tb" ct original zone set {_NEIGHBOUR}
  }}
  chain pre {{
    type filter hook prerouting priority mangle; policy accept;
    iifname "ta" ct mark set {_HOME}
    iifname "ta" meta mark set {_HOME}
    iifname "tb" ct mark set {_NEIGHBOUR}
    iifname "tb" meta mark set {_NEIGHBOUR}
    iifname "n0" meta mark set ct mark
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    oifname {{ "ta", "tb" }} drop
  }}
  chain post {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "n0" iifname "ta" {flow} {to_home}
    oifname "n0" iifname "tb" {flow} {to_neighbour}
  }}
}}
"""


def ds_lite_transix(*daemons: Daemon, silent: bool = False) -> Line:
    """Return DS-Lite whose AFTR gives each home a block of ports of one address.

    The gateway of a `silent` one says nothing instead of an address that it shares with all others.
    """
    tunnel = behind_nat(B4, "192.0.0.1", BLOCKS, length=29, mtu=TUNNEL_MTU, inside=_LAN)
    wan = "" if silent else B4
    return _ds_lite("transix", tunnel, TRANSIX_HOME, *daemons, names=TRANSIX_NAMES, wan=wan)


def ds_lite_xpass(*daemons: Daemon) -> Line:
    """Return DS-Lite whose AFTR takes any port of four addresses, one of them for each target."""
    names = (
        "dgw.xpass.jp. AAAA 2001:f60:0:200::1:1",
        *(reverse(a, f"{a.replace('.', '-')}.east.xps.vectant.ne.jp") for a in VARYING_POOL),
    )
    pool = f"{VARYING_POOL[0]}-{VARYING_POOL[-1]} fully-random"
    tunnel = behind_nat(B4, "192.0.0.1", (pool, pool), length=29, mtu=TUNNEL_MTU, inside=_LAN)
    line = _ds_lite("xpass", tunnel, XPASS_HOME, *daemons, names=names)
    return replace(line, public=VARYING_POOL)


def _ds_lite(
    carrier: str,
    tunnel: Access,
    prefix: str,
    *daemons: Daemon,
    names: tuple[str, ...],
    wan: str = B4,
) -> Line:
    bind = resolver(*names, prefixes=(prefix,))
    return Line(
        topology=assemble(
            f"ds-lite-{carrier}",
            tunnel + ipoe(prefix),
            *(simulated_gateway(wan), bind, *daemons),
            home=no_nat("w0", "e0"),
            prefix=prefix,
        ),
        mode="ds_lite",
        ipv6_mode="ipoe",
        carrier=carrier,
        ipv6_openable="all",
        public=(POOL,),
        wan=wan,
        mtu=TUNNEL_MTU,
        prefix=prefix,
        location=SIMULATED_GATEWAY_LOCATION,
    )


def cgnat(*daemons: Daemon, silent: bool = False) -> Line:
    """Return Ethernet with a shared address (RFC 6598), and IPv6 beside it.

    The gateway of a `silent` one is a real one, which keeps such an address to itself.
    """
    access = behind_nat(CGN_WAN, "100.64.0.1", BLOCKS, length=24) + ipoe(NATIVE)
    names = resolver(reverse(POOL, "cgn1.isp.example"), prefixes=(NATIVE,))
    upnp = gateway(wan6="e0") if silent else simulated_gateway(CGN_WAN)
    return Line(
        topology=assemble(
            "cgnat-silent" if silent else "cgnat",
            access,
            *(upnp, names, *daemons),
            home=nat(),
            prefix=NATIVE,
        ),
        mode="cgnat",
        ipv6_mode="native",
        ipv4_openable="unknown" if silent else "none",
        ipv6_openable="all",
        public=(POOL,),
        wan="" if silent else CGN_WAN,
        prefix=NATIVE,
        location=gateway().location if silent else SIMULATED_GATEWAY_LOCATION,
        hidden=silent,
    )


def squatted(*daemons: Daemon) -> Line:
    """Return CGNAT in a block that looks public, without IPv6."""
    access = behind_nat(SQUATTED_WAN, "25.0.0.1", BLOCKS, length=24)
    upnp = gateway()
    names = resolver(reverse(POOL, "cgn1.isp.example"))
    return Line(
        topology=assemble("squatted", access, *(upnp, names, *daemons), home=nat()),
        mode="cgnat",
        ipv4_openable="unknown",
        public=(POOL,),
        wan=SQUATTED_WAN,
        location=upnp.location,
    )
