"""Finding the description of a gateway whose address is known, by a search sent to it alone."""

import asyncio
from contextlib import suppress

from async_upnp_client.search import SsdpSearchListener
from async_upnp_client.utils import CaseInsensitiveDict

from .errors import GatewayNotFound
from .resolve import resolve
from .url import read_url

_SEARCH_TARGET = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"  # IGD:2 answers to it too
_SSDP_PORT = 1900
_WAIT = 1.0
"""Seconds for the answer to one try. A unicast search is answered within a second (UPnP Device
Architecture 1.1 section 1.3.2)."""


async def find_location(host: str, *, tries: int = 3) -> str:
    """Return the URL of the description of the gateway at `host` (a name or an IPv4 address).

    Each of the `tries` takes a second.

    Raises GatewayNotFound.
    """
    address = await resolve(host)
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def on_answer(headers: CaseInsensitiveDict) -> None:
        location = str(headers.get("location", ""))
        with suppress(ValueError):
            if read_url(location).host == address and not found.done():
                found.set_result(location)

    listener = SsdpSearchListener(
        callback=on_answer,
        source=("0.0.0.0", 0),  # noqa: S104 - the kernel chooses the interface towards the target
        target=(address, _SSDP_PORT),
        search_target=_SEARCH_TARGET,
    )
    try:
        await listener.async_start()
        for _ in range(tries):
            listener.async_search()
            with suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(found), _WAIT)
    except OSError as err:
        raise GatewayNotFound from err
    finally:
        listener.async_stop()
    raise GatewayNotFound
