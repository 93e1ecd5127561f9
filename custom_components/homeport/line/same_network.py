"""Who is on the same access network: what is seen from there is no proof of the internet."""

from ipaddress import IPv4Address, IPv6Address

from .address import AddressKind, address_kind
from .carriers import by_ipv6
from .report import LineMode, LineReport
from .rules import find_rule_by_ipv4


def on_same_network(report: LineReport, address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is in NTT's closed network, or that of a home on the same carrier.

    Between two homes of one carrier packets may turn round inside of it (for MAP-E, RFC 7597
    section 5.1, "mesh"; for IPv6 in the NGN), past what filters or translates on the way to the
    internet.
    """
    if isinstance(address, IPv6Address):
        if address_kind(address) is AddressKind.NGN_ONLY:
            return True
        carrier = by_ipv6(report.public_ipv6) if report.public_ipv6 else None
        return carrier is not None and by_ipv6(address) is carrier
    if report.mode is not LineMode.MAP_E or report.carrier is None:
        return False
    rule = find_rule_by_ipv4(address)
    return rule is not None and rule.carrier is report.carrier
