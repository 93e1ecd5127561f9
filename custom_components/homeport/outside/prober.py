"""Asking an outside service to connect to one of our ports."""

from ipaddress import IPv4Address
import json
from typing import Final

import aiohttp
from yarl import URL

from .errors import OtherAddress, OutsideInvalid
from .fetch import fetch

TIMEOUT: Final = 10.0
"""Seconds. echoip itself gives up a connection after two."""


class EchoipProber:
    """A service that speaks echoip: `GET /port/N` answers {"ip", "port", "reachable"}.

    It connects over TCP, to the address that asks, and does not tell a refused connection from one
    that timed out. Source: mpolden/echoip, http/http.go.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Take a session that connects over IPv4 only, and the service's base URL."""
        self._session = session
        self._url = URL(url)

    async def accepts(self, port: int, address: IPv4Address) -> bool:
        """Say whether a TCP connection to `port` of our public `address` was accepted.

        Raises OtherAddress when the service tried another address, else OutsideError for no answer
        or one that cannot be believed.
        """
        url = self._url / "port" / str(port)
        text = await fetch(self._session, str(url), TIMEOUT)
        try:
            answer = json.loads(text)
            ip, probed, reachable = answer["ip"], answer["port"], answer["reachable"]
        except (ValueError, KeyError, TypeError) as err:
            raise OutsideInvalid("not an answer of a prober") from err
        if type(reachable) is not bool or type(probed) is not int or probed != port:
            raise OutsideInvalid("not an answer to this question")
        if ip != str(address):
            raise OtherAddress
        return reachable
