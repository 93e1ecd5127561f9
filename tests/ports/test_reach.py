"""A port is called reachable only where all proofs are there, and probed only where it is ours."""

from dataclasses import replace
from ipaddress import IPv4Address
from itertools import product

import pytest

from custom_components.homeport.gateway import Transport
from custom_components.homeport.line import LineMode, LineReport, Openable, PortSet
from custom_components.homeport.ports import (
    MappingState,
    NotProbed,
    Reachability,
    address_to_probe,
    reachability,
)

G = IPv4Address("11.22.33.44")
OTHER = IPv4Address("11.22.33.99")
PUBLIC = LineReport(
    mode=LineMode.PUBLIC,
    ipv4_openable=Openable.ALL,
    wan_ipv4=G,
    public_ipv4=G,
    confirmed_ipv4=G,
)
PORTS = PortSet(4, 8, 212)
MINE, NEIGHBOURS = 7490, 7506
MAP_E = replace(PUBLIC, mode=LineMode.MAP_E, ipv4_openable=Openable.PORT_SET, port_set=PORTS)
BEHIND = replace(MAP_E, ipv4_openable=Openable.AFTER_SECOND_ROUTER)


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
    assert address_to_probe(line, Transport.TCP, NEIGHBOURS) == G


@pytest.mark.parametrize("line", [MAP_E, BEHIND])
def test_of_a_shared_address_only_our_ports_are_probed(line: LineReport) -> None:
    assert address_to_probe(line, Transport.TCP, MINE) == G
    for port in NEIGHBOURS, 80, 8123, 65535:
        with pytest.raises(NotProbed) as caught:
            address_to_probe(line, Transport.TCP, port)
        assert caught.value.translation_key == "not_in_port_set"


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
        *(
            pytest.param(replace(PUBLIC, mode=mode), Transport.TCP, reason, id=mode.value)
            for mode, reason in (
                (LineMode.NAT64, "line_nat64"),
                (LineMode.NONE, "line_none"),
                (LineMode.TWO_EXITS, "line_two_exits"),
                (LineMode.MAP_E, "port_set_unknown"),
                (LineMode.A_PLUS_P, "port_set_unknown"),
            )
        ),
    ],
)
def test_there_is_a_reason_not_to_probe(line: LineReport, protocol: Transport, reason: str) -> None:
    with pytest.raises(NotProbed) as caught:
        address_to_probe(line, protocol, MINE)
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
            *(BEHIND, G, MappingState.OPEN, Reachability.POSSIBLE),
            id="the port set is the second router's",
        ),
        pytest.param(
            *(replace(PUBLIC, ipv4_openable=Openable.UNKNOWN), G, MappingState.OPEN),
            Reachability.POSSIBLE,
            id="the address may be shared",
        ),
        pytest.param(MAP_E, G, MappingState.OPEN, Reachability.REACHABLE, id="in the port set"),
    ],
)
def test_what_an_accepted_connection_proves(
    line: LineReport, probed: IPv4Address, mapping: MappingState | None, expected: Reachability
) -> None:
    assert reachability(line, probed, MINE, mapping, accepted=True) is expected
    refused = reachability(line, probed, MINE, mapping, accepted=False)
    assert refused is Reachability.UNREACHABLE


def test_a_neighbours_port_is_never_called_ours() -> None:
    seen = reachability(MAP_E, G, NEIGHBOURS, MappingState.OPEN, accepted=True)
    assert seen is Reachability.POSSIBLE


def test_reachable_needs_every_proof() -> None:
    """Of all combinations, only the ones with all proofs are called reachable."""
    addresses = (G, OTHER, None)
    combinations = product(
        Openable, addresses, addresses, (G, OTHER), (*MappingState, None), (True, False)
    )
    reachable = [
        (openable, wan, confirmed, probed, mapping, accepted)
        for openable, wan, confirmed, probed, mapping, accepted in combinations
        if reachability(
            LineReport(
                ipv4_openable=openable,
                port_set=PORTS if openable is Openable.PORT_SET else None,
                wan_ipv4=wan,
                public_ipv4=G,
                confirmed_ipv4=confirmed,
            ),
            probed,
            MINE,
            mapping,
            accepted=accepted,
        )
        is Reachability.REACHABLE
    ]
    assert reachable == [
        (openable, address, address, address, MappingState.OPEN, True)
        for openable in (Openable.ALL, Openable.PORT_SET)
        for address in (G, OTHER)
    ]
