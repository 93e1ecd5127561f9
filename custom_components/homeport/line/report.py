"""What follows about the line."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from .address import AddressKind
from .carriers import Carrier
from .portset import PortSet


class LineMode(StrEnum):
    """How IPv4 crosses the line."""

    PPPOE = "pppoe"
    PUBLIC = "public"
    """An address of its own: DHCP, fixed, IPoE; also PPPoE that hides its MTU (RFC 4638)."""
    MAP_E = "map_e"
    A_PLUS_P = "a_plus_p"
    """An address with a port set, by MAP-T, lw4o6, or MAP-E with rules that are not known."""
    DS_LITE = "ds_lite"
    NAT64 = "nat64"
    IPIP_FIXED = "ipip_fixed"
    CGNAT = "cgnat"
    DOUBLE_NAT = "double_nat"
    PRIVATE_WAN = "private_wan"
    TWO_EXITS = "two_exits"
    NONE = "none"
    OFFLINE = "offline"


class Ipv6Mode(StrEnum):
    """How IPv6 crosses the line."""

    IPOE = "ipoe"
    PPPOE = "pppoe"
    NATIVE = "native"
    NGN_ONLY = "ngn_only"
    TUNNEL = "tunnel"
    NONE = "none"


class Confidence(StrEnum):
    """How sure a mode is."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"

    @property
    def is_sure(self) -> bool:
        """Say whether one may act on it."""
        return self in {Confidence.CERTAIN, Confidence.LIKELY}


class Openable(StrEnum):
    """Which ports can be opened on the line."""

    ALL = "all"
    PORT_SET = "port_set"
    AFTER_SECOND_ROUTER = "after_second_router"
    NONE = "none"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why the report says what it says."""

    NO_ROUTE = "no_route"
    ROUTER_DISCONNECTED = "router_disconnected"
    NOTHING_ANSWERS = "nothing_answers"
    VPN_ON_HOST = "vpn_on_host"
    STUN_DISAGREES = "stun_disagrees"
    ECHOES_DISAGREE = "echoes_disagree"
    COMPUTED_MATCHES = "computed_matches"
    COMPUTED_DIFFERS = "computed_differs"
    RULE_FOR_ADDRESS = "rule_for_address"
    PORTS_IN_ONE_SET = "ports_in_one_set"
    PORTS_OUTSIDE_COMPUTED_SET = "ports_outside_computed_set"
    PORTS_SPREAD = "ports_spread"
    PORTS_NOT_TESTED = "ports_not_tested"
    HOME_GATEWAY_TERMINATES = "home_gateway_terminates"
    WAN_MATCHES = "wan_matches"
    WAN_UNCONFIRMED = "wan_unconfirmed"
    WAN_DIFFERS = "wan_differs"
    WAN_SQUATTED = "wan_squatted"
    WAN_SHARED = "wan_shared"
    HOP_SHARED = "hop_shared"
    WAN_SERVICE_CONTINUITY = "wan_service_continuity"
    WAN_PRIVATE = "wan_private"
    WAN_EMPTY = "wan_empty"
    WAN_IS_OWN_LAN_ADDRESS = "wan_is_own_lan_address"
    OCTETS_REVERSED = "octets_reversed"
    NAT64_PREFIX = "nat64_prefix"
    PUBLIC_NAT64_RESOLVER = "public_nat64_resolver"
    AFTR_REVERSE_NAME = "aftr_reverse_name"
    AFTR_NAME_RESOLVES = "aftr_name_resolves"
    SECOND_ROUTER_ANSWERS = "second_router_answers"
    SECOND_ROUTER_SILENT = "second_router_silent"
    MTU_OF_PPPOE = "mtu_of_pppoe"
    MTU_OF_TUNNEL = "mtu_of_tunnel"
    MTU_UNKNOWN = "mtu_unknown"
    PPP_SERVICE = "ppp_service"
    NO_GATEWAY = "no_gateway"
    GATEWAY_NOT_DEFAULT_ROUTER = "gateway_not_default_router"
    CONTAINER_BRIDGE = "container_bridge"
    NO_NETLINK = "no_netlink"
    IPV6_NGN_ONLY = "ipv6_ngn_only"
    IPV6_SILENT = "ipv6_silent"
    SEEN_WORKING = "seen_working"
    OVERRIDDEN = "overridden"


class Remedy(StrEnum):
    """What would settle a doubt."""

    SWITCH_UPNP_ON = "switch_upnp_on"
    ALLOW_ECHO = "allow_echo"
    ALLOW_STUN = "allow_stun"
    ALLOW_NAMES = "allow_names"
    ASK_PROVIDER_ADDRESS = "ask_provider_address"
    ASK_PROVIDER_MAPE = "ask_provider_mape"
    LOOK_AT_SECOND_ROUTER = "look_at_second_router"
    CHECK_A_PORT = "check_a_port"
    TRY_FROM_OUTSIDE = "try_from_outside"
    TURN_VPN_OFF = "turn_vpn_off"
    USE_HOST_NETWORK = "use_host_network"
    CHOOSE_DEFAULT_ROUTER = "choose_default_router"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReport:
    """The line, as far as it is known.

    - `mode`, `confidence`, `ipv6_mode`, `ipv6_confidence`: no mode where nothing follows
    - `overridden`: `mode` or `ipv6_mode` is the user's word, not what follows from the evidence
    - `ipv4_openable`, `ipv6_openable`: `none`, `all` and the like only where that is sure enough to
      act on
    - `port_set`: the external ports that belong to this home on a shared address
    - `carrier`, `carrier_confidence`: who runs the line's IPv4-over-IPv6 service
    - `internet`: whether something outside was seen to answer; None when not known
    - `second_nat`: whether there is another NAT behind the gateway; None when not known
    - `wan_ipv4`, `wan_kind`: the gateway's own address; no kind while no gateway answers
    - `public_ipv4`, `public_ipv6`: the addresses that the outside sees; of IPv6 the stable one
    - `ipv6_prefix`: the /64 of `public_ipv6`
    - `confirmed_ipv4`: the address under which this home, and no other, can be named in DNS
    - `reasons`, `remedies`: why, and what would settle what is in doubt, the weightiest first
    """

    mode: LineMode | None = None
    confidence: Confidence = Confidence.UNKNOWN
    ipv6_mode: Ipv6Mode | None = None
    ipv6_confidence: Confidence = Confidence.UNKNOWN
    overridden: bool = False
    ipv4_openable: Openable = Openable.UNKNOWN
    ipv6_openable: Openable = Openable.UNKNOWN
    port_set: PortSet | None = None
    carrier: Carrier | None = None
    carrier_confidence: Confidence = Confidence.UNKNOWN
    internet: bool | None = None
    second_nat: bool | None = None
    wan_ipv4: IPv4Address | None = None
    wan_kind: AddressKind | None = None
    public_ipv4: IPv4Address | None = None
    public_ipv6: IPv6Address | None = None
    ipv6_prefix: IPv6Network | None = None
    confirmed_ipv4: IPv4Address | None = None
    reasons: tuple[Reason, ...] = ()
    remedies: tuple[Remedy, ...] = ()
