"""What was observed about the line."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from ..host import HostState
from .address import IPAddress
from .mape import MapERule
from .report import Ipv6Mode, LineMode


@dataclass(frozen=True, slots=True)
class GatewayEvidence:
    """What the gateway said last.

    - `connected`: None when it does not say
    - `address`: the WAN address; None when it names none
    - `lan`: where it is asked, its own address at home
    - `default_router`: whether this machine reaches the internet through it; None when not known
    - `ppp`: whether the service that carries the connection is a PPP one
    """

    connected: bool | None
    address: IPv4Address | None
    lan: IPv4Address | None = None
    default_router: bool | None = None
    ppp: bool = False


@dataclass(frozen=True, slots=True)
class EchoEvidence[AddressT: IPAddress]:
    """What the address echoes of one family said.

    - `address`: what they agree on; None when none answered, or when they contradict each other
    - `answered`: whether any answered
    - `agreed`: whether two of them said the same, or there is only one to ask
    - `secure`: whether it came over HTTPS, so that nobody on the way can have made it up
    """

    address: AddressT | None
    answered: bool
    agreed: bool = False
    secure: bool = False


@dataclass(frozen=True, slots=True)
class StunEvidence[AddressT: IPAddress]:
    """What STUN servers said over UDP (RFC 8489).

    - `address`: the mapped address if all said the same one, else None
    - `answered`: whether any answered
    - `ports`: (local port, mapped port) of each binding, from local ports spread over the range
    """

    address: AddressT | None
    answered: bool
    ports: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class MtuEvidence:
    """The path MTU of the access line by family, in bytes; None when it could not be measured."""

    ipv4: int | None = None
    ipv6: int | None = None


@dataclass(frozen=True, slots=True)
class NamesEvidence:
    """What name servers say that only this line's can say.

    `aftr` are the AFTR names that resolve, `provisioning` is the URL in the TXT record of
    4over6.info (HB46PP), `nat64` the prefix in the AAAA record of ipv4only.arpa (RFC 7050), None
    without one.
    """

    aftr: frozenset[str] = frozenset()
    provisioning: str | None = None
    nat64: IPv6Network | None = None


@dataclass(frozen=True, slots=True)
class SecondHopEvidence:
    """What lies behind the gateway, asked through its NAT.

    - `hops`: who sent the answers to packets that live for 1, 2, 3 hops; None for silence
    - `router`: the second router, if it answered over NAT-PMP or unicast SSDP
    - `address`: the WAN address of that router, if it names one
    """

    hops: tuple[IPAddress | None, ...] = ()
    router: IPv4Address | None = None
    address: IPv4Address | None = None


@dataclass(frozen=True, slots=True)
class HomeGatewayEvidence:
    """What an NTT home gateway says of the IPv4-over-IPv6 software in it."""

    on: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """A port of this home that was seen working from outside, at this public address."""

    address: IPv4Address
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything known. None stands for what there is not, was not asked, or did not answer.

    - `gateway_pending`: there is a gateway that was not asked yet
    - `echo_pending`: there are echoes that were not asked yet about the line as it is now
    - `gateway_trusted`: before its last change the WAN address was the one that the outside saw
    - `silent_gateway`: what a gateway that does not answer now had said before
    - `names`: what the line's own name servers say; `system_names`: the system's resolver
    - `reverse_name`: the name of the echoed IPv4 address; "" when it has none
    - `own_rule`, `override`, `ipv6_override`: what the user says, which wins
    """

    gateway_pending: bool = False
    echo_pending: bool = False
    gateway_trusted: bool = False
    gateway: GatewayEvidence | None = None
    silent_gateway: GatewayEvidence | None = None
    host: HostState | None = None
    echo4: EchoEvidence[IPv4Address] | None = None
    echo6: EchoEvidence[IPv6Address] | None = None
    stun4: StunEvidence[IPv4Address] | None = None
    stun6: StunEvidence[IPv6Address] | None = None
    mtu: MtuEvidence | None = None
    names: NamesEvidence | None = None
    system_names: NamesEvidence | None = None
    reverse_name: str | None = None
    second_hop: SecondHopEvidence | None = None
    home_gateway: HomeGatewayEvidence | None = None
    proof: Proof | None = None
    own_rule: MapERule | None = None
    override: LineMode | None = None
    ipv6_override: Ipv6Mode | None = None
