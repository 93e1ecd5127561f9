"""Lines whose IPv4 address belongs to one home: Ethernet, PPPoE, a fixed address in a tunnel."""

from tests.lab.daemon import Daemon

from .common import Line, assemble
from .pieces import (
    NATIVE,
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

OCN_HOME = "2400:4051:1234:5600"
"""In the block of OCN, and in a MAP-E rule, which gives 122.26.9.26."""
FIXED = "106.73.200.5"
"""An address that v6プラス sells as a fixed one."""
FIXED_HOME = "240b:10:3f6c:d400"
"""MAP-E would give 106.72.63.108 here."""

_NAME = reverse(OWN, "p77.tokyo.isp.example")


def public(*daemons: Daemon) -> Line:
    """Return Ethernet with a public address, and IPv6 beside it."""
    access = ethernet(f"{OWN}/24", f"{OWN_ROUTER}/24") + ipoe(NATIVE)
    upnp, names = gateway(wan6="e0"), resolver(_NAME, prefixes=(NATIVE,))
    return Line(
        topology=assemble("public", access, upnp, names, *daemons, home=nat(), prefix=NATIVE),
        mode="public",
        ipv6_mode="native",
        ipv4_openable="all",
        ipv6_openable="all",
        public=(OWN,),
        wan=OWN,
        prefix=NATIVE,
        location=upnp.location,
    )


def pppoe(*daemons: Daemon) -> Line:
    """Return PPPoE without IPv6."""
    upnp = gateway()
    return Line(
        topology=assemble("pppoe", point_to_point(), upnp, resolver(_NAME), *daemons, home=nat()),
        mode="pppoe",
        ipv4_openable="all",
        public=(OWN,),
        wan=OWN,
        mtu=PPPOE_MTU,
        location=upnp.location,
    )


def pppoe_ipoe(*daemons: Daemon) -> Line:
    """Return PPPoE for IPv4, and IPv6 from OCN over Ethernet."""
    upnp = gateway(wan6="e0")
    return Line(
        topology=assemble(
            "pppoe-ipoe",
            point_to_point() + ipoe(OCN_HOME),
            *(upnp, resolver(_NAME, prefixes=(OCN_HOME,)), *daemons),
            home=nat(),
            prefix=OCN_HOME,
        ),
        mode="pppoe",
        ipv6_mode="ipoe",
        carrier="ocn",
        ipv4_openable="all",
        ipv6_openable="all",
        public=(OWN,),
        wan=OWN,
        mtu=PPPOE_MTU,
        prefix=OCN_HOME,
        location=upnp.location,
    )


def pppoe_ipv6(*daemons: Daemon) -> Line:
    """Return PPPoE for both families."""
    upnp = gateway()
    return Line(
        topology=assemble(
            "pppoe-ipv6",
            point_to_point(prefix=NATIVE),
            *(upnp, resolver(_NAME, prefixes=(NATIVE,)), *daemons),
            home=nat(),
            prefix=NATIVE,
        ),
        mode="pppoe",
        ipv6_mode="pppoe",
        ipv4_openable="all",
        ipv6_openable="all",
        public=(OWN,),
        wan=OWN,
        mtu=PPPOE_MTU,
        mtu6=PPPOE_MTU,
        prefix=NATIVE,
        location=upnp.location,
    )


def ipip_fixed(*daemons: Daemon) -> Line:
    """Return a fixed address in a tunnel, on a prefix that MAP-E homes have as well."""
    upnp = gateway(wan6="e0")
    names = resolver(reverse(FIXED, "M106073200005.v4.enabler.ne.jp"), prefixes=(FIXED_HOME,))
    tunnel = point_to_point(FIXED, "192.0.2.1", mtu=TUNNEL_MTU)
    return Line(
        topology=assemble(
            "ipip-fixed",
            tunnel + ipoe(FIXED_HOME),
            *(upnp, names, *daemons),
            home=nat(),
            prefix=FIXED_HOME,
        ),
        mode="ipip_fixed",
        ipv6_mode="ipoe",
        carrier="v6plus",
        ipv4_openable="all",
        ipv6_openable="all",
        public=(FIXED,),
        wan=FIXED,
        mtu=TUNNEL_MTU,
        prefix=FIXED_HOME,
        location=upnp.location,
    )
