"""SOAP faults of a UPnP gateway."""

from xml.etree import ElementTree as ET

from aiohttp import web

FAULT_NAMES = {
    401: "Invalid Action",
    402: "Invalid Args",
    501: "Action Failed",
    606: "Action not authorized",
    713: "SpecifiedArrayIndexInvalid",
    714: "NoSuchEntryInArray",
    715: "WildCardNotPermittedInSrcIP",
    716: "WildCardNotPermittedInExtPort",
    718: "ConflictInMappingEntry",
    724: "SamePortValuesRequired",
    725: "OnlyPermanentLeasesSupported",
    726: "RemoteHostOnlySupportsWildcard",
    727: "ExternalPortOnlySupportsWildcard",
    728: "NoPortMapsAvailable",
    729: "ConflictWithOtherMechanisms",
    730: "PortMappingNotFound",
}
"""Codes that routers answer: UPnP Device Architecture 1.1 section 3.2.5 (4xx to 6xx) and
WANIPConnection:1 and :2 (7xx). Any other code can be scripted as well, without a name."""


class SoapFault(Exception):
    """The gateway refuses an action."""

    def __init__(self, code: int) -> None:
        """`code`: what stands in errorCode."""
        super().__init__(f"{code} {FAULT_NAMES.get(code, '')}".rstrip())
        self.code = code


def fault_response(code: int) -> web.Response:
    """Return the fault as HTTP 500 (UPnP Device Architecture 1.1 section 3.2.5)."""
    envelope = ET.Element(
        "s:Envelope",
        {
            "xmlns:s": "http://schemas.xmlsoap.org/soap/envelope/",
            "s:encodingStyle": "http://schemas.xmlsoap.org/soap/encoding/",
        },
    )
    fault = ET.SubElement(ET.SubElement(envelope, "s:Body"), "s:Fault")
    ET.SubElement(fault, "faultcode").text = "s:Client"
    ET.SubElement(fault, "faultstring").text = "UPnPError"
    detail = ET.SubElement(fault, "detail")
    error = ET.SubElement(detail, "UPnPError", {"xmlns": "urn:schemas-upnp-org:control-1-0"})
    ET.SubElement(error, "errorCode").text = str(code)
    ET.SubElement(error, "errorDescription").text = FAULT_NAMES.get(code, "Vendor error")
    body = ET.tostring(envelope, encoding="utf-8", xml_declaration=True)
    return web.Response(status=500, body=body, content_type="text/xml", charset="utf-8")
