"""MAP-E, and A+P by rules that nobody has published."""

from tests.lab.advertiser import CONTROL_PORT, advertiser
from tests.lab.build import Lab
from tests.lab.daemon import Daemon
from tests.lab.miniupnpd import Miniupnpd
from tests.lab.peers import SIMULATED_GATEWAY_LOCATION, simulated_gateway
from tests.lab.python_module import PythonModule

from .common import Line, assemble
from .pieces import TUNNEL_MTU, gateway, ipoe, nat, resolver, reverse
from .second_router import INNER, OUTER, inner_router
from .shares import Share, shared

V6PLUS_HOME = "240b:10:3f6c:d400"
V6PLUS = Share("106.72.63.108", 212)
"""By the rule 240b:10::/31 for 106.72.0.0/15."""
V6PLUS_LATER_HOME = "240b:12:a1b2:c300"
V6PLUS_LATER = Share("14.8.161.178", 195)
"""By the rule 240b:12::/31 for 14.8.0.0/15."""
OCN_HOME = "2400:4151:81e2:7500"
OCN = Share("153.187.7.137", 53, offset=6, length=6)
"""By the rule 2400:4151:8000::/36 for 153.187.0.0/18."""
UNKNOWN_HOME = "2a00:77:88:5600"
UNKNOWN = Share("118.22.60.9", 86)
"""By a rule that is in no table."""


def map_e_ocn(*daemons: Daemon) -> Line:
    """Return MAP-E with 63 blocks of ports."""
    return _line(
        "map-e-ocn", OCN, OCN_HOME, *daemons, carrier="ocn", name="p123456-ipoe.ipoe.ocn.ne.jp"
    )


def map_e_hgw(*daemons: Daemon) -> Line:
    """Return MAP-E that ends in an NTT home gateway, with another router behind it.

    The gateway shows the status page of its IPv4 software, and takes no mappings.
    """
    page = PythonModule(
        namespace="hgw",
        module="tests.fakes.home_gateway",
        arguments=("--host", OUTER, "--port", "8888"),
        listens=((OUTER, 8888),),
    )
    names = resolver(
        reverse(V6PLUS.ipv4, _v6plus_name(V6PLUS)),
        f"ntt.setup. A {OUTER}",
        prefixes=(V6PLUS_HOME,),
    )
    return Line(
        topology=assemble(
            "map-e-hgw",
            shared(V6PLUS, router="hgw") + ipoe(V6PLUS_HOME, router="hgw"),
            *(simulated_gateway(INNER), page, names, *daemons),
            home=nat(),
            prefix=V6PLUS_HOME,
            inner=inner_router(V6PLUS_HOME),
        ),
        mode="map_e",
        ipv6_mode="ipoe",
        carrier="v6plus",
        ipv4_openable="after_second_router",
        ipv6_openable="all",
        public=(V6PLUS.ipv4,),
        wan=INNER,
        ports=V6PLUS.ports,
        mtu=TUNNEL_MTU,
        prefix=V6PLUS_HOME,
        location=SIMULATED_GATEWAY_LOCATION,
    )


def a_plus_p(*daemons: Daemon) -> Line:
    """Return a shared address whose ports can be found out by STUN alone."""
    name = "p9.tokyo.isp.example"
    return _line("a-plus-p", UNKNOWN, UNKNOWN_HOME, *daemons, carrier="", name=name)


def map_e_v6plus(*daemons: Daemon, limited: bool = True) -> Line:
    """Return MAP-E with 15 blocks of ports.

    The home's IPv6 comes by router advertisements, and `renumber` gives it another prefix. A router
    that is not `limited` takes a mapping of any port, also where it will never work.
    """
    access = shared(V6PLUS, V6PLUS_LATER) + ipoe(V6PLUS_HOME, V6PLUS_LATER_HOME)
    upnp = _gateway(V6PLUS) if limited else gateway(wan6="e0")
    names = resolver(
        *(reverse(share.ipv4, _v6plus_name(share)) for share in (V6PLUS, V6PLUS_LATER)),
        prefixes=(V6PLUS_HOME, V6PLUS_LATER_HOME),
    )
    return Line(
        topology=assemble(
            "map-e-v6plus",
            access,
            *(upnp, names, advertiser("lan0", V6PLUS_HOME), *daemons),
            home=nat(),
            prefix=V6PLUS_HOME,
            autoconfigured=True,
        ),
        mode="map_e",
        ipv6_mode="ipoe",
        carrier="v6plus",
        ipv4_openable="port_set",
        ipv6_openable="all",
        public=(V6PLUS.ipv4,),
        wan=V6PLUS.ipv4,
        ports=V6PLUS.ports,
        mtu=TUNNEL_MTU,
        prefix=V6PLUS_HOME,
        location=upnp.location,
    )


async def renumber(lab: Lab) -> None:
    """Give the home of `map_e_v6plus` another prefix, and so another address and other ports.

    The gateway starts anew, and allows mappings of the new ports alone.
    """
    upnp = lab.daemon(Miniupnpd)
    lab.stop(upnp)
    rtr, before, after = lab["rtr"], V6PLUS_HOME, V6PLUS_LATER_HOME
    rtr.run("ip", "address", "add", f"{after}::1/64", "dev", "lan0")
    lab.change_wan(V6PLUS_LATER.ipv4)
    rtr.run("nft", "-f", "-", stdin=f"delete table ip share\n{V6PLUS_LATER.table()}")
    async with rtr.http_session() as session:
        url = f"http://127.0.0.1:{CONTROL_PORT}/prefix"
        async with session.post(url, data=f"{after}::/64") as answer:
            answer.raise_for_status()
    rtr.run("ip", "address", "del", f"{before}::1/64", "dev", "lan0")
    upnp.reset(rtr)
    lab.start(_gateway(V6PLUS_LATER))


def _gateway(share: Share) -> Miniupnpd:
    """Return the gateway that lets nobody map a port outside of this share."""
    return gateway(*(f"{first}-{last}" for first, last in share.ports), wan6="e0")


def _v6plus_name(share: Share) -> str:
    digits = "".join(f"{int(part):03}" for part in share.ipv4.split("."))
    return f"M{digits}.v4.enabler.ne.jp"


def _line(title: str, share: Share, prefix: str, *daemons: Daemon, carrier: str, name: str) -> Line:
    upnp = _gateway(share)
    names = resolver(reverse(share.ipv4, name), prefixes=(prefix,))
    return Line(
        topology=assemble(
            title,
            shared(share) + ipoe(prefix),
            *(upnp, names, *daemons),
            home=nat(),
            prefix=prefix,
        ),
        mode="map_e" if carrier else "a_plus_p",
        ipv6_mode="ipoe" if carrier else "native",
        carrier=carrier,
        ipv4_openable="port_set",
        ipv6_openable="all",
        public=(share.ipv4,),
        wan=share.ipv4,
        ports=share.ports,
        mtu=TUNNEL_MTU,
        prefix=prefix,
        location=upnp.location,
    )
