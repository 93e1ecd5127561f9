"""When the line is looked at again."""

from ipaddress import IPv4Address

import pytest

from custom_components.homeport.coordinator.schedule import CONFIRM, ECHO_POLL, By, Look, next_look
from custom_components.homeport.line import LineMode, LineReport, PortSet
from custom_components.homeport.options import LineOptions

ECHO, STUN = ("https://echo.example",), ("stun.example:3478",)
BOTH = LineOptions(echo_urls=ECHO, stun_servers=STUN)
OWN, OTHER = IPv4Address("11.22.33.44"), IPv4Address("11.22.33.55")
PUBLIC = LineReport(mode=LineMode.PUBLIC, wan_ipv4=OWN, public_ipv4=OWN)
MAP_E = LineReport(mode=LineMode.MAP_E, public_ipv4=OWN, port_set=PortSet(4, 8, 58))
CGNAT = LineReport(mode=LineMode.CGNAT, wan_ipv4=IPv4Address("100.64.0.2"), public_ipv4=OWN)
DOUBLE = LineReport(mode=LineMode.DOUBLE_NAT, wan_ipv4=IPv4Address("192.168.1.2"), public_ipv4=OWN)
OFFLINE = LineReport(mode=LineMode.OFFLINE, internet=False)

BY_ECHO, BY_STUN = Look(By.ECHO, CONFIRM), Look(By.STUN, CONFIRM)
POLL, ECHOES = Look(By.STUN, 300), Look(By.ECHO, ECHO_POLL)
SILENT_GATEWAY, NO_NETLINK = {"gateway_pushes": False}, {"host_watched": False}

SITUATIONS = {
    "the gateway tells of an address that is the home's": (PUBLIC, BOTH, {}, BY_ECHO),
    "the same, and only STUN may be asked": (PUBLIC, LineOptions(stun_servers=STUN), {}, BY_STUN),
    "the same, and nobody may be asked": (PUBLIC, LineOptions(), {}, None),
    "the gateway tells nothing": (PUBLIC, BOTH, SILENT_GATEWAY, POLL),
    "the kernel cannot be listened to": (PUBLIC, BOTH, NO_NETLINK, POLL),
    "MAP-E follows from IPv6, with a silent gateway too": (MAP_E, BOTH, SILENT_GATEWAY, BY_ECHO),
    "MAP-E, and the kernel cannot be listened to": (MAP_E, BOTH, NO_NETLINK, POLL),
    "MAP-E whose ports are not known": (
        LineReport(mode=LineMode.MAP_E, public_ipv4=OWN),
        BOTH,
        {},
        POLL,
    ),
    "a port set that follows from nothing, and no gateway": (
        LineReport(mode=LineMode.A_PLUS_P, public_ipv4=OWN, port_set=PortSet(4, 8, 58)),
        BOTH,
        SILENT_GATEWAY,
        POLL,
    ),
    "no address of the home's own": (CGNAT, BOTH, {}, BY_ECHO),
    "the same behind a gateway that tells nothing": (CGNAT, BOTH, SILENT_GATEWAY, POLL),
    "the address is at a router that tells nothing": (DOUBLE, BOTH, {}, POLL),
    "the outside sees another address than the gateway's": (
        LineReport(mode=LineMode.TWO_EXITS, wan_ipv4=OTHER, public_ipv4=OWN),
        BOTH,
        {},
        POLL,
    ),
    "nothing is known of the address": (LineReport(), BOTH, {}, POLL),
    "the internet is away": (OFFLINE, BOTH, {}, POLL),
    "a gateway with an address, but the internet is away": (
        LineReport(mode=LineMode.OFFLINE, internet=False, wan_ipv4=OWN, public_ipv4=OWN),
        BOTH,
        {},
        POLL,
    ),
    "another time for STUN": (
        DOUBLE,
        LineOptions(stun_servers=STUN, stun_minutes=20),
        {},
        Look(By.STUN, 1200),
    ),
    "STUN is switched off": (
        DOUBLE,
        LineOptions(echo_urls=ECHO, stun_servers=STUN, stun_minutes=0),
        {},
        ECHOES,
    ),
    "there is no STUN server": (DOUBLE, LineOptions(echo_urls=ECHO), {}, ECHOES),
    "STUN is switched off, and there is no echo": (
        DOUBLE,
        LineOptions(stun_servers=STUN, stun_minutes=0),
        {},
        None,
    ),
    "nobody may be asked": (DOUBLE, LineOptions(), {}, None),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_next_look(situation: str) -> None:
    line, options, sources, expected = SITUATIONS[situation]
    told = {"gateway_pushes": True, "host_watched": True} | sources
    assert next_look(line, options, **told) == expected
