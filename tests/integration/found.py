"""What looking at a port may come to, each with facts it follows from, and how it is told."""

from collections.abc import Callable, Mapping
from dataclasses import replace
import json
import re
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homeport.const import DOMAIN
from custom_components.homeport.coordinator import Check, PortCoordinator
from custom_components.homeport.coordinator.port_checks import PortChecks
from custom_components.homeport.line import LineMode
from custom_components.homeport.ports import (
    Advice,
    BlockedBy,
    CertificateSeen,
    MappingState,
    NameSeen,
    OwnUrl,
    PortFacts,
    diagnose,
)
from tests.integration.steps import INTEGRATION, entity_of
from tests.ports.port_facts import (
    ACCEPTED,
    MET,
    REFUSED,
    TCP4,
    UNASKED4,
    UNASKED6,
    closed,
)
from tests.ports.test_diagnose_reasons import ROWS

NAME = "www.home.example"
LANGUAGES = "en", "ja"
BOTH: Final = {"families": ["ipv4", "ipv6"]}


def own(**seen: Any) -> PortFacts:
    """Return Home Assistant's own port, which is reached."""
    return replace(TCP4, own_url=OwnUrl(https=True, host=NAME, **seen))


ADVICE: Final[Mapping[Advice, PortFacts]] = {
    Advice.SWITCH_ON: replace(UNASKED4, mapping=MappingState.CLOSED, wanted=False),
    Advice.FIND_TARGET: replace(UNASKED4, target_known=False),
    Advice.FIND_IPV6: replace(UNASKED6, target_known=False),
    Advice.NO_IPV4: replace(UNASKED4, line=closed(LineMode.NONE)),
    Advice.ROUTER_REFUSES: replace(UNASKED4, mapping=None, refusal="upnp_606"),
    Advice.PINHOLE_BY_HAND: replace(UNASKED6, pinhole=None, refusal="upnp_401"),
    Advice.START_SERVICE: replace(UNASKED4, own_target=True, listener=True, answer=MET),
    Advice.CHECK_SERVICE: replace(TCP4, answer=REFUSED, service=None, baseline=None),
    Advice.PROVE: replace(TCP4, answer=ACCEPTED, mapping=None),
    Advice.ASK_OUTSIDE: UNASKED4,
    Advice.WAIT_FOR_PROBER: replace(UNASKED4, waits=True),
    Advice.NAME_ELSEWHERE: own(name=NameSeen.ELSEWHERE),
    Advice.NAME_MISSING: own(name=NameSeen.MISSING),
    Advice.CERTIFICATE_OTHER_NAME: own(certificate=CertificateSeen.OTHER_NAME),
    Advice.CERTIFICATE_UNTRUSTED: own(certificate=CertificateSeen.UNTRUSTED),
    Advice.CERTIFICATE_EXPIRED: own(certificate=CertificateSeen.EXPIRED),
    Advice.CERTIFICATE_NONE: own(certificate=CertificateSeen.NONE),
}
REASONS: Final[Mapping[str, PortFacts]] = {
    # The first of each reason; where it leads instead is known of these two alone.
    reason.value: replace(facts, holder="192.168.77.66")
    if reason in {BlockedBy.FOREIGN_MAPPING, BlockedBy.WRONG_TARGET}
    else facts
    for _, facts, reason in reversed(ROWS)
    if diagnose(facts).next_step is reason or reason is BlockedBy.NOTHING
}
EVERYTHING: Final = REASONS | {advice.value: facts for advice, facts in ADVICE.items()}


class Found:
    """Stands in for looking: what is found is what a test says."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.facts = TCP4
        patch.setattr(PortChecks, "look", self.look)

    @property
    def check(self) -> Check:
        return Check(self.facts, diagnose(self.facts))

    async def look(self, *_: object) -> dict[int, Check]:
        return {self.facts.family: self.check}


async def look(hass: HomeAssistant, entry: MockConfigEntry, game: ConfigSubentry) -> dict[str, Any]:
    """Have a port looked at by the action; return what it answers."""
    family = "reachability" if "ipv4" in game.data.get("families", ["ipv4"]) else "_ipv6"
    entity = entity_of(hass, entry, family, game)
    answer = await hass.services.async_call(
        DOMAIN, "check_port", {"entity_id": entity}, blocking=True, return_response=True
    )
    await hass.async_block_till_done()
    assert answer
    said = answer[entity]
    assert isinstance(said, dict)
    return said


def issue(hass: HomeAssistant, game: ConfigSubentry, family: int = 4) -> ir.IssueEntry | None:
    """Return the issue about what stops a port, if one is shown."""
    registry = ir.async_get(hass)
    return registry.async_get_issue(DOMAIN, f"blocked_ipv{family}_{game.subentry_id}")


def texts(language: str) -> dict[str, Any]:
    """Return what people read in a language."""
    path = INTEGRATION / f"translations/{language}.json"
    read: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return read


def raising(error: Exception) -> Callable[..., Any]:
    """Return what can be awaited, and raises."""

    async def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def assert_is(said: str, text: Mapping[str, str]) -> None:
    """See to it that a text is the one that is meant, with something in each of its holes."""
    assert filled(text["description"]).fullmatch(said), said
    assert not holes(said), said


def holes(text: str) -> set[str]:
    """Return the names of what a text has to be filled with."""
    return set(re.findall(r"\{(\w+)\}", text))


def filled(text: str) -> re.Pattern[str]:
    """Return what matches a text with something in each of its holes."""
    parts = re.split(r"\{\w+\}", text)
    # A dash stands for what is not known.
    return re.compile(r"(?!-[ .,)]|-$).+?".join(map(re.escape, parts)), re.DOTALL)


def port_of(entry: MockConfigEntry, game: ConfigSubentry) -> PortCoordinator:
    """Return what follows a port."""
    coordinator = entry.runtime_data.ports[game.subentry_id]
    assert isinstance(coordinator, PortCoordinator)
    return coordinator
