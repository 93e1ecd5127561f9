"""The certificate that a port shows to who asks for a name, and what is wrong with it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
import ssl
from typing import Final, NamedTuple

from .family import IPAddress
from .names import valid_name

WITHIN: Final = 8.0
"""Seconds for everything."""

_HANDSHAKE: Final = 4.0
_GOODBYE: Final = 0.5
_NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, openssl/x509_vfy.h
_DAY: Final = timedelta(days=1)


class Flaw(StrEnum):
    """What keeps browsers and apps from taking a certificate, or us from seeing it.

    - `unreachable`: no connection, or no answer in time
    - `no_tls`: what listens there does not speak TLS, or no version of it that is used today
    - `expired`, `not_yet_valid`: by this machine's clock; it, or one that it is signed with
    - `other_name`: it is not for this name
    - `untrusted`: nobody that is trusted has signed it
    - `invalid`: anything else that OpenSSL does not take
    """

    UNREACHABLE = "unreachable"
    NO_TLS = "no_tls"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    OTHER_NAME = "other_name"
    UNTRUSTED = "untrusted"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """What a port shows.

    - `flaw`: the first thing that is wrong; None for a certificate that everybody takes
    - `matches`: whether it is for the name; None when that could not be found out
    - `trusted`: whether somebody that is trusted has signed it; None likewise
    - `expires`: until when it is valid, in UTC; None likewise
    """

    flaw: Flaw | None
    matches: bool | None = None
    trusted: bool | None = None
    expires: datetime | None = None

    def days_left(self, now: datetime) -> float | None:
        """Return for how many days more it is valid, less than 0 for one that has expired."""
        return (self.expires - now) / _DAY if self.expires else None


# X509_V_ERR_* of openssl/x509_vfy.h. Who has signed is looked at first, then the name, then the
# time: what is found later says that there was nothing wrong before.
_FLAWS: Final = {
    **dict.fromkeys((2, 18, 19, 20, 21, 27, 28, 33), Flaw.UNTRUSTED),
    **dict.fromkeys((62, 64), Flaw.OTHER_NAME),  # of a name, and of an address
    9: Flaw.NOT_YET_VALID,
    10: Flaw.EXPIRED,
}
_TRUSTED: Final = {Flaw.EXPIRED: True, Flaw.NOT_YET_VALID: True, Flaw.UNTRUSTED: False}
_MATCHES: Final = {Flaw.EXPIRED: True, Flaw.NOT_YET_VALID: True, Flaw.OTHER_NAME: False}

# A connection that has come about ends in one of these ways, or takes too long for a handshake.
_NO_TLS: Final = (ssl.SSLError, ConnectionResetError, ConnectionAbortedError)


async def shown_certificate(
    address: IPAddress, port: int, name: str, context: ssl.SSLContext
) -> ShownCertificate:
    """Return what a port shows to who asks for `name`, within WITHIN. Nothing else is sent.

    `context` says who is trusted, and checks names, as ssl.create_default_context() makes it. A
    name is one for the DNS, or an address. Raises ValueError for what is neither.
    """
    server = _server_name(name)
    try:
        async with asyncio.timeout(WITHIN):
            try:
                taken = await _handshake(address, port, server, context)
            except ssl.SSLCertVerificationError as err:
                flaw = _FLAWS.get(err.verify_code, Flaw.INVALID)
                with suppress(OSError, UnicodeError):
                    return await _look_closer(address, port, server, flaw)
                return ShownCertificate(flaw, _MATCHES.get(flaw), _TRUSTED.get(flaw))
    except UnicodeError:
        return ShownCertificate(Flaw.INVALID)
    except _NO_TLS:
        return ShownCertificate(Flaw.NO_TLS)
    except OSError:  # TimeoutError is one too
        return ShownCertificate(Flaw.UNREACHABLE)
    return ShownCertificate(None, matches=True, trusted=True, expires=taken.expires)


class _Taken(NamedTuple):
    """A certificate that was taken, and what is written in it; None where it was not verified."""

    content: bytes
    expires: datetime | None


async def _look_closer(address: IPAddress, port: int, server: str, flaw: Flaw) -> ShownCertificate:
    """Return what else can be said of a certificate that was not taken. Raises OSError."""
    matches, trusted = _MATCHES.get(flaw), _TRUSTED.get(flaw)
    shown = await _handshake(address, port, server, await asyncio.to_thread(_taking_any))
    # It alone is trusted now, whatever its time, so that OpenSSL reads it and compares the name.
    for check_name in (True, False) if matches is None else (False,):
        context = await asyncio.to_thread(_taking_only, shown.content, check_name=check_name)
        try:
            taken = await _handshake(address, port, server, context)
        except ssl.SSLCertVerificationError as err:
            if _FLAWS.get(err.verify_code) is not Flaw.OTHER_NAME:
                break
            matches = False
        except UnicodeError:
            break
        else:
            matches = True if check_name else matches
            return ShownCertificate(flaw, matches, trusted, taken.expires)
    return ShownCertificate(flaw, matches, trusted)


async def _handshake(address: IPAddress, port: int, server: str, context: ssl.SSLContext) -> _Taken:
    """Connect, and leave when the certificate has been taken.

    Raises OSError, or UnicodeError for text in a certificate that is none.
    """
    _, writer = await asyncio.open_connection(
        *(str(address), port),
        ssl=context,
        server_hostname=server,
        ssl_handshake_timeout=_HANDSHAKE,
        ssl_shutdown_timeout=_GOODBYE,
    )
    try:
        content = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        said = writer.get_extra_info("peercert") or {}
        return _Taken(content or b"", parse_time(str(said.get("notAfter"))))
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def parse_time(text: str) -> datetime | None:
    """Read the time in a certificate as Python's ssl has it; None for anything else."""
    try:
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
    except ValueError, OverflowError, OSError:
        return None


def _server_name(name: str) -> str:
    """Return a name or an address as ssl takes it. Raises ValueError for what is neither."""
    with suppress(ValueError):
        return str(ip_address(name))
    if server := valid_name(name):
        return server
    raise ValueError("neither a name nor an address")


def _taking_any() -> ssl.SSLContext:
    """Return a context that looks at nothing; to be made in a thread."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _taking_only(content: bytes, *, check_name: bool) -> ssl.SSLContext:
    """Return a context that trusts this certificate alone; to be made in a thread.

    Raises ssl.SSLError for what is no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_name
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    context.load_verify_locations(cadata=content)
    return context
