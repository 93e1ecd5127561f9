"""What all lines have in common: the home, the provider, and the world outside.

    lan 192.168.77.10 ── 192.168.77.1 rtr ── w0, e0 ── isp 11.22.33.254 ── 11.22.33.2 net

Home Assistant lives on `lan`. `rtr` is the home router, `w0` its way out for IPv4, and `e0` for
IPv6 where that has a way of its own. `isp` is all that the provider has: access concentrator,
border relay, AFTR, NAT. The outside is `net`, at the same addresses for every line, so that one
certificate and one set of URLs serve them all. A tunnel is a cable with the tunnel's MTU.
"""

from dataclasses import dataclass

from tests.lab.daemon import Daemon
from tests.lab.home import LAN, NET, NET6, ROUTER
from tests.lab.topology import Interface, Link, Namespace, Topology

OTHER_NET = "11.22.33.3"
OTHER_NET6 = "2a00:77:77:ff::3"
"""The second addresses of `net`, as a STUN server with two of them has (RFC 5780)."""
ISP = "11.22.33.254"
ISP6 = "2a00:77:77:ff::fe"

type Ports = tuple[tuple[int, int], ...]
"""Ranges of ports, both ends included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A topology, and what is true of it.

    - `mode`, `ipv6_mode`, `carrier`, `ipv4_openable`, `ipv6_openable`: what there is to find out,
      in the words of the integration; a carrier is "" where none is involved
    - `public`: the IPv4 addresses of which the outside sees one; empty without IPv4
    - `wan`: the WAN address that the gateway says; "" when it says none
    - `ports`: the external ports that belong to this home on a shared address
    - `prefix`: the /64 of the LAN; "" without IPv6
    - `mtu`, `mtu6`: the path MTU from `lan` to the outside, by family
    - `location`: the URL of the gateway's description
    - `hidden`: whether the gateway tells so little that a report may say less, or guess wrong
    """

    topology: Topology
    mode: str
    ipv6_mode: str = "none"
    carrier: str = ""
    ipv4_openable: str = "none"
    ipv6_openable: str = "none"
    public: tuple[str, ...] = ()
    wan: str = ""
    ports: Ports = ()
    prefix: str = ""
    mtu: int = 1500
    mtu6: int = 1500
    location: str
    hidden: bool = False

    @property
    def lan6(self) -> str:
        """The IPv6 address of `lan`, where it is fixed."""
        return f"{self.prefix}::10"

    @property
    def router6(self) -> str:
        """The router's IPv6 address in the LAN."""
        return f"{self.prefix}::1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What a router needs for one purpose. It is added up from pieces."""

    routes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    nft: str = ""

    def __add__(self, other: Side) -> Side:
        """Return both together."""
        return Side(
            routes=self.routes + other.routes,
            rules=self.rules + other.rules,
            nft=self.nft + other.nft,
        )

    def router(self, name: str) -> Namespace:
        """Return the router that has all this."""
        return Namespace(
            name=name,
            forwarding=True,
            # What it answers to a marked packet goes the way that the mark says.
            sysctls={"ipv4/fwmark_reflect": "1"},
            routes=self.routes,
            rules=self.rules,
            nft=self.nft,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One way between home and provider: cables, what both ends need, and the other customers."""

    links: tuple[Link, ...]
    home: Side = Side()
    isp: Side = Side()
    others: tuple[Namespace, ...] = ()

    def __add__(self, other: Access) -> Access:
        """Return both ways side by side."""
        return Access(
            links=self.links + other.links,
            home=self.home + other.home,
            isp=self.isp + other.isp,
            others=self.others + other.others,
        )

    @property
    def home_router(self) -> str:
        """The name of the router at the home's end."""
        return self.links[0].a.namespace if self.links else "rtr"

    @property
    def wan(self) -> Interface | None:
        """The home's end of the first cable that has an IPv4 address there."""
        ends = (link.a for link in self.links)
        return next((end for end in ends if any("." in each for each in end.addresses)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A router of the household's own behind the one at the access, which needs `outer` for it."""

    router: Namespace
    link: Link
    outer: Side


def assemble(
    name: str,
    access: Access,
    *daemons: Daemon,
    home: Side,
    prefix: str = "",
    autoconfigured: bool = False,
    routed: bool = True,
    inner: Inner | None = None,
    devices: tuple[Interface, ...] = (),
) -> Topology:
    """Return the topology of a home with this access.

    - `home`: what the router at the access needs besides
    - `prefix`: the /64 of the LAN
    - `autoconfigured`: whether `lan` takes its IPv6 from router advertisements
    - `routed`: whether `lan` has a way out
    - `inner`: a router between `lan` and the one at the access
    - `devices`: interfaces without a cable
    """
    outer = access.home_router
    if inner:
        home += inner.outer
    host, router = [f"{LAN}/24"], [f"{ROUTER}/24"]
    if prefix:
        router.append(f"{prefix}::1/64")
        if not autoconfigured:
            host.append(f"{prefix}::10/64")
    isp = access.isp + Side(routes=(f"default via {NET}", f"default via {NET6}"))
    # What starts from `net` without choosing an address takes the first of each family.
    net = (f"{NET}/24", f"{OTHER_NET}/24", f"{NET6}/64", f"{OTHER_NET6}/64 preferred_lft 0")
    return Topology(
        name=name,
        namespaces=(
            _machine(prefix, autoconfigured=autoconfigured, routed=routed),
            *((inner.router,) if inner else ()),
            (access.home + home).router(outer),
            isp.router("isp"),
            *access.others,
            Namespace(name="net", routes=(f"default via {ISP}", f"default via {ISP6}")),
        ),
        links=(
            Link(
                Interface(namespace="lan", name="eth0", addresses=tuple(host)),
                Interface(namespace="rtr", name="lan0", addresses=tuple(router)),
            ),
            *((inner.link,) if inner else ()),
            *access.links,
            Link(
                Interface(namespace="isp", name="n0", addresses=(f"{ISP}/24", f"{ISP6}/64")),
                Interface(namespace="net", name="eth0", addresses=net),
            ),
        ),
        devices=devices,
        daemons=daemons,
        wan=access.wan,
    )


def _machine(prefix: str, *, autoconfigured: bool, routed: bool) -> Namespace:
    """Return the machine that Home Assistant lives on."""
    routes = ["239.0.0.0/8 dev eth0"]
    if routed:
        routes.append(f"default via {ROUTER}")
        if prefix and not autoconfigured:
            routes.append(f"default via {prefix}::1")
    sysctls = {
        "ipv6/conf/default/accept_ra": "1",
        # Temporary addresses, and used before the others (RFC 8981).
        "ipv6/conf/default/use_tempaddr": "2",
        # Stable ones by a secret that the kernel makes up (RFC 7217).
        "ipv6/conf/default/addr_gen_mode": "3",
    }
    return Namespace(
        name="lan",
        sysctls=sysctls if autoconfigured else {},
        routes=tuple(routes),
        nameservers=(ROUTER,),
    )
