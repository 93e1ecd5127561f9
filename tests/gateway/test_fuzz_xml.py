"""Whatever bytes a gateway sends, its readers raise their own errors and nothing else."""

from collections.abc import Callable
from contextlib import suppress

from async_upnp_client.const import HttpResponse
from hypothesis import example, given, strategies as st
import pytest
from yarl import URL

from custom_components.homeport.gateway import GatewayError, PortMapping
from custom_components.homeport.gateway.description import parse_description
from custom_components.homeport.gateway.events import parse_event
from custom_components.homeport.gateway.mapping import parse_listing, parse_mapping
from custom_components.homeport.gateway.markup import decode, parse
from custom_components.homeport.gateway.soap import parse_answer
from tests.fuzz import fuzz

from .strange import Service, answer, description, fault

LOCATION = URL("http://192.168.1.1:5000/desc.xml")
EVENT = (
    '<e:propertyset xmlns:e="urn:schemas-upnp-org:event-1-0"><e:property>'
    "<ExternalIPAddress>11.22.33.99</ExternalIPAddress></e:property></e:propertyset>"
)
ENTRY = {
    "NewRemoteHost": "",
    "NewExternalPort": "18123",
    "NewProtocol": "TCP",
    "NewInternalPort": "8123",
    "NewInternalClient": "192.168.1.10",
    "NewEnabled": "1",
    "NewPortMappingDescription": "Homeport",
    "NewLeaseDuration": "3600",
}
LISTING = (
    "<p:PortMappingList xmlns:p='urn:x'><p:PortMappingEntry>"
    + "".join(f"<p:{name}>{value}</p:{name}>" for name, value in ENTRY.items())
    + "</p:PortMappingEntry></p:PortMappingList>"
)
ACTION = "GetGenericPortMappingEntry"


def _answered(status: int) -> Callable[[str], object]:
    return lambda text: parse_answer(ACTION, HttpResponse(status, {}, text))


READERS: dict[str, tuple[Callable[[str], object], str]] = {
    "description": (lambda text: parse_description(text, LOCATION), description(Service())),
    "answer": (_answered(200), str(answer(ACTION, **ENTRY).body)),
    "fault": (_answered(500), str(fault("718").body)),
    "list": (parse_listing, LISTING),
    "event": (lambda text: parse_event(text.encode()), EVENT),
}

pieces = st.one_of(
    st.binary(max_size=8),
    st.sampled_from(
        (
            *(
                b"<",
                b">",
                b"&",
                b"&e;",
                b"\0",
                b"\xff",
                b"<!DOCTYPE a [",
                b"<!ENTITY e 'x'>",
                b"]]>",
            ),
            *(b"<device>", b"</device>", b"<service>", b"<?xml", b"http://", b"//", b"[", b"%"),
            *(b"-1", b"99999999999999999999", b"\xe2\x82", b"xmlns:a=''", b"<![CDATA["),
        )
    ),
)
changes = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 40), pieces), max_size=6)


@pytest.mark.parametrize("name", READERS)
@fuzz
@given(changes)
@example([])
def test_a_changed_message_is_read_or_refused(
    name: str, changed: list[tuple[int, int, bytes]]
) -> None:
    read, good = READERS[name]
    data = good.encode()
    for place, cut, piece in changed:
        at = place % (len(data) + 1)
        data = data[:at] + piece + data[at + cut :]
    with suppress(GatewayError):
        read(decode(data))


@fuzz
@given(st.binary(max_size=300), st.text(max_size=60))
def test_any_bytes_become_text(data: bytes, content_type: str) -> None:
    assert isinstance(decode(data, content_type), str)


@pytest.mark.parametrize("encoding", ["utf-7", "idna", "rot13", "hex", "utf-16", "x" * 20])
def test_no_encoding_of_pythons_own_is_used(encoding: str) -> None:
    data = f'<?xml version="1.0" encoding="{encoding}"?><a>+ADw-\xe9</a>'.encode("latin-1")
    assert decode(data, f"text/xml; charset={encoding}").endswith("<a>+ADw-\xe9</a>")


@fuzz
@given(st.dictionaries(st.sampled_from(list(ENTRY)), st.text(max_size=30)))
def test_any_texts_are_a_mapping_or_refused(changed: dict[str, str]) -> None:
    with suppress(GatewayError):
        found = parse_mapping(ENTRY | changed)
        assert isinstance(found, PortMapping)
        assert -1 <= found.lease < 2**31


@pytest.mark.parametrize("unit", ["<a>", "&", "&amp", "<a b='", "]]>", "<!--", "\0", "&#x"])
def test_what_is_repeated_takes_no_time(unit: str) -> None:
    """The largest answer that is read, of one piece."""
    with suppress(GatewayError):
        parse(unit * (512 * 1024 // len(unit)))
