"""Lines with more ways than one, and lines with none."""

from typing import Literal

from tests.lab.daemon import Daemon
from tests.lab.topology import bridge

from .closed import B4, BLOCKS, POOL, TRANSIX_HOME, TRANSIX_NAMES, behind_nat
from .common import Access, Line, Side, assemble
from .pieces import (
    OWN,
    OWN_ROUTER,
    PPPOE_MTU,
    TUNNEL_MTU,
    ethernet,
    gateway,
    ipoe,
    nat,
    point_to_point,
    resolver,
    reverse,
)

NGN_HOME = "2408:210:1234:5600"
"""In the network of NTT East, which has no way to the internet."""

type Refusal = Literal["reset", "prohibited", "drop"]

_REFUSALS: dict[Refusal, str] = {
    "reset": "meta l4proto tcp reject with tcp reset",
    "prohibited": "reject with icmpv6 type admin-prohibited",
    "drop": "drop",
}
_NAME = reverse(OWN, "p77.tokyo.isp.example")


def two_exits(*daemons: Daemon) -> Line:
    """Return PPPoE, by which one can come in, beside DS-Lite, by which `lan` goes out."""
    tunnel = behind_nat(
        B4, "192.0.0.1", BLOCKS, length=29, mtu=TUNNEL_MTU, inside="192.168.77.0/24", wan="d0"
    )
    answer_by_the_same = Side(
        routes=(
            f"default via {OWN_ROUTER} dev w0 table 7",
            "192.168.77.0/24 dev lan0 table 7",
        ),
        rules=("fwmark 7 table 7",),
        nft="""
table inet exits {
  chain pre {
    type filter hook prerouting priority mangle; policy accept;
    iifname "w0" ct state new ct mark set 7
    iifname "w0" meta mark set 7
    iifname "lan0" meta mark set ct mark
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "d0" ct state new drop
  }
}
""",
    )
    upnp = gateway(wan6="e0")
    return Line(
        topology=assemble(
            "two-exits",
            point_to_point(default=False) + tunnel + ipoe(TRANSIX_HOME),
            *(upnp, resolver(_NAME, *TRANSIX_NAMES, prefixes=(TRANSIX_HOME,)), *daemons),
            home=nat() + answer_by_the_same,
            prefix=TRANSIX_HOME,
        ),
        mode="two_exits",
        ipv6_mode="ipoe",
        carrier="transix",
        ipv4_openable="unknown",
        ipv6_openable="all",
        public=(POOL,),
        wan=OWN,
        mtu=TUNNEL_MTU,
        prefix=TRANSIX_HOME,
        location=upnp.location,
    )


def ngn(*daemons: Daemon, refusal: Refusal) -> Line:
    """Return PPPoE, beside IPv6 that leads no further than the access network."""
    access = ipoe(NGN_HOME)
    wall = f"""
table ip6 ngn {{
  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname "e0" ip6 daddr != {{ 2404:1a8::/32, 2408::/22 }} {_REFUSALS[refusal]}
    iifname "e0" ip6 daddr != {{ 2404:1a8::/32, 2408::/22 }} drop
  }}
}}
"""
    upnp = gateway(wan6="e0")
    return Line(
        topology=assemble(
            f"ngn-{refusal}",
            point_to_point() + access + Access(links=(), isp=Side(nft=wall)),
            *(upnp, resolver(_NAME, prefixes=(NGN_HOME,)), *daemons),
            home=nat(),
            prefix=NGN_HOME,
        ),
        mode="pppoe",
        ipv6_mode="ngn_only",
        ipv4_openable="all",
        public=(OWN,),
        wan=OWN,
        mtu=PPPOE_MTU,
        prefix=NGN_HOME,
        location=upnp.location,
    )


def offline_link(*daemons: Daemon) -> Line:
    """Return a router whose WAN socket is empty."""
    upnp = gateway()
    return Line(
        topology=assemble(
            "offline-link",
            Access(links=()),
            *(upnp, resolver(), *daemons),
            home=nat(),
            devices=(bridge("rtr", "w0"),),
        ),
        mode="offline",
        ipv4_openable="unknown",
        location=upnp.location,
    )


def offline_route(*daemons: Daemon) -> Line:
    """Return a home where all is well but `lan`, which knows no way out."""
    upnp = gateway()
    return Line(
        topology=assemble(
            "offline-route",
            ethernet(f"{OWN}/24", f"{OWN_ROUTER}/24"),
            *(upnp, resolver(_NAME), *daemons),
            home=nat(),
            routed=False,
        ),
        mode="offline",
        ipv4_openable="unknown",
        wan=OWN,
        location=upnp.location,
    )
