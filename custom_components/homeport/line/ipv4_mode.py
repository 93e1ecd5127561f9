"""How IPv4 crosses the line: one rule after the other, the first that knows decides.

Pure: no I/O, no clock. A rule may be sure only of what stays true when any piece of evidence is
missing that it does not rest on; so where a missing piece could turn the answer, it is `possible`.
"""

from .facts import Facts
from .mode_behind import behind_private, no_own_ipv4, pool_name, shared, without_gateway
from .mode_global import wan_differs, wan_matches
from .mode_mape import map_e
from .mode_offline import offline
from .verdict import Verdict

_RULES = (
    offline,
    map_e,
    no_own_ipv4,
    pool_name,
    wan_matches,
    wan_differs,
    shared,
    behind_private,
    without_gateway,
)


def decide(facts: Facts) -> Verdict | None:
    """Return how IPv4 crosses the line; None where nothing follows."""
    return next((verdict for rule in _RULES if (verdict := rule(facts))), None)
