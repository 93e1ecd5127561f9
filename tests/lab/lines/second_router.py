"""Lines with another router between the home's own and the provider.

lan ── 192.168.77.1 rtr 192.168.1.2 ── 192.168.1.1 hgw ── isp ── net
"""

from tests.lab.daemon import Daemon
from tests.lab.miniupnpd import Miniupnpd
from tests.lab.peers import SIMULATED_GATEWAY_LOCATION, simulated_gateway
from tests.lab.topology import Interface, Link

from .common import Inner, Line, Side, assemble
from .pieces import NATIVE, OWN, OWN_ROUTER, ethernet, gateway, ipoe, nat, resolver, reverse

OUTER = "192.168.1.1"
INNER = "192.168.1.2"

UPSTREAM = Miniupnpd(
    namespace="hgw",
    label="upstream",
    address=OUTER,
    lan="lan0",
    wan="w0",
    allow=("1-65535 192.168.1.0/24 1-65535",),
    uuid="00000000-0000-4000-8000-000000000002",
)
"""The gateway on the outer router."""

_NAME = reverse(OWN, "p77.tokyo.isp.example")


def inner_router(prefix: str = "") -> Inner:
    """Return the home's own router; `prefix` is the /64 of the LAN."""
    via = ("default via fe80::1 dev w0",) if prefix else ()
    own = nat() + Side(routes=(f"default via {OUTER}", *via))
    return Inner(
        router=own.router("rtr"),
        link=Link(
            Interface(namespace="rtr", name="w0", addresses=(f"{INNER}/24", "fe80::2/64")),
            Interface(namespace="hgw", name="lan0", addresses=(f"{OUTER}/24", "fe80::1/64")),
        ),
        outer=Side(routes=(f"{prefix}::/64 via fe80::2 dev lan0",) if prefix else ()),
    )


def double_nat(*daemons: Daemon, silent: bool = False) -> Line:
    """Return two routers, of which the outer one has a public address and can be told.

    The gateway on the inner one of a `silent` pair is a real one, which keeps a private address to
    itself.
    """
    access = ethernet(f"{OWN}/24", f"{OWN_ROUTER}/24", router="hgw") + ipoe(NATIVE, router="hgw")
    upnp = gateway() if silent else simulated_gateway(INNER)
    names = resolver(_NAME, prefixes=(NATIVE,))
    return Line(
        topology=assemble(
            "double-nat-silent" if silent else "double-nat",
            access,
            *(upnp, UPSTREAM, names, *daemons),
            home=nat(),
            prefix=NATIVE,
            inner=inner_router(NATIVE),
        ),
        mode="double_nat",
        ipv6_mode="native",
        ipv4_openable="unknown" if silent else "after_second_router",
        ipv6_openable="all",
        public=(OWN,),
        wan="" if silent else INNER,
        prefix=NATIVE,
        location=gateway().location if silent else SIMULATED_GATEWAY_LOCATION,
        hidden=silent,
    )


def private_wan(*daemons: Daemon) -> Line:
    """Return a router in a house whose own router is none of the household's, and silent."""
    access = ethernet(f"{OWN}/24", f"{OWN_ROUTER}/24", router="hgw")
    return Line(
        topology=assemble(
            "private-wan",
            access,
            *(simulated_gateway(INNER), resolver(_NAME), *daemons),
            home=nat(),
            inner=inner_router(),
        ),
        mode="private_wan",
        ipv4_openable="unknown",
        public=(OWN,),
        wan=INNER,
        location=SIMULATED_GATEWAY_LOCATION,
    )
