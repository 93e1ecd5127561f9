"""The base topology: a home behind one router that has a public address of its own.

    lan 192.168.77.10 ─┐
                       ├─ rtr 192.168.77.1 ── 11.22.33.1 ─── 11.22.33.2 net
    srv 192.168.77.20 ─┘

Home Assistant lives on `lan`, another server of the household on `srv`, and the rest of the world
is `net`. The addresses look public, since a real gateway refuses reserved ones; they mean nothing
outside of the namespaces.
"""

from .daemon import Daemon
from .miniupnpd import Miniupnpd, firewall
from .topology import Interface, Link, Namespace, Topology, bridge

LAN = "192.168.77.10"
SRV = "192.168.77.20"
GUEST = "192.168.77.30"
ROUTER = "192.168.77.1"
WAN = "11.22.33.1"
NET = "11.22.33.2"

LAN6 = "2a00:77:77:1::10"
SRV6 = "2a00:77:77:1::20"
GUEST6 = "2a00:77:77:1::30"
ROUTER6 = "2a00:77:77:1::1"
WAN6 = "2a00:77:77:ff::1"
NET6 = "2a00:77:77:ff::2"

MINIUPNPD = Miniupnpd(
    namespace="rtr",
    address=ROUTER,
    lan="lan0",
    wan="wan0",
    allow=("1-65535 192.168.77.0/24 1-65535",),
)


def home(
    *daemons: Daemon,
    wan: str = WAN,
    net: str = NET,
    closed: str = "drop",
    rules: str = "",
    names: bool = False,
    guest: bool = False,
    name: str = "home",
) -> Topology:
    """Return the topology with these daemons.

    `wan` and `net` are neighbours in a /24. `closed` is the router's answer at a closed port:
    "drop" or "reject"; `rules` are more of its rules. With `names` the home asks a name server on
    `net`, and with `guest` there is one more machine in it.
    """
    way_out = Interface(namespace="rtr", name="wan0", addresses=(f"{wan}/24", f"{WAN6}/64"))
    internet = Interface(namespace="net", name="eth0", addresses=(f"{net}/24", f"{NET6}/64"))
    machines = {"lan": (LAN, LAN6), "srv": (SRV, SRV6)}
    if guest:
        machines["guest"] = (GUEST, GUEST6)
    return Topology(
        name=name,
        namespaces=(
            *(_household(each, net if names else None) for each in machines),
            Namespace(
                name="rtr",
                forwarding=True,
                routes=(f"default via {net}", f"default via {NET6}"),
                nft=firewall("lan0", "wan0", closed=closed) + rules,
            ),
            Namespace(name="net", routes=(f"2a00:77:77:1::/64 via {WAN6}",)),
        ),
        links=(
            *(Link(_plug(each, *at), _socket(each)) for each, at in machines.items()),
            Link(way_out, internet),
        ),
        devices=(bridge("rtr", "lan0", f"{ROUTER}/24", f"{ROUTER6}/64"),),
        daemons=daemons,
        wan=way_out,
    )


def reserved(*daemons: Daemon) -> Topology:
    """Return the home whose provider hands out shared addresses (RFC 6598), as CGNAT has them."""
    return home(*daemons, wan="100.64.0.2", net="100.64.0.1", name="reserved")


def _household(name: str, name_server: str | None) -> Namespace:
    return Namespace(
        name=name,
        nameservers=(name_server,) if name_server else (),
        routes=(f"default via {ROUTER}", f"default via {ROUTER6}", "239.0.0.0/8 dev eth0"),
    )


def _plug(namespace: str, ipv4: str, ipv6: str) -> Interface:
    return Interface(namespace=namespace, name="eth0", addresses=(f"{ipv4}/24", f"{ipv6}/64"))


def _socket(namespace: str) -> Interface:
    return Interface(namespace="rtr", name=f"to-{namespace}", bridge="lan0")
