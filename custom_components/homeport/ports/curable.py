"""What people can do something about."""

from typing import Final

from .diagnosis import Advice, BlockedBy, NextStep

_CURABLE: Final[frozenset[NextStep]] = frozenset(
    {
        BlockedBy.SERVICE_DOWN,
        BlockedBy.BOUND_TO_LOOPBACK,
        BlockedBy.HOST_ABSENT,
        BlockedBy.HOST_MOVED,
        BlockedBy.HOST_FIREWALL,
        BlockedBy.WRONG_TARGET,
        BlockedBy.UPNP_DISABLED,
        BlockedBy.SECOND_NAT,
        BlockedBy.ROUTER_FILTER_V6,
        BlockedBy.FILTERED,
        BlockedBy.UNSTABLE_ADDRESS,
        Advice.START_SERVICE,
        Advice.CHECK_SERVICE,
        Advice.ROUTER_REFUSES,
        Advice.NAME_ELSEWHERE,
        Advice.NAME_MISSING,
        Advice.CERTIFICATE_OTHER_NAME,
        Advice.CERTIFICATE_UNTRUSTED,
        Advice.CERTIFICATE_EXPIRED,
        Advice.CERTIFICATE_NONE,
    }
)


def is_curable(step: NextStep | None) -> bool:
    """Say whether somebody at home can mend it, and no other text of Homeport's says so."""
    return step in _CURABLE
