"""miniupnpd on a line with a shared address: it answers an empty one, and refuses to map."""

import pytest

from tests.lab import Lab
from tests.lab.fixtures import MakeLab
from tests.lab.home import MINIUPNPD, ROUTER, SRV, reserved

from .api import ApiError
from .homeport import Homeport
from .server import HomeAssistantServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def home(make_lab: MakeLab) -> Lab:
    """Build a home whose provider hands out shared addresses."""
    return make_lab(reserved(MINIUPNPD))


async def test_empty_address_and_refusal(hass_server: HomeAssistantServer) -> None:
    homeport = await Homeport.set_up(hass_server, ROUTER, outside={})
    for key in "wan_address", "wan_address_kind":
        await hass_server.enable_entity(await homeport.entity(key))
    await hass_server.reload_entry(homeport.entry_id)
    await homeport.state("wan_address_kind", "none")
    await homeport.state("wan_address", "unknown")
    await homeport.state("line_mode", "unknown")
    await homeport.state("internet", "unknown")
    port = await homeport.add_port(internal_client=SRV, internal_port="8080", external_port="18080")
    with pytest.raises(ApiError) as refused:
        await homeport.switch(port, on=True)
    assert refused.value.details["translation_key"] == "upnp_501"
    await homeport.state("open", "unknown", port)
    await homeport.switch(port, on=False)
    await homeport.state("open", "off", port)
