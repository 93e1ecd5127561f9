"""Asking for a UPnP action, and reading the answer."""

from collections.abc import Mapping
from http import HTTPStatus
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from async_upnp_client.const import HttpRequest, HttpResponse

from .errors import HttpRefused, InvalidAnswer, refusal
from .markup import children, local_name, parse


def action_request(
    url: str, service_type: str, action: str, arguments: Mapping[str, str | int]
) -> HttpRequest:
    """Return the request for an action; `arguments` in the order that the standard gives them.

    UPnP Device Architecture 1.1 section 3.2.1.
    """
    inside = "".join(f"<{name}>{escape(str(said))}</{name}>" for name, said in arguments.items())
    body = (
        '<?xml version="1.0"?>\r\n'
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        ' s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
        f'<u:{action} xmlns:u="{service_type}">{inside}</u:{action}>'
        "</s:Body></s:Envelope>"
    )
    headers = {
        "SOAPAction": f'"{service_type}#{action}"',
        "Content-Type": 'text/xml; charset="utf-8"',
    }
    return HttpRequest("POST", url, headers, body)


def parse_answer(action: str, response: HttpResponse) -> dict[str, str]:
    """Return the out arguments by name.

    Names are compared without their namespaces, since routers get those wrong (UPnP Device
    Architecture 1.1 section 3.2.2 has them). Raises ActionRefused for a UPnP error, HttpRefused for
    an HTTP status without one, InvalidAnswer for anything else.
    """
    try:
        root = parse(response.body if isinstance(response.body, str) else "")
    except InvalidAnswer as err:
        if response.status_code != HTTPStatus.OK:
            raise HttpRefused(response.status_code) from err
        raise
    for element in root.iter():
        match local_name(element):
            case "errorCode":
                raise refusal(_code(element))
            case name if name == f"{action}Response":
                return children(element)
    if response.status_code != HTTPStatus.OK:
        raise HttpRefused(response.status_code)
    raise InvalidAnswer


def _code(element: Element) -> int:
    """Return the code of a UPnP error."""
    try:
        return int(element.text or "")
    except ValueError as err:
        raise InvalidAnswer from err
