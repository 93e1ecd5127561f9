"""Home Assistant's own port: whether the name in its external URL and its certificate are right."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.outside import Limit, echoip
from custom_components.homeport.outside.authority import NameTrouble
from custom_components.homeport.outside.certificate import Flaw, ShownCertificate
from custom_components.homeport.outside.own_url import NameLeads
from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.found import issue, look
from tests.integration.steps import TEXTS, entity_of, opened, port, switch

HERE, ELSEWHERE = IPv4Address("11.22.33.44"), IPv4Address("11.22.33.99")
NAME = "home.example.net"
HTTPS = f"https://{NAME}:8443"
UNTIL = datetime(2027, 2, 3, 4, 5, 6, tzinfo=UTC)
GOOD: Final = ShownCertificate(None, matches=True, trusted=True, expires=UNTIL)
HOME: Final = NameLeads(frozenset({HERE}), frozenset())


def leads(*addresses: IPv4Address) -> NameLeads:
    """Return where a name leads."""
    return NameLeads(frozenset(addresses), frozenset())


@dataclass
class Outside:
    """Stands in for the name servers and for what the port shows, and remembers what was asked."""

    names: NameLeads = HOME
    certificate: ShownCertificate | Exception = GOOD
    asked: list[Any] = field(default_factory=list)

    async def name_leads(self, host: str) -> NameLeads:
        self.asked.append(host)
        return self.names

    async def shown_certificate(
        self, address: IPv4Address, port: int, name: str, _: object
    ) -> ShownCertificate:
        self.asked.append((str(address), port, name))
        if isinstance(self.certificate, Exception):
            raise self.certificate
        return self.certificate


@pytest.fixture
def outside(hass: HomeAssistant, home: DemoHome, monkeypatch: pytest.MonkeyPatch) -> Outside:
    """Let the demo's game server be Home Assistant's own port."""
    outside = Outside()
    place = "custom_components.homeport.coordinator.own_url"
    monkeypatch.setattr(f"{place}.name_leads", outside.name_leads)
    monkeypatch.setattr(f"{place}.shown_certificate", outside.shown_certificate)
    monkeypatch.setitem(echoip.STRICT, "127.0.0.1", Limit(burst=1000, seconds=0.001))
    monkeypatch.setattr(hass, "http", SimpleNamespace(server_port=home.facts.game_port))
    return outside


async def own_port(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, url: str | None
) -> tuple[MockConfigEntry, ConfigSubentry]:
    """Return Home Assistant's own port, which is open."""
    hass.config.external_url = url
    game = port(home, "Home")
    entry = await set_up(game)
    await opened(hass, entry, game)
    return entry, game


def steps(said: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """Return the steps about the URL: what came of them, and why."""
    return {
        each["step"]: (each["state"], each["detail"])
        for each in said["steps"]
        if each["step"] in {"name", "certificate"}
    }


PASSED, UNKNOWN, NOT_NEEDED = ("passed", None), ("unknown", None), ("not_needed", None)


@dataclass(frozen=True)
class Row:
    """What is there, and what follows."""

    names: NameLeads = HOME
    certificate: ShownCertificate | Exception = GOOD
    name: tuple[str, str | None] = PASSED
    shown: tuple[str, str | None] = PASSED
    next_step: str | None = None


def flawed(flaw: Flaw, shown: str | None, next_step: str | None) -> Row:
    """Return what follows from a flaw of the certificate."""
    certificate = ShownCertificate(flaw, expires=UNTIL)
    state = ("failed", shown) if shown else UNKNOWN
    return Row(certificate=certificate, shown=state, next_step=next_step)


ROWS: Final = {
    "all is well": Row(),
    "the name leads elsewhere": Row(
        leads(ELSEWHERE), name=("failed", "elsewhere"), next_step="name_elsewhere"
    ),
    "the name leads elsewhere as well": Row(
        leads(HERE, ELSEWHERE), name=("failed", "elsewhere"), next_step="name_elsewhere"
    ),
    "the name leads nowhere": Row(leads(), name=("failed", "missing"), next_step="name_missing"),
    "nobody answers for the name": Row(NameLeads(trouble=NameTrouble.SILENT), name=UNKNOWN),
    "it is for another name": flawed(Flaw.OTHER_NAME, "other_name", "certificate_other_name"),
    "nobody trusts it": flawed(Flaw.UNTRUSTED, "untrusted", "certificate_untrusted"),
    "it is broken": flawed(Flaw.INVALID, "untrusted", "certificate_untrusted"),
    "it has expired": flawed(Flaw.EXPIRED, "expired", "certificate_expired"),
    "it begins tomorrow": flawed(Flaw.NOT_YET_VALID, "expired", "certificate_expired"),
    "there is none": flawed(Flaw.NO_TLS, "none", "certificate_none"),
    "it was not seen": flawed(Flaw.UNREACHABLE, None, None),
    "it cannot be asked for": Row(certificate=ValueError("no name"), shown=UNKNOWN),
    "name and certificate": Row(
        leads(ELSEWHERE),
        ShownCertificate(Flaw.EXPIRED),
        ("failed", "elsewhere"),
        ("failed", "expired"),
        "name_elsewhere",
    ),
}


async def test_https_url(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, outside: Outside
) -> None:
    entry, game = await own_port(hass, home, set_up, HTTPS)
    for what, row in ROWS.items():
        outside.names, outside.certificate = row.names, row.certificate
        outside.asked.clear()
        said = (await look(hass, entry, game))["ipv4"]
        # The path is open: its own trouble would be told first.
        assert (said["reachability"], said["blocked_by"]) == ("reachable", "nothing"), what
        assert steps(said) == {"name": row.name, "certificate": row.shown}, what
        assert said["next_step"] == row.next_step, what
        # The name without the URL's port; the certificate where it is shown at home.
        assert outside.asked == [NAME, ("127.0.0.1", home.facts.game_port, NAME)], what
        timed = {each["step"]: each["seconds"] for each in said["steps"]}
        assert None not in {timed["name"], timed["certificate"]}, what
        shown = issue(hass, game)
        if row.next_step is None:
            assert (said["advice"], shown) == (None, None), what
            continue
        assert NAME in said["advice"] or row.next_step == "certificate_none", what
        assert shown, what
        assert shown.translation_key == f"blocked_{row.next_step}", what
        told = TEXTS["issues"][shown.translation_key]["description"]
        assert told.format(**shown.translation_placeholders or {}) == said["advice"], what


@pytest.mark.parametrize(
    ("certificate", "expires"),
    [
        (GOOD, UNTIL.isoformat()),
        (ShownCertificate(Flaw.EXPIRED, expires=UNTIL), UNTIL.isoformat()),
        (ShownCertificate(Flaw.NO_TLS), None),
        (ValueError("no name"), None),
    ],
)
async def test_until_when_the_certificate_is_valid(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    outside: Outside,
    *,
    certificate: ShownCertificate | Exception,
    expires: str | None,
) -> None:
    outside.certificate = certificate
    entry, game = await own_port(hass, home, set_up, HTTPS)
    said = (await look(hass, entry, game))["ipv4"]
    assert said["certificate_expires"] == expires
    assert (said["certificate_days"] is None) == (expires is None)


async def test_http_url_needs_no_certificate(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, outside: Outside
) -> None:
    entry, game = await own_port(hass, home, set_up, f"http://{NAME}:8123")
    said = (await look(hass, entry, game))["ipv4"]
    assert steps(said) == {"name": PASSED, "certificate": NOT_NEEDED}
    assert (said["next_step"], said["certificate_expires"]) == (None, None)
    assert outside.asked == [NAME]
    outside.names = leads()
    said = (await look(hass, entry, game))["ipv4"]
    assert (said["blocked_by"], said["next_step"]) == ("nothing", "name_missing")


@pytest.mark.parametrize("url", [None, "https://"])
async def test_without_a_url_there_is_nothing_to_look_at(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, outside: Outside, url: str | None
) -> None:
    entry, game = await own_port(hass, home, set_up, url)
    said = (await look(hass, entry, game))["ipv4"]
    assert (steps(said), said["next_step"], said["certificate_expires"]) == ({}, None, None)
    assert not outside.asked


@pytest.mark.parametrize("changes", [{"internal_port": 8124}, {"internal_client": "127.0.0.1"}])
async def test_other_ports_are_not_what_the_url_is_about(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, outside: Outside, changes: dict[str, Any]
) -> None:
    """Nor is a device that has a service at the same number."""
    hass.config.external_url = HTTPS
    game = port(home, **changes)
    entry = await set_up(game)
    said = (await look(hass, entry, game))["ipv4"]
    assert steps(said) == {}
    assert not outside.asked


async def test_what_stops_the_port_is_told_first(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, outside: Outside
) -> None:
    outside.names, outside.certificate = leads(), ShownCertificate(Flaw.EXPIRED)
    entry, game = await own_port(hass, home, set_up, HTTPS)
    await switch(hass, entry, game, "off")
    said = (await look(hass, entry, game))["ipv4"]
    assert (said["blocked_by"], said["next_step"]) == ("no_mapping", "switch_on")
    # It is found out all the same.
    assert steps(said) == {"name": ("failed", "missing"), "certificate": ("failed", "expired")}


async def test_the_sensor_shows_the_steps(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, outside: Outside
) -> None:
    outside.certificate = ShownCertificate(Flaw.EXPIRED, expires=UNTIL)
    entry, game = await own_port(hass, home, set_up, HTTPS)
    await look(hass, entry, game)
    state = hass.states.get(entity_of(hass, entry, "blocked_by", game))
    assert state
    assert state.state == "nothing"
    assert state.attributes["next_step"] == "certificate_expired"
    assert state.attributes["steps"]["name"] == "passed"
    assert state.attributes["steps"]["certificate"] == "failed"
