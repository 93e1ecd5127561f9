"""Addresses that homes share by port sets (RFC 7597): the arithmetic, and both ends' rules.

Behind the border relay there are always two homes with the same address. What is sent to a port of
the other one arrives there, so a test can tell "closed" from "open at the neighbour's".
"""

from dataclasses import dataclass

from tests.lab.topology import Interface, Link, Namespace

from .common import Access, Ports, Side
from .pieces import TUNNEL_MTU

_RELAY = "192.0.2.1"
"""The border relay, as the homes reach it."""
_HOME, _NEIGHBOUR = 1, 2
"""Marks, and tables of routes."""


@dataclass(frozen=True, slots=True)
class Share:
    """A home's share of an address: PSID `psid` of `length` bits, behind `offset` bits.

    The set is all ports whose first `offset` bits are not all 0 and are followed by the PSID (RFC
    7597 section 5.1).
    """

    ipv4: str
    psid: int
    offset: int = 4
    length: int = 8

    @property
    def lowest(self) -> int:
        """The first port that any home of this address can have."""
        return 1 << (16 - self.offset)

    @property
    def ports(self) -> Ports:
        """The ports of the set."""
        size = 1 << (16 - self.offset - self.length)
        starts = (
            (high << (16 - self.offset)) + self.psid * size for high in range(1, 1 << self.offset)
        )
        return tuple((start, start + size - 1) for start in starts)

    @property
    def match(self) -> str:
        """What nft compares a port with, behind the name of the field."""
        rest = 16 - self.offset - self.length
        return f"& {((1 << self.length) - 1) << rest:#06x} == {self.psid << rest:#06x}"

    @property
    def source_nat(self) -> str:
        """The rule of a home router that takes the blocks of the set in turn."""
        blocks = ", ".join(
            f"{number} : {self.ipv4} . {first}-{last}"
            for number, (first, last) in enumerate(self.ports)
        )
        return (
            'oifname "w0" meta l4proto { tcp, udp, icmp } '
            f"snat ip to numgen inc mod {len(self.ports)} map {{ {blocks} }}"
        )

    def table(self) -> str:
        """Return the rules that give the router its ports, before any other source NAT."""
        return f"""
table ip share {{
  chain post {{
    type nat hook postrouting priority srcnat - 10; policy accept;
    {self.source_nat}
  }}
}}
"""

    def neighbour(self) -> Share:
        """Return the share of the home with the next PSID."""
        return Share(self.ipv4, self.psid ^ 1, self.offset, self.length)


def shared(share: Share, *later: Share, router: str = "rtr") -> Access:
    """Return the tunnel of a home with this share, and the neighbour's with the next one.

    `later` are shares that the border relay takes for this home's as well: it may change to them.
    """
    neighbour = share.neighbour()
    homes = [(share, _HOME), *((each, _HOME) for each in later), (neighbour, _NEIGHBOUR)]
    other = Namespace(
        name="neighbour",
        routes=(f"{_RELAY} dev w0", f"default via {_RELAY} dev w0"),
        nft=neighbour.table(),
    )
    here = Interface(namespace=router, name="w0", addresses=(f"{share.ipv4}/32",))
    there = Interface(namespace="neighbour", name="w0", addresses=(f"{share.ipv4}/32",))
    return Access(
        links=(
            Link(here, _end("wa"), TUNNEL_MTU),
            Link(there, _end("wb"), TUNNEL_MTU),
        ),
        home=Side(routes=other.routes, nft=share.table()),
        isp=Side(
            routes=tuple(
                f"{each.ipv4} dev {'wa' if mark == _HOME else 'wb'} table {mark}"
                for each, mark in homes
            )
            + tuple(f"unreachable {ipv4} metric 10" for ipv4 in {each.ipv4 for each, _ in homes}),
            rules=tuple(f"fwmark {mark} table {mark}" for mark in (_HOME, _NEIGHBOUR)),
            nft=_relay(homes),
        ),
        others=(other,),
    )


def _end(name: str) -> Interface:
    return Interface(namespace="isp", name=name, addresses=(f"{_RELAY}/32",))


def _relay(homes: list[tuple[Share, int]]) -> str:
    """Return the rules of a border relay that sends each packet to the home that has its port."""
    # The first rule makes whole packets of fragments, which have no ports otherwise.
    rules = [
        "ct state invalid counter",
        f'iifname "wa" meta mark set {_HOME}',
        f'iifname "wb" meta mark set {_NEIGHBOUR}',
    ]
    for ipv4, lowest in {each.ipv4: each.lowest for each, _ in homes}.items():
        rules += [
            f"ip daddr {ipv4} meta mark set 0",
            f"ip daddr {ipv4} meta l4proto {{ tcp, udp }} th dport < {lowest} drop",
        ]
    for share, mark in homes:
        # @th,224,16 is the source port of the packet that an ICMP error is about.
        rules += [
            f"ip daddr {share.ipv4} {field} {share.match} meta mark set {mark}"
            for field in (
                "meta l4proto { tcp, udp } th dport",
                "icmp type { echo-reply, echo-request } icmp id",
                "icmp type { destination-unreachable, time-exceeded } @th,224,16",
            )
        ]
    rules += [f"ip daddr {ipv4} meta mark 0 drop" for ipv4 in {each.ipv4 for each, _ in homes}]
    lines = "\n    ".join(rules)
    return f"""
table ip relay {{
  chain pre {{
    type filter hook prerouting priority mangle; policy accept;
    {lines}
  }}
}}
"""
