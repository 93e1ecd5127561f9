"""The action that looks at the line and says what it is."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from tests.fakes.demo import DemoHome
from tests.integration.conftest import SetUp
from tests.integration.reported import report
from tests.integration.shared_line import SharedLine
from tests.integration.test_line_entities import MAP_E


async def detect(hass: HomeAssistant, **data: Any) -> Any:
    """Call the action; return its response."""
    return await hass.services.async_call(
        "homeport", "detect_line", data, blocking=True, return_response=True
    )


async def test_answer_is_of_now(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, shared: SharedLine
) -> None:
    entry = await set_up(stun_servers=[shared.server])
    await shared.recognised(hass, entry)
    shared.psid = 0x80
    answer = await detect(hass, config_entry_id=entry.entry_id)
    assert (answer["mode"], answer["confidence"]) == ("a_plus_p", "likely")
    assert (answer["ipv4_openable"], answer["public_ipv4"]) == ("port_set", "11.22.33.44")
    assert answer["ports"][:2] == ["6144-6159", "10240-10255"]
    # Without a response it works as well.
    data = {"config_entry_id": entry.entry_id}
    await hass.services.async_call("homeport", "detect_line", data, blocking=True)


WORDS = {
    "en": ("Your public IPv4 address is exactly the one", "Open a port and press"),
    "ja": ("グローバル IPv4 アドレスが", "ポートを開いて"),
}


@pytest.mark.parametrize("language", WORDS)
async def test_whole_answer(
    hass: HomeAssistant,
    home: DemoHome,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
) -> None:
    hass.config.language = language
    entry = await set_up()
    await report(hass, entry, monkeypatch, MAP_E)
    answer = await detect(hass, config_entry_id=entry.entry_id)
    reasons, remedies = answer.pop("reasons"), answer.pop("remedies")
    assert len(answer.pop("ports")) == 15
    assert answer == {
        "mode": "map_e",
        "confidence": "certain",
        "ipv6_mode": "ipoe",
        "ipv6_confidence": "likely",
        "overridden": False,
        "carrier": "v6plus",
        "carrier_confidence": "certain",
        "ipv4_openable": "port_set",
        "ipv6_openable": "all",
        "second_nat": False,
        "wan_ipv4": None,
        "public_ipv4": "106.73.2.1",
        "public_ipv6": "240b:10:1234:5600::1",
    }
    assert [each["key"] for each in reasons] == ["computed_matches", "mtu_of_tunnel"]
    assert reasons[0]["text"].startswith(WORDS[language][0])
    assert [each["key"] for each in remedies] == ["check_a_port"]
    assert remedies[0]["text"].startswith(WORDS[language][1])


async def test_unknown_line(hass: HomeAssistant, home: DemoHome, set_up: SetUp) -> None:
    await set_up()
    with pytest.raises(ServiceValidationError):
        await detect(hass, config_entry_id="nobody")
    with pytest.raises(vol.Invalid):
        await detect(hass)


async def test_only_for_administrators(
    hass: HomeAssistant, home: DemoHome, set_up: SetUp, hass_read_only_user: MockUser
) -> None:
    entry = await set_up()
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "homeport",
            "detect_line",
            {"config_entry_id": entry.entry_id},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
