"""What several lines are made of."""

from ipaddress import IPv4Address, IPv6Network

from tests.lab.bind import Bind
from tests.lab.home import ROUTER
from tests.lab.miniupnpd import Miniupnpd, firewall
from tests.lab.topology import Interface, Link

from .common import Access, Side

PPPOE_MTU = 1454
"""Of FLET'S lines; elsewhere it is 1492."""
TUNNEL_MTU = 1460
"""Of IPv4 in IPv6 (RFC 2473) over Ethernet."""

NATIVE = "2a00:77:77:1"
"""The /64 of a home whose IPv6 is in no block of a Japanese carrier."""
OWN = "118.22.40.77"
"""A public address that one home has for itself, in no MAP-E rule."""
OWN_ROUTER = "118.22.40.1"

_CLAMP = """
table inet clamp {
  chain forward {
    type filter hook forward priority mangle; policy accept;
    tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
  }
}
"""


def _delegated(prefix: str) -> str:
    """Return the /56 around a /64, which is given by its four groups."""
    return str(IPv6Network(f"{prefix}::/64").supernet(new_prefix=56))


def nat() -> Side:
    """Return a home router that translates to the address of `w0`, and lowers the MSS."""
    return Side(nft=firewall("lan0", "w0") + _CLAMP)


def no_nat(*closed: str, inside: tuple[str, ...] = ("lan0",)) -> Side:
    """Return a home router that translates nothing: its IPv4 goes through a tunnel as it is.

    By the interfaces `closed` nothing comes in but answers to what came by those `inside`.
    """
    closed_names, inside_names = (
        ", ".join(f'"{name}"' for name in names) for names in (closed, inside)
    )
    return Side(
        nft=f"""
table inet filter {{
  chain forward {{
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname {{ {inside_names} }} accept
    meta l4proto ipv6-icmp accept
  }}
  chain input {{
    type filter hook input priority filter; policy accept;
    ct state established,related accept
    meta l4proto {{ icmp, ipv6-icmp }} accept
    iifname {{ {closed_names} }} drop
  }}
}}
{_CLAMP}"""
    )


def gateway(*allow: str, wan6: str = "") -> Miniupnpd:
    """Return the real gateway on the router that `lan` sees.

    `allow` are the external ports that may be mapped, all without any. `wan6` is the way out for
    IPv6, if it is another one.
    """
    return Miniupnpd(
        namespace="rtr",
        address=ROUTER,
        lan="lan0",
        wan="w0",
        allow=tuple(f"{ports} 192.168.77.0/24 1-65535" for ports in allow or ("1-65535",)),
        options=(f"ext_ifname6={wan6}",) if wan6 else (),
    )


def resolver(*records: str, prefixes: tuple[str, ...] = (), options: str = "") -> Bind:
    """Return the line's name server, as the router that `lan` sees passes it on.

    It knows these records alone, with absolute names: "gw.transix.jp. AAAA 2404:8e00::feed:100".
    `prefixes` are the /64 in which it answers as well.
    """
    return Bind(
        namespace="rtr",
        label="resolver",
        addresses=(ROUTER, *(f"{prefix}::1" for prefix in prefixes)),
        zone=".",
        records=records,
        keys={},
        update_policy=(),
        options=options,
    )


def reverse(ipv4: str, name: str) -> str:
    """Return the record that gives an address its name."""
    return f"{IPv4Address(ipv4).reverse_pointer}. PTR {name}."


def ethernet(address: str, peer: str, *, router: str = "rtr") -> Access:
    """Return IPv4 over Ethernet; both addresses with their prefix lengths."""
    return Access(
        links=(
            Link(
                Interface(namespace=router, name="w0", addresses=(address,)),
                Interface(namespace="isp", name="wa", addresses=(peer,)),
            ),
        ),
        home=Side(routes=(f"default via {peer.partition('/')[0]}",)),
    )


def point_to_point(
    address: str = OWN,
    peer: str = OWN_ROUTER,
    *,
    mtu: int = PPPOE_MTU,
    prefix: str = "",
    default: bool = True,
) -> Access:
    """Return IPv4 over PPP, or over a tunnel of its own: an address, and a peer far away.

    `prefix` is the /64 of the LAN if IPv6 takes the same way. `default` says whether IPv4 does.
    """
    home, isp = [f"default via {peer} dev w0"] if default else [], list[str]()
    ends = [[f"{address} peer {peer}/32"], [f"{peer} peer {address}/32"]]
    if prefix:
        home.append("default via fe80::1 dev w0")
        isp.append(f"{_delegated(prefix)} via fe80::2 dev p0")
        ends[0].append("fe80::2/64")
        ends[1].append("fe80::1/64")
    return Access(
        links=(
            Link(
                Interface(namespace="rtr", name="w0", addresses=tuple(ends[0])),
                Interface(namespace="isp", name="p0", addresses=tuple(ends[1])),
                mtu,
            ),
        ),
        home=Side(routes=tuple(home)),
        isp=Side(routes=tuple(isp)),
    )


def ipoe(*prefixes: str, router: str = "rtr") -> Access:
    """Return IPv6 over Ethernet for a home with the /56 around each of these /64."""
    return Access(
        links=(
            Link(
                Interface(namespace=router, name="e0", addresses=("fe80::2/64",)),
                Interface(namespace="isp", name="e0", addresses=("fe80::1/64",)),
            ),
        ),
        home=Side(routes=("default via fe80::1 dev e0",)),
        isp=Side(routes=tuple(f"{_delegated(each)} via fe80::2 dev e0" for each in prefixes)),
    )
