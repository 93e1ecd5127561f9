"""Reading the answer to a UPnP action."""

from http import HTTPStatus
from xml.etree.ElementTree import Element, ParseError

from async_upnp_client.const import HttpResponse
from defusedxml.common import DefusedXmlException
import defusedxml.ElementTree as DefusedElementTree

from .errors import ActionRefused, GatewayUnreachable, InvalidAnswer


def parse_answer(action: str, response: HttpResponse) -> dict[str, str]:
    """Return the out arguments by name.

    Names are compared without their namespaces, since routers get those wrong (UPnP Device
    Architecture 1.1 section 3.2.2 has them). Raises ActionRefused for a UPnP error,
    GatewayUnreachable for an HTTP status without one, InvalidAnswer for anything else.
    """
    body = response.body if isinstance(response.body, str) else ""
    try:
        root: Element = DefusedElementTree.fromstring(body)
    except (ParseError, DefusedXmlException, ValueError) as err:
        if response.status_code != HTTPStatus.OK:
            raise GatewayUnreachable(f"HTTP {response.status_code}") from err
        raise InvalidAnswer from err
    for element in root.iter():
        match _local_name(element):
            case "errorCode":
                raise ActionRefused(_code(element))
            case name if name == f"{action}Response":
                return {_local_name(child): (child.text or "").strip() for child in element}
    if response.status_code != HTTPStatus.OK:
        raise GatewayUnreachable(f"HTTP {response.status_code}")
    raise InvalidAnswer


def _local_name(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _code(element: Element) -> int:
    """Return the code of a UPnP error."""
    try:
        return int(element.text or "")
    except ValueError as err:
        raise InvalidAnswer from err
