"""Who asks, and whether nobody on the way can read along."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from .address import IPAddress, unmapped
from .refused import Refused

_MAX_HEADER: Final = 1000
"""Characters of a header that a proxy has written; a longer one is somebody's nonsense."""


def find_caller(
    peer: str | None,
    tls: bool,
    proxies: Sequence[IPv4Network | IPv6Network],
    forwarded_for: Sequence[str],
    forwarded_proto: Sequence[str],
) -> IPAddress:
    """Return the address that a question comes from.

    - `peer`: at the other end of the connection; `tls`: whether the connection itself is encrypted
    - `forwarded_for`, `forwarded_proto`: the values of X-Forwarded-For and X-Forwarded-Proto, which
      count only when the peer is one of `proxies`; then the caller is the last hop that is none

    Raises Refused: "https_only", or "proxy" for one that does not say whom it speaks for.
    """
    nearest = _read(peer or "")
    if not _is_any(nearest, proxies):
        if not tls:
            raise Refused(403, "https_only")
        return nearest
    # One value alone: a proxy that adds its own to the caller's has not looked at it.
    if [each.strip() for each in forwarded_proto] != ["https"]:
        raise Refused(403, "https_only")
    hops = ",".join(forwarded_for)
    if len(hops) > _MAX_HEADER:
        raise Refused(403, "proxy")
    for hop in reversed(hops.split(",")):
        address = _read(hop.strip())
        if not _is_any(address, proxies):
            return address
    raise Refused(403, "proxy")


def _read(text: str) -> IPAddress:
    try:
        return unmapped(ip_address(text))
    except ValueError:
        raise Refused(403, "proxy") from None


def _is_any(address: IPAddress, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)
