"""Home Assistant's external URL: whether its name leads home, and what its port shows there."""

from collections.abc import Collection
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.util.ssl import get_default_context
from yarl import URL

from ..outside.authority import NameTrouble
from ..outside.certificate import Flaw, ShownCertificate, shown_certificate
from ..outside.family import Family, IPAddress
from ..outside.own_url import NameLeads, Points, name_leads, points_home
from ..ports import CertificateSeen, NameSeen, OwnUrl

_NAMES: Final = {
    Points.HOME: NameSeen.HOME,
    Points.PARTLY: NameSeen.ELSEWHERE,
    Points.ELSEWHERE: NameSeen.ELSEWHERE,
    Points.NOWHERE: NameSeen.MISSING,
}
_CERTIFICATES: Final = {
    None: CertificateSeen.VALID,
    Flaw.NO_TLS: CertificateSeen.NONE,
    Flaw.EXPIRED: CertificateSeen.EXPIRED,
    Flaw.NOT_YET_VALID: CertificateSeen.EXPIRED,
    Flaw.OTHER_NAME: CertificateSeen.OTHER_NAME,
    Flaw.UNTRUSTED: CertificateSeen.UNTRUSTED,
    Flaw.INVALID: CertificateSeen.UNTRUSTED,
}


def own_url(hass: HomeAssistant, internal_port: int) -> URL | None:
    """Return the external URL, where a port of this machine is the one that it is about."""
    server = getattr(hass, "http", None)
    if server is None or hass.config.external_url is None or internal_port != server.server_port:
        return None
    url = URL(hass.config.external_url)
    return url if url.host else None


async def look_at_name(url: URL, family: Family, ours: Collection[IPAddress]) -> NameSeen | None:
    """Return where the name leads, over one family; None where that is not known."""
    leads: NameLeads = await name_leads(url.host or "")
    if leads.trouble is NameTrouble.NO_NAME:
        return NameSeen.MISSING  # over any family (RFC 8020 section 2)
    points = points_home(leads.ipv4 if family == 4 else leads.ipv6, ours)
    return _NAMES[points] if points else None


async def look_at_certificate(
    url: URL, address: IPAddress, port: int
) -> tuple[CertificateSeen | None, ShownCertificate | None]:
    """Return what a certificate is worth that a port at home shows for the URL's name.

    Nothing where that is not known, or the URL is no HTTPS one.
    """
    if url.scheme != "https" or not url.host:
        return None, None
    try:
        shown = await shown_certificate(address, port, url.host, get_default_context())
    except ValueError:
        return None, None
    return _CERTIFICATES.get(shown.flaw), shown


def what_is_known(url: URL, name: NameSeen | None, certificate: CertificateSeen | None) -> OwnUrl:
    """Return it for the diagnosis."""
    return OwnUrl(url.scheme == "https", name, certificate, url.host or "")
