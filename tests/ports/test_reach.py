"""A port is called reachable only where all proofs are there, and probed only where it is ours."""

from dataclasses import replace
from ipaddress import IPv4Address
from itertools import product

import pytest

from custom_components.homeport.gateway import Transport
from custom_components.homeport.line import LineMode, LineReport
from custom_components.homeport.ports import (
    MappingState,
    NotProbed,
    Reachability,
    address_to_probe,
    reachability,
)

G = IPv4Address("11.22.33.44")
OTHER = IPv4Address("11.22.33.99")
PUBLIC = LineReport(mode=LineMode.PUBLIC, wan_ipv4=G, public_ipv4=G, confirmed_ipv4=G)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(PUBLIC, id="public"),
        pytest.param(replace(PUBLIC, mode=LineMode.DOUBLE_NAT), id="double NAT"),
        pytest.param(replace(PUBLIC, mode=None), id="not known"),
        pytest.param(replace(PUBLIC, wan_ipv4=OTHER), id="as the outside sees us"),
    ],
)
def test_the_public_address_is_probed(line: LineReport) -> None:
    assert address_to_probe(line, Transport.TCP) == G


@pytest.mark.parametrize(
    ("line", "protocol", "reason"),
    [
        pytest.param(PUBLIC, Transport.UDP, "prober_tcp_only", id="UDP"),
        pytest.param(
            *(replace(PUBLIC, mode=LineMode.OFFLINE), Transport.TCP, "line_offline"), id="offline"
        ),
        pytest.param(
            *(replace(PUBLIC, mode=LineMode.CGNAT), Transport.TCP, "line_cgnat"), id="CGNAT"
        ),
        pytest.param(
            *(replace(PUBLIC, mode=LineMode.DS_LITE), Transport.TCP, "line_ds_lite"), id="DS-Lite"
        ),
        pytest.param(
            *(replace(PUBLIC, public_ipv4=None), Transport.TCP, "no_public_address"),
            id="the outside was not asked",
        ),
        pytest.param(LineReport(), Transport.TCP, "no_public_address", id="nothing known"),
    ],
)
def test_there_is_a_reason_not_to_probe(line: LineReport, protocol: Transport, reason: str) -> None:
    with pytest.raises(NotProbed) as caught:
        address_to_probe(line, protocol)
    assert caught.value.translation_key == reason


@pytest.mark.parametrize(
    ("line", "probed", "mapping", "expected"),
    [
        pytest.param(PUBLIC, G, MappingState.OPEN, Reachability.REACHABLE, id="all proofs"),
        pytest.param(PUBLIC, G, None, Reachability.POSSIBLE, id="mapping not known"),
        pytest.param(
            *(replace(PUBLIC, wan_ipv4=OTHER), G, MappingState.OPEN, Reachability.POSSIBLE),
            id="the gateway has another address",
        ),
        pytest.param(
            *(replace(PUBLIC, confirmed_ipv4=None), G, MappingState.OPEN, Reachability.POSSIBLE),
            id="nobody confirms the address",
        ),
        pytest.param(
            PUBLIC, OTHER, MappingState.OPEN, Reachability.POSSIBLE, id="another was probed"
        ),
        pytest.param(
            *(replace(PUBLIC, mode=LineMode.DOUBLE_NAT), G, MappingState.OPEN),
            Reachability.POSSIBLE,
            id="double NAT",
        ),
        pytest.param(
            *(replace(PUBLIC, mode=None), G, MappingState.OPEN, Reachability.POSSIBLE),
            id="line not known",
        ),
    ],
)
def test_what_an_accepted_connection_proves(
    line: LineReport, probed: IPv4Address, mapping: MappingState | None, expected: Reachability
) -> None:
    assert reachability(line, probed, mapping, accepted=True) is expected
    refused = reachability(line, probed, mapping, accepted=False)
    assert refused is Reachability.UNREACHABLE


def test_reachable_needs_every_proof() -> None:
    """Of all combinations, only the one with all proofs is called reachable."""
    addresses = (G, OTHER, None)
    combinations = product(
        (*LineMode, None), addresses, addresses, (G, OTHER), (*MappingState, None), (True, False)
    )
    reachable = [
        (mode, wan, confirmed, probed, mapping, accepted)
        for mode, wan, confirmed, probed, mapping, accepted in combinations
        if reachability(
            LineReport(mode=mode, wan_ipv4=wan, public_ipv4=G, confirmed_ipv4=confirmed),
            probed,
            mapping,
            accepted=accepted,
        )
        is Reachability.REACHABLE
    ]
    assert reachable == [
        (LineMode.PUBLIC, address, address, address, MappingState.OPEN, True)
        for address in (G, OTHER)
    ]
