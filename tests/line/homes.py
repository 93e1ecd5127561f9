"""What homes show of their lines, and what is true of these."""

from dataclasses import dataclass, field
from ipaddress import IPv6Address

from custom_components.homeport.line import (
    Carrier,
    Confidence,
    Evidence,
    Ipv6Mode,
    LineMode,
    MapE,
    MapERule,
    Openable,
)
from custom_components.homeport.line.portset import PortSet

from .evidence import (
    echo4,
    echo6,
    evidence,
    gateway,
    host,
    mtu,
    names,
    stun4,
    within,
)

M, V6, O, C, K = LineMode, Ipv6Mode, Openable, Carrier, Confidence  # noqa: E741 - read as a table


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is expected of a scenario.

    `also`: modes that are right as far as they go when a piece of evidence is missing.
    """

    mode: LineMode | None
    ipv6: Ipv6Mode | None = None
    confidence: Confidence = K.LIKELY
    carrier: Carrier | None = None
    openable: Openable = O.UNKNOWN
    ports: PortSet | None = None
    also: frozenset[LineMode] = field(default_factory=frozenset)


G, G2 = "61.22.33.44", "61.22.33.99"
POOL = "27.22.50.1"
NATIVE = "2a00:77:77:1::10"
V6PLUS, V6PLUS_ADDRESS = "240b:10:3f6c:d400::10", "106.72.63.108"
OCN = "2400:4050:8012:3456::10"
TRANSIX, XPASS, V6CONNECT = "2409:10:1::10", "2001:f70:1::10", "2405:6580:1::10"
BIGLOBE, NURO, SOFTBANK = "2404:7a80:1234:5600::10", "240d:f:1:2300::10", "2400:2410:1::10"
NGN = "2408:10::10"
PPPOE6 = "2001:2f8:1::10"


def computed(address: str) -> MapE:
    """Return what MAP-E makes of an address that has a rule."""
    found = MapE.from_ipv6(IPv6Address(address))
    assert found is not None
    return found


def mape_home(address: str, **pieces: object) -> Evidence:
    """Return all that a MAP-E line shows whose router ends the tunnel."""
    line = computed(address)
    ipv4 = str(line.ipv4)
    return evidence(
        **{
            "gateway": gateway(ipv4),
            "host": host(address),
            "echo4": echo4(ipv4),
            "echo6": echo6(address),
            "stun4": stun4(ipv4, within(line.port_set)),
            "mtu": mtu(1460, 1500),
            "names": names(),
            "system_names": names(),
            "reverse_name": "",
        }
        | pieces
    )


def plain_home(
    wan: str | None,
    public: str | None = None,
    address: str | None = NATIVE,
    ipv4_mtu: int | None = 1500,
    ipv6_mtu: int | None = 1500,
    **pieces: object,
) -> Evidence:
    """Return all that a line without MAP-E shows; `public` is what the outside sees."""
    public = public or wan
    return evidence(
        **{
            "gateway": gateway(wan),
            "host": host(*([address] if address else [])),
            "echo4": echo4(public),
            "echo6": echo6(address),
            "stun4": stun4(public),
            "mtu": mtu(ipv4_mtu, ipv6_mtu),
            "names": names(),
            "system_names": names(),
            "reverse_name": "",
        }
        | pieces
    )


V6PLUS_SET = computed(V6PLUS).port_set
OCN_SET = computed(OCN).port_set
UNKNOWN_SET = PortSet(4, 8, 77)
FREE_SET = PortSet(0, 2, 1)
OWN_RULE = MapERule.parse("2a02:8000::/31", "61.30.0.0/16", 24, 4)
OWN_ADDRESS = "2a02:8000:2b4d:0::10"
ONE_EXIT_OF_TWO = frozenset({M.MAP_E})
