"""A line whose address is shared by ports, as far as can be seen from home."""

import itertools
from types import TracebackType
from typing import Self

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.fakes.stun import StunServer
from tests.integration.steps import state_of, until


class SharedLine:
    """A STUN server that sees the home at ports of one set only.

    The set is that of RFC 7597 section 5.1 with 4 bits of offset, 8 of `psid`, and 4 behind it.
    """

    def __init__(self, address: str = "11.22.33.44") -> None:
        """Take the address that is shared."""
        self.psid = 0x3A
        self.stun = StunServer()
        self.stun.address = address
        self._turn = itertools.count()
        self.stun.map_port = self._mapped

    @property
    def server(self) -> str:
        """Return the option that names the server."""
        return f"127.0.0.1:{self.stun.port}"

    def port(self, block: int, within: int = 0) -> int:
        """Return a port of the set: blocks are 1 to 15, with 16 ports each."""
        return block << 12 | self.psid << 4 | within

    async def move(self, hass: HomeAssistant, entry: MockConfigEntry, psid: int) -> None:
        """Give the home other ports, and have it noticed."""
        self.psid = psid
        await entry.runtime_data.line.async_detect()
        await until(lambda: self.port(1) in entry.runtime_data.line.data.port_set)
        await hass.async_block_till_done()

    async def recognised(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        """Wait until the line shows for what it is."""
        await until(lambda: state_of(hass, entry, "line_mode") == "a_plus_p")

    async def __aenter__(self) -> Self:
        await self.stun.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stun.__aexit__(exc_type, exc, traceback)

    def _mapped(self, _: int) -> int:
        turn = next(self._turn)
        return self.port(1 + turn % 15, turn * 5 % 16)
