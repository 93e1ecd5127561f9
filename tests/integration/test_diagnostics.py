"""What is given to strangers who help: how things stand, but not who or where."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
import json
import re

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant
import pytest

from custom_components.homeport.diagnostics import async_get_config_entry_diagnostics
from custom_components.homeport.host import (
    AddressFlag,
    HostAddress,
    HostState,
    Neighbour,
    Route,
)
from custom_components.homeport.line import (
    EchoEvidence,
    Evidence,
    GatewayEvidence,
    HomeGatewayEvidence,
    MapERule,
    MtuEvidence,
    NamesEvidence,
    Proof,
    SecondHopEvidence,
    StunEvidence,
)
from tests.fakes.demo import DemoHome
from tests.fakes.reply import Reply
from tests.integration.conftest import SetUp
from tests.integration.reported import report
from tests.integration.steps import hostname, opened, port, press, state_of, until
from tests.integration.test_line_entities import MAP_E

PASSWORD = "Tr0ub4dor-secret"


def strings(value: object) -> list[str]:
    """Return every text and number in a structure."""
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in strings(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in strings(each)]
    return [str(value)]


def is_address(text: str) -> bool:
    """Say whether a text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("down", [False, True])
async def test_nothing_that_identifies(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, down: bool
) -> None:
    home.dyndns2.users = {"some-user": PASSWORD}
    home.dyndns2.hostnames = dict.fromkeys(home.dyndns2.hostnames, "some-user")
    game = port(home, "My private game", internal_client="127.0.0.1", external_port=54321)
    site = hostname(home, username="some-user", password=PASSWORD)
    entry = await set_up(game, site)
    await opened(hass, entry, game)
    await press(hass, entry, "check", game)
    await until(lambda: state_of(hass, entry, "status", site) == "ok")
    if down:
        home.igd.control = Reply(drop=True)
        await entry.runtime_data.line.async_refresh()
    shown = await async_get_config_entry_diagnostics(hass, entry)
    text = json.dumps(shown)
    store = entry.runtime_data.store
    secret = [
        *("11.22.33.44", "127.0.0.1", "54321", str(home.facts.game_port), str(home.igd.port)),
        *(home.facts.hostname, "some-user", PASSWORD, home.facts.location, home.igd.identity.udn),
        *(home.igd.identity.serial_number, game.title, entry.entry_id, game.subentry_id),
        *(home.outside.url, home.facts.dyndns2_url, entry.runtime_data._tag),
        store.hostnames[site.subentry_id]["fingerprint"],
    ]
    assert [each for each in secret if each in text] == []
    assert not [each for each in strings(shown) if is_address(each)]
    assert not re.search(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", text, re.IGNORECASE)
    assert REDACTED not in text


# Everything that leads to a home, and what must not be left of it.
_IPV4 = "106.73.2.1", "106.73.2.2", "100.64.7.7", "192.168.7.1", "192.168.9.9", "14.8.9.1"
_IPV6 = "240b:10:1234:5600::1", "fe80::7", "2404:1a8:7:7::7", "240b:10:1234:5600:1:2:3:4"
_SECRET = "secretname"
_PORTS = 40321, 41321, 42321
EVERYTHING = Evidence(
    gateway=GatewayEvidence(True, IPv4Address(_IPV4[2]), IPv4Address(_IPV4[3]), True, ppp=True),
    silent_gateway=GatewayEvidence(None, IPv4Address(_IPV4[2])),
    host=HostState(
        addresses=(
            HostAddress(IPv4Address(_IPV4[4]), 24, _SECRET),
            HostAddress(IPv6Address(_IPV6[0]), 64, _SECRET),
            HostAddress(IPv6Address(_IPV6[3]), 64, _SECRET, AddressFlag.TEMPORARY),
            HostAddress(IPv6Address(_IPV6[2]), 64, _SECRET, AddressFlag.DEPRECATED),
        ),
        ipv4_route=Route(IPv4Address(_IPV4[3]), _SECRET),
        ipv6_route=Route(IPv6Address(_IPV6[1]), _SECRET, tunnel=True),
        neighbours=(Neighbour(IPv6Address(_IPV6[1]), "02:00:5e:10:00:01", _SECRET),),
        name_servers=(IPv6Address(_IPV6[2]),),
    ),
    echo4=EchoEvidence(IPv4Address(_IPV4[0]), answered=True, agreed=True, secure=True),
    echo6=EchoEvidence(IPv6Address(_IPV6[0]), answered=True),
    stun4=StunEvidence(IPv4Address(_IPV4[0]), True, tuple((port, port) for port in _PORTS)),
    stun6=StunEvidence(None, answered=False),
    mtu=MtuEvidence(1460, 1500),
    names=NamesEvidence(
        frozenset({f"{_SECRET}.example.net"}),
        f"https://{_SECRET}.example.net",
        IPv6Network("2404:1a8:7:7::/64"),
    ),
    reverse_name=f"{_SECRET}.example.net",
    second_hop=SecondHopEvidence(
        (IPv4Address(_IPV4[3]), None, IPv4Address(_IPV4[5])),
        IPv4Address(_IPV4[3]),
        IPv4Address(_IPV4[1]),
    ),
    home_gateway=HomeGatewayEvidence(on=True, name=_SECRET),
    proof=Proof(IPv4Address(_IPV4[0]), _PORTS[0]),
    own_rule=MapERule.parse("240b:10::/31", "106.72.0.0/15", 25, 4),
)


async def test_evidence_has_no_address_in_it(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {"rule_ipv6": "240b:10::/31", "rule_ipv4": "106.72.0.0/15"}
    rule |= {"rule_ea_length": 25, "rule_psid_offset": 4}
    game = port(home, external_port=_PORTS[0])
    entry = await set_up(game, **rule)
    line = entry.runtime_data.line
    await report(hass, entry, monkeypatch, replace(MAP_E, wan_ipv4=IPv4Address(_IPV4[2])))
    line.evidence = EVERYTHING
    shown = await async_get_config_entry_diagnostics(hass, entry)
    text = json.dumps(shown)
    parts = [part for ip in (*_IPV4, *_IPV6) for part in (ip, ip.rpartition(":")[0] or ip)]
    secret = [*parts, *map(str, _PORTS), _SECRET, "240b", "106.7", "02:00:5e", "4928"]
    assert [each for each in secret if each in text] == []
    assert not [each for each in strings(shown) if is_address(each)]
    assert shown["options"]["own_rule"] is True
    assert shown["ports"][0]["allowed"] is False
    assert shown["evidence"] == {
        "gateway": {
            "connected": True,
            "address": "shared",
            "default_router": True,
            "ppp": True,
        },
        "silent_gateway": {
            "connected": None,
            "address": "shared",
            "default_router": None,
            "ppp": False,
        },
        "gateway_pending": False,
        "gateway_trusted": False,
        "host": {
            "complete": True,
            "addresses": {
                "global stable": 1,
                "global temporary": 1,
                "ngn_only deprecated": 1,
                "private IPv4": 1,
            },
            "ipv4_route": {"tunnel": False},
            "ipv6_route": {"tunnel": True},
            "neighbours": 1,
            "name_servers": 1,
        },
        "echo_pending": False,
        "echo4": {"address": "global", "answered": True, "agreed": True, "secure": True},
        "echo6": {"address": "global", "answered": True, "agreed": False, "secure": False},
        "stun4": {"address": "global", "answered": True, "ports": 3, "kept": 3},
        "stun6": {"address": "none", "answered": False, "ports": 0, "kept": 0},
        "mtu": {"ipv4": 1460, "ipv6": 1500},
        "names": {"aftr": 1, "provisioning": True, "nat64": True},
        "system_names": None,
        "reverse_name": True,
        "second_hop": {"hops": ["private", "none", "global"], "router": True, "address": "global"},
        "home_gateway": {"on": True},
        "proof": True,
    }


async def test_how_things_stand(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    game, site = port(home), hostname(home, password="wrong")
    entry = await set_up(game, site, prober_url="", look_behind=True, stun_minutes=30)
    await opened(hass, entry, game)
    await until(lambda: state_of(hass, entry, "status", site) == "wrong_credentials")
    shown = json.loads(json.dumps(await async_get_config_entry_diagnostics(hass, entry)))
    assert shown["gateway"] == {"manufacturer": "Homeport", "model": "Demo router"}
    assert shown["gateway_answers"] is True
    assert shown["options"] == {
        "echoes": 1,
        "stun_servers": 1,
        "stun_minutes": 30,
        "prober": False,
        "hosted_probers": [],
        "own_prober": False,
        "udp_server": False,
        "look_up_names": False,
        "look_behind": True,
        "both_routers": False,
        "line_mode": None,
        "ipv6_mode": None,
        "own_rule": False,
    }
    assert shown["rules"].keys() == {"date", "version", "number"}
    assert shown["ports"] == [
        {
            "protocol": "TCP",
            "by_hand": False,
            "wanted": True,
            "closes_by_timer": False,
            "allowed": None,
            "mapping": "open",
            "families": ["ipv4"],
            "pinhole": None,
            "pinhole_reason": None,
            "checks": [],
        }
    ]
    assert shown["hostnames"] == [
        {"provider": "dyndns2", "status": "wrong_credentials", "failures": 1}
    ]


async def test_the_line_as_it_is_shown(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up()
    await report(hass, entry, monkeypatch, MAP_E)
    shown = json.loads(json.dumps(await async_get_config_entry_diagnostics(hass, entry)))
    assert shown["line"] == {
        "mode": "map_e",
        "confidence": "certain",
        "ipv6_mode": "ipoe",
        "ipv6_confidence": "likely",
        "overridden": False,
        "ipv4_openable": "port_set",
        "ipv6_openable": "all",
        "port_set": True,
        "carrier": "v6plus",
        "carrier_confidence": "certain",
        "internet": True,
        "second_nat": False,
        "wan_kind": None,
        "wan_is_public": False,
        "reasons": ["computed_matches", "mtu_of_tunnel"],
        "remedies": ["check_a_port"],
    }


async def test_without_a_gateway(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    entry = await set_up(gateway=False)
    shown = await async_get_config_entry_diagnostics(hass, entry)
    assert shown["gateway"] is None
    assert shown["gateway_answers"] is False
