"""Every kind of internet line, as topologies of the lab."""

from collections.abc import Callable
from functools import partial

from .closed import cgnat, ds_lite_transix, ds_lite_xpass, squatted
from .common import Line
from .mape import a_plus_p, map_e_hgw, map_e_ocn, map_e_v6plus
from .mixed import ngn, offline_link, offline_route, two_exits
from .only_ipv6 import ipv6_only, nat64, nat64_clat
from .own import ipip_fixed, pppoe, pppoe_ipoe, pppoe_ipv6, public
from .second_router import double_nat, private_wan

LINES: dict[str, Callable[..., Line]] = {
    "public": public,
    "pppoe": pppoe,
    "pppoe_ipoe": pppoe_ipoe,
    "pppoe_ipv6": pppoe_ipv6,
    "ipip_fixed": ipip_fixed,
    "map_e_v6plus": map_e_v6plus,
    "map_e_v6plus_unlimited": partial(map_e_v6plus, limited=False),
    "map_e_ocn": map_e_ocn,
    "map_e_hgw": map_e_hgw,
    "a_plus_p": a_plus_p,
    "ds_lite_transix": ds_lite_transix,
    "ds_lite_transix_silent": partial(ds_lite_transix, silent=True),
    "ds_lite_xpass": ds_lite_xpass,
    "cgnat": cgnat,
    "cgnat_silent": partial(cgnat, silent=True),
    "squatted": squatted,
    "double_nat": double_nat,
    "double_nat_silent": partial(double_nat, silent=True),
    "private_wan": private_wan,
    "two_exits": two_exits,
    "nat64": nat64,
    "nat64_clat": nat64_clat,
    "ipv6_only": ipv6_only,
    "ngn_reset": partial(ngn, refusal="reset"),
    "ngn_prohibited": partial(ngn, refusal="prohibited"),
    "ngn_drop": partial(ngn, refusal="drop"),
    "offline_link": offline_link,
    "offline_route": offline_route,
}
"""All lines by name. Each takes the daemons that are to run in it besides its own."""

__all__ = ["LINES", "Line"]
