"""The dyndns2 protocol: one GET request, answered by a code word per host or per address."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
import html
from ipaddress import IPv4Address, ip_address
from urllib.parse import quote, quote_plus

import aiohttp
from yarl import URL

from .provider import (
    Answer,
    AuthRefused,
    Blocked,
    ConfigRefused,
    DdnsError,
    Field,
    Provider,
    ProviderSpec,
    Target,
    Unavailable,
    completed,
    field_errors,
    normal_hostname,
    words,
)

_FIELDS = (
    Field(key="server"),
    Field(key="username", credential=True),
    Field(key="password", secret=True),
)
_DEFAULT_PATH = "/nic/update"
_TIMEOUT = aiohttp.ClientTimeout(total=20)  # a real service took 11.6 s to say "dnserr"
_BODY_CAP = 16 * 1024

# No-IP's rule for a fault on its side, the strictest known: wait 30 minutes.
# https://www.noip.com/integrate/response
_FAULT_WAIT = 1800.0

# Return codes: https://help.dyn.com/return-codes, https://www.noip.com/integrate/response
_SUCCESS = {"good": True, "nochg": False}
_FAILURES: Mapping[str, type[DdnsError]] = {
    "abuse": Blocked,
    "badagent": Blocked,
    "badauth": AuthRefused,
    "!donator": ConfigRefused,
    "!active": ConfigRefused,
    "!yours": ConfigRefused,
    "badsys": ConfigRefused,
    "nohost": ConfigRefused,
    "notfqdn": ConfigRefused,
    "numhost": ConfigRefused,
    "911": Unavailable,
    "dnserr": Unavailable,
    "servererror": Unavailable,
}
# The forms in which a reply may repeat a credential.
_ECHOES: tuple[Callable[[str], str], ...] = (
    str,
    html.escape,
    quote,
    quote_plus,
    partial(quote, safe=""),
)
_WORST_FIRST = (Blocked, AuthRefused, ConfigRefused, Unavailable)


class Dyndns2:
    """A dyndns2 service. It names the addresses itself and never lets the service guess."""

    def __init__(
        self, session: aiohttp.ClientSession, server: URL, username: str, password: str
    ) -> None:
        """Take a session (its User-Agent names the client), the update URL and the credentials."""
        self._session = session
        self._server = server
        basic = b64encode(f"{username}:{password}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {basic}",
            "Accept-Encoding": "identity",
            # Updates are rare: a kept connection would only be found dead by the next one.
            "Connection": "close",
        }
        plain = (username, password, basic)
        self._credentials = [form(text) for text in plain for form in _ECHOES]

    async def update(self, hostname: str, target: Target) -> Answer:
        """Publish both addresses in one request; see Provider.update."""
        addresses = [str(ip) for ip in (target.ipv4, target.ipv6) if ip is not None]
        url = self._server.update_query(hostname=hostname, myip=",".join(addresses))
        try:
            async with self._session.get(
                url,
                headers=self._headers,
                allow_redirects=False,
                timeout=_TIMEOUT,
                middlewares=(_once,),
            ) as response:
                body = await _capped(response.content)
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            # The text of these errors can hold the whole URL.
            raise Unavailable(type(err).__name__) from None
        if body is None:
            raise Unavailable("reply longer than 16 KiB", translation_key="unexpected_reply")
        text = body.decode(errors="replace")
        reply = words(text, self._credentials)
        if response.status != 200:
            raise _http_error(response.status, response.headers, text, reply)
        return _read(text, reply, target)


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET again when the connection breaks: services count them."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as err:
        raise Unavailable(type(err).__name__) from None


async def _capped(content: aiohttp.StreamReader) -> bytes | None:
    """Return the body, or None when it is longer than the cap."""
    body = b""
    while chunk := await content.read(_BODY_CAP + 1 - len(body)):
        body += chunk
        if len(body) > _BODY_CAP:
            return None
    return body


def _http_error(status: int, headers: Mapping[str, str], text: str, reply: str) -> DdnsError:
    """Tell what a status other than 200 means; a code word in the body makes it more precise."""
    told = words(f"HTTP {status}: {reply}" if reply else f"HTTP {status}")
    kinds = {_FAILURES[code] for code in _codes(text) if code in _FAILURES}
    if 300 <= status < 400:
        told = f"HTTP {status}: redirects are not followed"
        # 301 and 308 say that the URL is wrong for good (RFC 9110 section 15.4).
        return ConfigRefused(told) if status in (301, 308) else Unavailable(told)
    if status == 401:
        return AuthRefused(told)
    if status in (408, 425, 429) or status >= 500:
        fault = status in (429, 500) or Unavailable in kinds
        wait = _retry_after(headers) or (_FAULT_WAIT if fault else None)
        return Unavailable(told, retry_after=wait)
    for kind in _WORST_FIRST:
        if kind in kinds and kind is not Unavailable:
            return kind(told)
    if 200 <= status < 300:
        return Unavailable(told, translation_key="unexpected_reply")
    return ConfigRefused(told)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After; the form with a date is taken as absent."""
    value = headers.get("Retry-After", "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 8 else None


def _codes(text: str) -> list[str]:
    """Return the first word of every line that has one."""
    return [line.split()[0].lower() for line in text.splitlines() if line.strip()]


def _read(text: str, reply: str, target: Target) -> Answer:
    """Read the body of an HTTP 200: the worst line decides."""
    codes = _codes(text)
    kinds = {_FAILURES[code] for code in codes if code in _FAILURES}
    for kind in _WORST_FIRST:
        if kind in kinds:
            raise (
                Unavailable(reply, retry_after=_FAULT_WAIT) if kind is Unavailable else kind(reply)
            )
    if not codes or not all(code in _SUCCESS for code in codes):
        raise Unavailable(reply, translation_key="unexpected_reply")
    if _ignored(text, target):
        raise ConfigRefused(reply)
    return Answer(changed=any(_SUCCESS[code] for code in codes), reply=reply)


def _ignored(text: str, target: Target) -> bool:
    """Tell whether the service confirms 127.0.0.1 instead: its way to say that it did nothing."""
    confirmed = {word for line in text.splitlines() for word in line.replace(",", " ").split()[1:]}
    return "127.0.0.1" in confirmed and target.ipv4 != IPv4Address("127.0.0.1")


def _server(text: str) -> URL:
    """Return the update URL that the user means; ValueError's text is the error key."""
    try:
        url = URL(text if "://" in text else f"https://{text}")
        host, scheme = url.host, url.scheme
    except ValueError, IndexError:  # yarl raises the other one for "[]@"
        raise ValueError("invalid_url") from None
    if not host or scheme not in ("http", "https"):
        raise ValueError("invalid_url")
    if url.user is not None or url.password is not None:
        raise ValueError("credentials_in_url")
    if scheme == "http" and not _is_loopback(host):
        raise ValueError("https_required")
    if url.path in ("", "/"):
        url = url.with_path(_DEFAULT_PATH, keep_query=True)
    return url.with_fragment(None)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host.lower().rstrip(".") == "localhost"


def _validate(hostname: str, values: Mapping[str, str]) -> dict[str, str]:
    values = completed(_FIELDS, values)
    errors = field_errors(_FIELDS, values)
    if "server" not in errors:
        try:
            _server(values["server"])
        except ValueError as err:
            errors["server"] = str(err)
    if ":" in values["username"]:  # the separator of Basic authentication (RFC 7617 section 2)
        errors["username"] = "invalid_username"
    try:
        normal_hostname(hostname)
    except ValueError:
        errors[ProviderSpec.HOSTNAME] = "invalid_hostname"
    return errors


async def _create(session: aiohttp.ClientSession, values: Mapping[str, str]) -> Provider:
    values = completed(_FIELDS, values)
    try:
        server = _server(values["server"])
    except ValueError as err:
        raise ConfigRefused(str(err)) from None
    return Dyndns2(session, server, values["username"], values["password"])


DYNDNS2 = ProviderSpec(
    id="dyndns2", name="dyndns2", fields=_FIELDS, create=_create, validate=_validate
)
