"""Opening on a second router too, where the user wants that."""

from collections.abc import Awaitable, Callable
import logging

from ..gateway import Chain, GatewayError, Link, Second
from ..line import AddressKind, Evidence, address_kind

_LOGGER = logging.getLogger(__name__)


def second_router(evidence: Evidence) -> Second | None:
    """Return the router behind the first one, if it answers, and the first one's address there."""
    hop, gateway = evidence.second_hop, evidence.gateway
    if hop is None or hop.router is None or gateway is None or gateway.address is None:
        return None
    if address_kind(gateway.address) is AddressKind.GLOBAL:
        return None
    return Second(hop.router, gateway.address)


async def follow_second_router(
    link: Link, wanted: Second | None, save: Callable[[], Awaitable[None]]
) -> bool:
    """Have the second router told from now on, or another one, or none; say whether that is new.

    What is ours on the one of before is closed there. If that fails it ends with its lease.
    """
    if wanted == link.memory.second:
        return False
    if isinstance(chain := link.opener, Chain):
        try:
            await chain.leave()
        except GatewayError as err:
            _LOGGER.warning(
                "Ports may stay open on the second router until their lease ends: %s",
                err or type(err).__name__,
            )
    link.memory.second = wanted
    await save()
    return True
