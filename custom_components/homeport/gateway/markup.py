"""Reading the XML that gateways write, which is often not quite XML."""

from email.message import Message
import re
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
import defusedxml.ElementTree as DefusedElementTree

from .errors import InvalidAnswer

# What routers are known or likely to declare; any other codec of Python's stays shut to them.
_ENCODINGS: Final = frozenset(
    {"iso-8859-1", "iso-8859-15", "windows-1252", "shift_jis", "euc-jp", "gb2312", "gbk", "big5"}
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,80}\sencoding=["']([\w-]{1,20})["']""")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)", re.ASCII)
_NO_CHARACTER = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f]")  # XML 1.0 section 2.2
_PADDING = "\ufeff \t\r\n\0"


def decode(data: bytes, content_type: str = "") -> str:
    """Return what the bytes of an answer say, without the white space and zeros around it.

    UTF-8 where that is possible, else what the HTTP header or the XML declaration says, else
    ISO-8859-1, which is what gateways mean that say UTF-8 and are wrong. Never raises.
    """
    try:
        return data.decode().strip(_PADDING)
    except UnicodeDecodeError:
        pass
    header = Message()
    header["content-type"] = content_type.encode("ascii", "replace").decode()
    declared = _DECLARED.match(data)
    for name in (header.get_content_charset(""), declared[1].decode() if declared else ""):
        if name.lower() in _ENCODINGS:
            return data.decode(name, "replace").strip(_PADDING)
    return data.decode("iso-8859-1").strip(_PADDING)


def parse(text: str) -> Element:
    """Return the root element. Raises InvalidAnswer.

    Entities are refused, a DTD is not fetched. An ampersand that stands for itself, an entity of
    HTML and control characters are common slips, and forgiven.
    """
    try:
        return _parse(text)
    except ParseError:
        forgiven = _BARE_AMPERSAND.sub("&amp;", _NO_CHARACTER.sub("", text))
    except (DefusedXmlException, ValueError) as err:
        raise InvalidAnswer(type(err).__name__) from err
    try:
        return _parse(forgiven)
    except (ParseError, DefusedXmlException, ValueError) as err:
        raise InvalidAnswer(type(err).__name__) from err


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace, which gateways get wrong."""
    return str(element.tag).rpartition("}")[2]


def children(element: Element) -> dict[str, str]:
    """Return the texts of an element's children by local name; of two with one name, the first."""
    found: dict[str, str] = {}
    for child in element:
        found.setdefault(local_name(child), (child.text or "").strip())
    return found


def _parse(text: str) -> Element:
    root: Element = DefusedElementTree.fromstring(text)
    return root
