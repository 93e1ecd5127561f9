"""What all tests share: Home Assistant finds the integration of this checkout.

The lab and end-to-end tests run without Home Assistant's test plugin (`-p no:homeassistant`), in
a real network and against a real server: for them nothing is done here.
"""

import pytest

# The test package brings a folder of this name, which would win if it were imported first.
import custom_components  # noqa: F401


@pytest.fixture(autouse=True)
def _integration_of_this_checkout(request: pytest.FixtureRequest) -> None:
    """Let a test that uses Home Assistant load custom integrations.

    Tests of the rooms do without Home Assistant, and so without its start.
    """
    if "hass" not in request.fixturenames:
        return
    if "recorder_mock" in request.fixturenames:  # it has to be there before hass is
        request.getfixturevalue("recorder_mock")
    request.getfixturevalue("enable_custom_integrations")
