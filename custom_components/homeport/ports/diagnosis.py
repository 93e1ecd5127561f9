"""What is known of one port over one family, and what its diagnosis says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from ..gateway import Transport
from ..line import LineReport
from ..outside.family import Family
from ..outside.prober import Answer, Outcome
from .pinhole_plan import PinholeState
from .plan import MappingState


class Reachability(StrEnum):
    """What was seen from outside."""

    REACHABLE = "reachable"
    POSSIBLE = "possible"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"


class BlockedBy(StrEnum):
    """What stops a port from being reached."""

    SERVICE_DOWN = "service_down"
    SERVICE_SILENT = "service_silent"
    BOUND_TO_LOOPBACK = "bound_to_loopback"
    HOST_ABSENT = "host_absent"
    HOST_MOVED = "host_moved"
    LINE_DS_LITE = "line_ds_lite"
    LINE_CGNAT = "line_cgnat"
    LINE_PRIVATE = "line_private"
    LINE_NAT64 = "line_nat64"
    LINE_UNKNOWN = "line_unknown"
    OFFLINE = "offline"
    NO_IPV6 = "no_ipv6"
    NGN_ONLY = "ngn_only"
    UNSTABLE_ADDRESS = "unstable_address"
    PORT_NOT_IN_SET = "port_not_in_set"
    NO_MAPPING = "no_mapping"
    FOREIGN_MAPPING = "foreign_mapping"
    WRONG_TARGET = "wrong_target"
    UPNP_DISABLED = "upnp_disabled"
    NO_ROUTER_ACCESS = "no_router_access"
    SECOND_NAT = "second_nat"
    TWO_EXITS = "two_exits"
    HOST_FIREWALL = "host_firewall"
    ROUTER_FILTER_V6 = "router_filter_v6"
    FILTERED = "filtered"
    PROBER_FAILED = "prober_failed"
    NOTHING = "nothing"


class Candidate(StrEnum):
    """Who may have swallowed what was sent to a port."""

    ROUTER_RULE = "router_rule"
    """The rule that the user makes on the router, where that cannot be read."""
    PACKET_FILTER_ON_ROUTER = "packet_filter_on_router"
    """NTT home gateways want an entry in their packet filter beside the one that forwards."""
    SECOND_ROUTER = "second_router"
    HOST_FIREWALL = "host_firewall"
    PROVIDER = "provider"


class Advice(StrEnum):
    """What to do next, where what stops the port does not say it all."""

    SWITCH_ON = "switch_on"
    FIND_TARGET = "find_target"
    FIND_IPV6 = "find_ipv6"
    NO_IPV4 = "no_ipv4"
    ROUTER_REFUSES = "router_refuses"
    PINHOLE_BY_HAND = "pinhole_by_hand"
    START_SERVICE = "start_service"
    """A listener of ours was met in the place of the service."""
    CHECK_SERVICE = "check_service"
    """Either nothing listens, or something is in the way."""
    PROVE = "prove"
    """Something accepted, and nobody knows what."""
    ASK_OUTSIDE = "ask_outside"
    WAIT_FOR_PROBER = "wait_for_prober"
    NAME_ELSEWHERE = "name_elsewhere"
    NAME_MISSING = "name_missing"
    CERTIFICATE_OTHER_NAME = "certificate_other_name"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NONE = "certificate_none"


class ServiceSeen(StrEnum):
    """What asking the service from the LAN showed.

    - `down`: the connection was refused by the host itself
    - `silent`: nothing was said: to a SYN although the host is there, or to a datagram
    - `host_absent`: nobody has the address
    - `host_rejects`: the host is there and rejects by ICMP, as a packet filter does
    """

    LISTENING = "listening"
    LOOPBACK_ONLY = "loopback_only"
    DOWN = "down"
    SILENT = "silent"
    HOST_ABSENT = "host_absent"
    HOST_REJECTS = "host_rejects"


class NameSeen(StrEnum):
    """Where the name in Home Assistant's external URL leads, by its authoritative servers."""

    HOME = "home"
    ELSEWHERE = "elsewhere"
    MISSING = "missing"


class CertificateSeen(StrEnum):
    """What the certificate that is shown for that name is worth."""

    VALID = "valid"
    OTHER_NAME = "other_name"
    UNTRUSTED = "untrusted"
    EXPIRED = "expired"
    NONE = "none"


class Step(StrEnum):
    """A link of the chain from the service to the outside."""

    SERVICE = "service"
    TARGET = "target"
    LINE = "line"
    PORT_SET = "port_set"
    MAPPING = "mapping"
    FIREWALL = "firewall"
    WAN_ADDRESS = "wan_address"
    OUTSIDE = "outside"
    NAME = "name"
    CERTIFICATE = "certificate"


class StepState(StrEnum):
    """What came of a step. One that could not be checked is `unknown`, and never `passed`."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class OwnUrl:
    """What is known of Home Assistant's external URL; `certificate` where it is an HTTPS one."""

    https: bool
    name: NameSeen | None = None
    certificate: CertificateSeen | None = None
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortFacts:
    """Everything that is known of one port over one family; None stands for what is not known.

    - `wanted`: whether its switch is on; `by_hand`: whether the user makes the rule on the router
    - `has_gateway`: whether there is a router that Homeport may control
    - `gateway_answers`, `upnp_off`: whether it answers; or only its host does, and to none of the
      protocols that open ports
    - `refusal`: the translation key of why the router does not open the port; `refusal_names`: what
      that text names
    - `mapping`, `pinhole`: what is read back. Of a port opened by hand `open` says that the table
      leads to the target, whoever made it so, and `foreign` that it leads elsewhere; `holder`:
      where to then, as the router has it
    - `second_told`: whether `open` means that a second router has it as well
    - `own_target`: whether the target is this machine; `target_known`: whether its address is
    - `target_address`: that address, at home for IPv4, and on the internet for IPv6
    - `target_moved`: whether the opening leads to where the device no longer is
    - `unstable_address`: whether the target has only IPv6 addresses that do not last
    - `service`: what the LAN shows of it
    - `listener`: whether a listener of ours stood in for the service while the prober knocked,
      which it can only where the port is free; `listener_met`: whether somebody outside met it
    - `probed`: the address at which the prober knocked; `answer`: what it met there. None also
      where it is inside itself: what it meets then proves nothing
    - `tells_why`: whether this prober tells a refused connection from one that timed out
    - `outside_failed`: the translation key of why it gave no answer; `waits`: whether that is only
      since it may not be asked yet
    - `baseline`: what it met at a port of this home that nothing is opened for;
      `baseline_pending`: whether that is being found out
    - `other_port_reachable`: whether another port of the same target was seen reachable
    - `own_url`: where this is Home Assistant's own port
    - `seconds`: how long each step took, where it took any time
    """

    family: Family
    transport: Transport
    external_port: int
    internal_port: int
    line: LineReport = field(default_factory=LineReport)
    wanted: bool = True
    by_hand: bool = False
    has_gateway: bool = True
    gateway_answers: bool = True
    upnp_off: bool = False
    refusal: str | None = None
    refusal_names: Mapping[str, str] = field(default_factory=dict)
    mapping: MappingState | None = None
    holder: str | None = None
    pinhole: PinholeState | None = None
    second_told: bool = False
    own_target: bool = False
    target_known: bool = True
    target_address: IPv4Address | IPv6Address | None = None
    target_moved: bool | None = None
    unstable_address: bool = False
    service: ServiceSeen | None = None
    listener: bool = False
    listener_met: bool = False
    probed: IPv4Address | IPv6Address | None = None
    answer: Answer | None = None
    tells_why: bool = False
    outside_failed: str | None = None
    waits: bool = False
    baseline: Outcome | None = None
    baseline_pending: bool = False
    other_port_reachable: bool | None = None
    own_url: OwnUrl | None = None
    seconds: Mapping[Step, float] = field(default_factory=dict)

    @property
    def controlled(self) -> bool:
        """Say whether it is for Homeport to open it."""
        return self.has_gateway and not self.by_hand


type Detail = BlockedBy | NameSeen | CertificateSeen
type NextStep = BlockedBy | Advice
"""The name of the text that says what to do: that of what stops the port, or one of its own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step came to: why it did not pass or may not have, and what to do about it."""

    state: StepState
    detail: Detail | None = None
    advice: Advice | None = None


PASSED = Finding(StepState.PASSED)
UNKNOWN = Finding(StepState.UNKNOWN)
NOT_NEEDED = Finding(StepState.NOT_NEEDED)


def failed(detail: Detail, advice: Advice | None = None) -> Finding:
    """Return what stops the port."""
    return Finding(StepState.FAILED, detail, advice)


def doubtful(detail: Detail, advice: Advice | None = None) -> Finding:
    """Return what stops the port unless it is seen working."""
    return Finding(StepState.UNKNOWN, detail, advice)


@dataclass(frozen=True, slots=True)
class CheckedStep:
    """A step as it is shown. `seconds`: how long it took; None where that is not known."""

    step: Step
    state: StepState
    detail: Detail | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a port can be reached over a family, or cannot.

    - `reachability`: what was seen from outside; None when not known
    - `blocked_by`: the first step that stops it; None when not known
    - `candidates`: who may be meant, where it is `filtered`
    - `next_step`: what to do; None where there is nothing to do
    """

    family: Family
    reachability: Reachability | None
    steps: tuple[CheckedStep, ...]
    blocked_by: BlockedBy | None
    candidates: tuple[Candidate, ...] = ()
    next_step: NextStep | None = None
