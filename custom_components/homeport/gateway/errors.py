"""What can go wrong between us and the gateway, each with the words a person gets to read."""

from typing import Final, override

# UPnP error codes that have an explanation of their own. WANIPConnection:2 section 2.5 and
# UPnP Device Architecture 1.1 section 3.2.2.
EXPLAINED_CODES: Final = frozenset(
    {401, 402, 501, 606, 715, 716, 718, 724, 725, 726, 727, 728, 729, 732}
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


class ActionUnsupported(GatewayError):
    """The service lacks the action."""

    translation_key = "upnp_401"


class ActionRefused(GatewayError):
    """The gateway answered an action with a UPnP error."""

    def __init__(self, code: int) -> None:
        """Take the UPnP error code."""
        super().__init__(f"UPnP error {code}")
        self.code = code
        self.translation_key = f"upnp_{code}" if code in EXPLAINED_CODES else "upnp_other"

    @property
    @override
    def placeholders(self) -> dict[str, str]:
        """Return the code."""
        return {"code": str(self.code)}
