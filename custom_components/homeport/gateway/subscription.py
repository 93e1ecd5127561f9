"""Subscribing to the events of a service (UPnP Device Architecture 1.1 section 4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from async_upnp_client.const import HttpRequest

from .errors import GatewayError, HttpRefused
from .requester import GuardedRequester

_ASKED = 1800
"""Seconds to ask for, and the most that is believed. A gateway that grants a day, and restarts,
would not be heard of for as long."""
_LONGEST_SID = 200
"""Characters. "uuid:" and a UUID are 41."""


class NoSubscription(GatewayError):
    """The gateway accepted a subscription and did not say under which id."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What was granted: the id that events carry, and the seconds until it has to be renewed."""

    sid: str
    seconds: int


async def subscribe(requester: GuardedRequester, url: str, callback: str) -> Subscription:
    """Have events sent to the URL `callback`. Raises GatewayError."""
    headers = {"NT": "upnp:event", "CALLBACK": f"<{callback}>"}
    return await _subscribe(requester, url, headers, "")


async def renew(requester: GuardedRequester, url: str, sid: str) -> Subscription:
    """Prolong a subscription. Raises GatewayError, HttpRefused where it is not known any more."""
    return await _subscribe(requester, url, {"SID": sid}, sid)


async def unsubscribe(requester: GuardedRequester, url: str, sid: str) -> None:
    """End a subscription. Raises GatewayError."""
    await _send(requester, "UNSUBSCRIBE", url, {"SID": sid})


async def _subscribe(
    requester: GuardedRequester, url: str, headers: Mapping[str, str], sid: str
) -> Subscription:
    said = await _send(requester, "SUBSCRIBE", url, {**headers, "TIMEOUT": f"Second-{_ASKED}"})
    # Some leave it out when they renew.
    granted = said.get("SID", "").strip() or sid
    if not granted or len(granted) > _LONGEST_SID:
        raise NoSubscription
    return Subscription(granted, _seconds(said.get("TIMEOUT", "")))


async def _send(
    requester: GuardedRequester, method: str, url: str, headers: Mapping[str, str]
) -> Mapping[str, str]:
    request = HttpRequest(method, url, {"HOST": urlsplit(url).netloc, **headers}, None)
    answer = await requester.async_http_request(request)
    if answer.status_code != HTTPStatus.OK:
        raise HttpRefused(answer.status_code)
    return answer.headers


def _seconds(said: str) -> int:
    """Return the time granted; what is none, or for ever, is what was asked for."""
    number = said.strip().lower().removeprefix("second-")
    if number.isascii() and number.isdecimal() and len(number) <= 9:
        return min(int(number), _ASKED)
    return _ASKED
