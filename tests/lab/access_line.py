"""A home, its access line and what is behind it, and doing something as the host at home."""

import asyncio
from collections.abc import Coroutine

from .build import Lab
from .host import Host
from .topology import Interface, Link, Namespace, Topology

LAN, ROUTER, FAR = "192.168.77.10", "192.168.77.1", "11.22.60.9"
LAN6, ROUTER6, FAR6 = "2a00:77:77:1::10", "2a00:77:77:1::1", "2a00:77:99::9"


def line(mtu: int = 1500, router: str = "", provider: str = "") -> Topology:
    """Return a home, its access line and what is behind it: lan, rtr, isp, far.

    `router` and `provider` are rule sets of these two.
    """
    return Topology(
        name=f"line-{mtu}",
        namespaces=(
            Namespace(
                name="lan",
                sysctls={"ipv6/conf/default/use_tempaddr": "2", "ipv6/conf/default/accept_ra": "1"},
                routes=(f"default via {ROUTER}", f"::/0 via {ROUTER6}"),
            ),
            Namespace(
                name="rtr",
                forwarding=True,
                routes=("default via 11.22.40.1", "::/0 via 2a00:77:77:ff::2"),
                nft=router,
            ),
            Namespace(
                name="isp",
                forwarding=True,
                routes=(
                    "192.168.77.0/24 via 11.22.40.77",
                    "2a00:77:77:1::/64 via 2a00:77:77:ff::1",
                ),
                nft=provider,
            ),
            Namespace(name="far", routes=("default via 11.22.60.1", "::/0 via 2a00:77:99::1")),
        ),
        links=(
            Link(
                Interface(namespace="lan", name="eth0", addresses=(f"{LAN}/24", f"{LAN6}/64")),
                Interface(namespace="rtr", name="l0", addresses=(f"{ROUTER}/24", f"{ROUTER6}/64")),
            ),
            Link(
                Interface(
                    namespace="rtr",
                    name="w0",
                    addresses=("11.22.40.77/24", "2a00:77:77:ff::1/64"),
                ),
                Interface(
                    namespace="isp",
                    name="a0",
                    addresses=("11.22.40.1/24", "2a00:77:77:ff::2/64"),
                ),
                mtu=mtu,
            ),
            Link(
                Interface(
                    namespace="isp", name="n0", addresses=("11.22.60.1/24", "2a00:77:99::1/64")
                ),
                Interface(namespace="far", name="eth0", addresses=(f"{FAR}/24", f"{FAR6}/64")),
            ),
        ),
    )


def within[T](host: Host, doing: Coroutine[None, None, T]) -> T:
    """Run a coroutine to its end with all its sockets on that machine."""
    with host.inside():
        return asyncio.run(doing)


def ip(lab: Lab, words: str) -> None:
    """Let the host at home run a command of iproute2. Raises LabError."""
    lab["lan"].run("ip", *words.split())
