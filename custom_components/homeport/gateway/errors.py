"""What can go wrong between us and the gateway, each with the words a person gets to read."""

from enum import IntEnum
from typing import Final, override


class UpnpCode(IntEnum):
    """The codes with which gateways refuse an action.

    UPnP Device Architecture 1.1 section 3.2.2 (4xx to 6xx), WANIPv6FirewallControl:1 section 2.6
    (70x), WANIPConnection:1 section 2.4 and WANIPConnection:2 section 2.5 (71x to 73x).
    """

    INVALID_ACTION = 401
    INVALID_ARGS = 402
    """Also: this lease is not taken (tailscale/tailscale#15223, n0-computer/net-tools#52)."""
    ACTION_FAILED = 501
    """Often: no WAN address, or one that is not public; on some routers a conflict."""
    ARGUMENT_VALUE_INVALID = 600
    ARGUMENT_VALUE_OUT_OF_RANGE = 601
    OPTIONAL_ACTION_NOT_IMPLEMENTED = 602
    NOT_AUTHORIZED = 606
    """The address of another host, a port that is kept from us, or no permission at all."""
    PINHOLE_SPACE_EXHAUSTED = 701
    FIREWALL_DISABLED = 702
    INBOUND_PINHOLE_NOT_ALLOWED = 703
    NO_SUCH_ENTRY = 704
    """That of the IPv6 firewall; some routers use it for port mappings as well."""
    PROTOCOL_NOT_SUPPORTED = 705
    INTERNAL_PORT_WILDCARDING_NOT_ALLOWED = 706
    PROTOCOL_WILDCARDING_NOT_ALLOWED = 707
    WILDCARD_NOT_PERMITTED_IN_PINHOLE_SOURCE = 708
    """As miniupnpd and its peers have it; it also stands for a client that is missing."""
    NO_TRAFFIC_RECEIVED = 709
    INDEX_INVALID = 713
    """The end of the table."""
    NO_SUCH_ENTRY_IN_ARRAY = 714
    WILDCARD_NOT_PERMITTED_IN_SOURCE = 715
    WILDCARD_NOT_PERMITTED_IN_EXTERNAL_PORT = 716
    CONFLICT = 718
    """Another client has the port, or we may not have it opened (miniupnp/miniupnp#359)."""
    SAME_PORT_VALUES_REQUIRED = 724
    ONLY_PERMANENT_LEASES = 725
    REMOTE_HOST_ONLY_WILDCARD = 726
    EXTERNAL_PORT_ONLY_WILDCARD = 727
    NO_PORT_MAPS_AVAILABLE = 728
    """The table is full."""
    CONFLICT_WITH_OTHER_MECHANISMS = 729
    """A fixed rule of the router has the port."""
    PORT_MAPPING_NOT_FOUND = 730
    WILDCARD_NOT_PERMITTED_IN_INTERNAL_PORT = 732


# UPnP error codes that have an explanation of their own.
EXPLAINED_CODES: Final = frozenset(
    {401, 402, 501, 606, *range(701, 710), 715, 716, 718, 724, 725, 726, 727, 728, 729, 732}
)


class GatewayError(Exception):
    """Something the gateway did, or did not do. `translation_key` names its explanation."""

    translation_key: str = "gateway_invalid"

    @property
    def placeholders(self) -> dict[str, str]:
        """Return what the explanation has to be filled with."""
        return {}


class GatewayUnreachable(GatewayError):
    """No connection, no answer in time, or an HTTP status that is no answer."""

    translation_key = "gateway_unreachable"


class HttpRefused(GatewayUnreachable):
    """An HTTP status that is no answer, and no UPnP error with it."""

    def __init__(self, status: int) -> None:
        """Take the HTTP status."""
        super().__init__(f"HTTP {status}")


class GatewayNotFound(GatewayError):
    """Nothing at this address says that it is an Internet Gateway Device."""

    translation_key = "gateway_not_found"


class InvalidAnswer(GatewayError):
    """An answer that is not the XML it should be."""

    translation_key = "gateway_invalid"


class AnswerTooLarge(GatewayError):
    """An answer larger than any router has reason to send."""

    translation_key = "gateway_too_large"


class Redirected(GatewayError):
    """The gateway sent us elsewhere. We never follow: it may be a way into the LAN."""

    translation_key = "gateway_redirects"


class ForeignUrl(GatewayError):
    """A URL in the description leads to another host than the description itself."""

    translation_key = "gateway_foreign_url"


class NoWanService(GatewayError):
    """A UPnP device, but none that has a connection to the internet to offer."""

    translation_key = "gateway_no_wan_service"


class ActionRefused(GatewayError):
    """The gateway answered an action with a UPnP error."""

    def __init__(self, code: int) -> None:
        """Take the UPnP error code."""
        super().__init__(f"UPnP error {code}")
        self.code = code
        if self.translation_key == GatewayError.translation_key:
            self.translation_key = f"upnp_{code}" if code in EXPLAINED_CODES else "upnp_other"

    @property
    @override
    def placeholders(self) -> dict[str, str]:
        """Return the code."""
        return {"code": str(self.code)}


class ActionUnsupported(ActionRefused):
    """The service lacks the action (401, or 602 for one that is optional)."""

    translation_key = "upnp_401"


class PortTaken(ActionRefused):
    """Another mapping has the external port: it was read from the gateway's table.

    Said with 718, on some routers with 501, and by PCP and NAT-PMP with another port.
    """

    translation_key = "port_taken"


class NotPermitted(ActionRefused):
    """The gateway says 718, and nobody has the port: it does not let us open it.

    Most often because the mapping leads to another host than the one that asks (miniupnpd's secure
    mode, miniupnp/miniupnp#359).
    """

    translation_key = "upnp_718"


class NoPublicAddress(ActionRefused):
    """The gateway says 501, and that it is not connected, or has no public address."""

    translation_key = "upnp_501"


class SamePortRequired(ActionRefused):
    """The gateway wants the internal port to be the external one (724)."""

    translation_key = "upnp_724"


_OWN_CLASSES: Final[dict[int, type[ActionRefused]]] = {
    UpnpCode.INVALID_ACTION: ActionUnsupported,
    UpnpCode.OPTIONAL_ACTION_NOT_IMPLEMENTED: ActionUnsupported,
    UpnpCode.SAME_PORT_VALUES_REQUIRED: SamePortRequired,
}


def refusal(code: int) -> ActionRefused:
    """Return the error for a code that needs no further look at the gateway to be understood."""
    return _OWN_CLASSES.get(code, ActionRefused)(code)


class PcpRefused(GatewayError):
    """The gateway answered a PCP request with an error (RFC 6887 section 7.4).

    `retry_after`: seconds for which the same request would get the same answer.
    """

    def __init__(self, code: int, retry_after: int) -> None:
        """Take the result code and the lifetime of the error."""
        super().__init__(f"PCP error {code}")
        self.code = code
        self.retry_after = retry_after
        self.translation_key = f"pcp_{code}" if 1 <= code <= 13 else "pcp_other"

    @property
    @override
    def placeholders(self) -> dict[str, str]:
        """Return the code."""
        return {"code": str(self.code)}


class NatPmpRefused(GatewayError):
    """The gateway answered a NAT-PMP request with an error (RFC 6886 section 3.5)."""

    def __init__(self, code: int) -> None:
        """Take the result code."""
        super().__init__(f"NAT-PMP error {code}")
        self.code = code
        self.translation_key = f"natpmp_{code}" if 1 <= code <= 5 else "natpmp_other"

    @property
    @override
    def placeholders(self) -> dict[str, str]:
        """Return the code."""
        return {"code": str(self.code)}
