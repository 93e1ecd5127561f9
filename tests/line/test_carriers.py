"""A carrier is told by its own signs, and by nothing that others can have as well."""

from ipaddress import IPv6Address, IPv6Network
from itertools import combinations

from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.line.carriers import (
    AFTR_NAMES,
    CARRIERS,
    Carrier,
    ReverseKind,
    by_aftr_name,
    by_ipv6,
    by_provisioning,
    by_reverse_name,
    parse_provisioning,
)
from custom_components.homeport.line.report import LineMode
from tests.fuzz import fuzz

BLOCKS = [(facts.carrier, IPv6Network(block)) for facts in CARRIERS for block in facts.blocks]


def test_every_carrier_has_its_facts_once() -> None:
    assert sorted(facts.carrier for facts in CARRIERS) == sorted(Carrier)
    assert all(facts.blocks or facts.reverse_names for facts in CARRIERS)


def test_carriers_sell_modes_that_there_are() -> None:
    assert {mode for facts in CARRIERS for mode in facts.modes} <= set(LineMode)


@pytest.mark.parametrize(("carrier", "block"), BLOCKS)
def test_a_block_is_its_carrier_s_from_the_first_to_the_last_address(
    carrier: Carrier, block: IPv6Network
) -> None:
    assert by_ipv6(block[0]) is carrier
    assert by_ipv6(block[-1]) is carrier
    for beside in (block[0] - 1, block[-1] + 1):
        assert by_ipv6(beside) == next(
            (other for other, network in BLOCKS if beside in network), None
        )


def test_no_two_blocks_overlap() -> None:
    assert not any(one.overlaps(other) for (_, one), (_, other) in combinations(BLOCKS, 2))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2001:c90::1", id="NTT's closed network, east"),
        pytest.param("2404:1a8::1", id="NTT's closed network, east, new"),
        pytest.param("2408::1", id="NTT's closed network, Hikari"),
        pytest.param("2001:a000::1", id="NTT's closed network, west"),
        pytest.param("2406:ab48::1", id="a government's network"),
        pytest.param("2001:db8::1", id="documentation"),
        pytest.param("fe80::1", id="link-local"),
        pytest.param("::", id="none"),
    ],
)
def test_what_is_no_home_line_has_no_carrier(text: str) -> None:
    assert by_ipv6(IPv6Address(text)) is None


REVERSE_NAMES = {
    "M192000002010.v4.enabler.ne.jp": (Carrier.V6PLUS, ReverseKind.UNKNOWN),
    "p123456-ipoe.ipoe.ocn.ne.jp": (Carrier.OCN, ReverseKind.MAP_E),
    "p123456-ipoefx.ipoe.ocn.ne.jp": (Carrier.OCN, ReverseKind.FIXED),
    "flh2-192-0-2-10.tky.mesh.ad.jp": (Carrier.BIGLOBE, ReverseKind.UNKNOWN),
    "10.2.0.192.shared.user.transix.jp": (Carrier.TRANSIX, ReverseKind.SHARED_POOL),
    "192-0-2-10.west.xps.vectant.ne.jp": (Carrier.XPASS, ReverseKind.SHARED_POOL),
    "192-0-2-10.east.xps.vectant.ne.jp": (Carrier.XPASS, ReverseKind.SHARED_POOL),
    "ai123456.d.west.v6connect.net": (Carrier.V6CONNECT, ReverseKind.UNKNOWN),
    "b123456.f.east.v6connect.net": (Carrier.V6CONNECT, ReverseKind.UNKNOWN),
    "aftr-192-0-2-10.unity-media.net": (Carrier.VODAFONE_WEST, ReverseKind.SHARED_POOL),
}


@pytest.mark.parametrize(("name", "expected"), REVERSE_NAMES.items())
def test_reverse_names(name: str, expected: tuple[Carrier, ReverseKind]) -> None:
    assert by_reverse_name(name) == expected
    assert by_reverse_name(name.upper()) == expected
    assert by_reverse_name(f"{name.lower()}.") == expected


@pytest.mark.parametrize("name", REVERSE_NAMES)
@pytest.mark.parametrize(
    "form", ["xy{}", "{}x", "{}.example", "x.{}", "{}..", " {}", "{}\n", "{}\x00", "-{}"]
)
def test_a_name_around_a_reverse_name_is_no_sign(name: str, form: str) -> None:
    assert by_reverse_name(form.format(name)) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "p123456-ipngn200101tokaisakaetozai.tokyo.ocn.ne.jp",
        "p123456-ipoefy.ipoe.ocn.ne.jp",
        "192.0.2.10.user.transix.jp",
        "10.2.0.shared.user.transix.jp",
        "192-0-2-10.north.xps.vectant.ne.jp",
        "192-0-2-10.unity-media.net",
        "M19200000201.v4.enabler.ne.jp",
        "M１９２０００００２０１０.v4.enabler.ne.jp",  # noqa: RUF001
        "10.2.0.192.ſhared.user.transix.jp",  # noqa: RUF001
        "1." * 127 + "shared.user.transix.jp",
        "p" + "1" * 100_000 + "-ipoe.ipoe.ocn.ne.jp",
    ],
)
def test_other_reverse_names_are_no_sign(name: str) -> None:
    assert by_reverse_name(name) is None


def test_aftr_names_are_looked_up_only_where_they_resolve_on_one_line_alone() -> None:
    assert set(AFTR_NAMES) == {"gw.transix.jp", "dslite.v6connect.net"}
    assert by_aftr_name("gw.transix.jp") is Carrier.TRANSIX
    assert by_aftr_name("DSLITE.v6connect.net.") is Carrier.V6CONNECT
    # Resolves everywhere.
    assert by_aftr_name("dgw.xpass.jp") is None
    assert by_aftr_name("") is None


URL = "https://prod.v6mig.v6connect.net/cpe/v1/config"
LONG_URL = URL.ljust(512, "x")


@pytest.mark.parametrize(
    ("txt", "url"),
    [
        pytest.param(f"v=v6mig-1 url={URL} t=b", URL, id="as seen"),
        pytest.param(f"v=v6mig-1 url={URL} t=a", URL, id="certificate not checked"),
        pytest.param(
            "v=v6mig-1 url=http://vne.example.jp/rule.cgi t=a",
            "http://vne.example.jp/rule.cgi",
            id="HTTP",
        ),
        pytest.param(
            "v=v6mig-1 url=https://[2001:db8::1]:8443/r?a=b t=b",
            "https://[2001:db8::1]:8443/r?a=b",
            id="address and port",
        ),
        pytest.param(f"v=v6mig-1 url={LONG_URL} t=b", LONG_URL, id="512 characters"),
    ],
)
def test_the_record_of_a_provisioning_server(txt: str, url: str) -> None:
    assert parse_provisioning(txt) == url


@pytest.mark.parametrize(
    "txt",
    [
        pytest.param("", id="empty"),
        pytest.param("v=spf1 -all", id="another kind of record"),
        pytest.param(f"v=v6mig-2 url={URL} t=b", id="another version"),
        pytest.param(f"url={URL} t=b", id="no version"),
        pytest.param(f"v=v6mig-1 url={URL}", id="no t"),
        pytest.param(f"v=v6mig-1 url={URL} t=c", id="another t"),
        pytest.param(f"v=v6mig-1 url={URL} t=b x=1", id="something behind"),
        pytest.param(f" v=v6mig-1 url={URL} t=b", id="something before"),
        pytest.param(f"v=v6mig-1 url={URL} t=b\n", id="a line end"),
        pytest.param(f"v=v6mig-1  url={URL} t=b", id="two spaces"),
        pytest.param("v=v6mig-1 url= t=b", id="no URL"),
        pytest.param("v=v6mig-1 url=https:// t=b", id="no host"),
        pytest.param("v=v6mig-1 url=https:///config t=b", id="a path alone"),
        pytest.param("v=v6mig-1 url=//vne.example.jp t=b", id="no scheme"),
        pytest.param("v=v6mig-1 url=http://vne.example.jp/ t=b", id="a certificate with HTTP"),
        pytest.param("v=v6mig-1 url=HTTP://vne.example.jp/ t=b", id="the same, in capitals"),
        pytest.param("v=v6mig-1 url=ftp://vne.example.jp/ t=a", id="FTP"),
        pytest.param("v=v6mig-1 url=file:///etc/passwd t=a", id="a file"),
        pytest.param("v=v6mig-1 url=javascript:alert(1) t=a", id="a program"),
        pytest.param("v=v6mig-1 url=https://me:secret@vne.example.jp/ t=b", id="credentials"),
        pytest.param("v=v6mig-1 url=https://vne.example.jp:0/ t=b", id="port 0"),
        pytest.param("v=v6mig-1 url=https://vne.example.jp:65536/ t=b", id="port 65536"),
        pytest.param("v=v6mig-1 url=https://vne.example.jp:x/ t=b", id="port x"),
        pytest.param("v=v6mig-1 url=https://[2001:db8::1/ t=b", id="half a bracket"),
        pytest.param("v=v6mig-1 url=https://[vne.example.jp]/ t=b", id="a name in brackets"),
        pytest.param("v=v6mig-1 url=https://vne.例.jp/ t=b", id="not ASCII"),
        pytest.param("v=v6mig-1 url=https://vne.example.jp/\x00 t=b", id="a null"),
        pytest.param("v=v6mig-1 url=https://vne.example.jp/\t t=b", id="a tab"),
        pytest.param(f"v=v6mig-1 url={LONG_URL}x t=b", id="513 characters"),
        pytest.param(f"v=v6mig-1 url={URL}{'x' * 1_000_000} t=b", id="a million characters"),
    ],
)
def test_anything_else_is_no_record_of_a_provisioning_server(txt: str) -> None:
    assert parse_provisioning(txt) is None
    assert by_provisioning(txt) is None


@pytest.mark.parametrize(
    ("text", "carrier"),
    [
        (f"v=v6mig-1 url={URL} t=b", Carrier.V6CONNECT),
        (URL, Carrier.V6CONNECT),
        ("https://V6MIG.v6connect.net:8443/", Carrier.V6CONNECT),
        ("https://v6mig.v6connect.net.example.com/", None),
        ("https://notv6mig.v6connect.net/", None),
        ("https://example.com/v6mig.v6connect.net", None),
        ("https://v6mig.v6connect.net@example.com/", None),
        ("https://vne.example.jp/rule.cgi", None),
        ("v6mig.v6connect.net", None),
        ("", None),
    ],
)
def test_the_carrier_of_a_provisioning_server(text: str, carrier: Carrier | None) -> None:
    assert by_provisioning(text) is carrier


HOSTILE = st.text(max_size=700) | st.text(
    "v=6mig-1url htps:/.[]@%?#ab0123456789\\\x00\t\n", max_size=100
)
NAMES = st.sampled_from(sorted(REVERSE_NAMES))


@st.composite
def spoilt(draw: st.DrawFn, good: st.SearchStrategy[str]) -> str:
    """Return something good with a piece replaced by anything."""
    text = draw(good)
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    return text[:start] + draw(st.text(max_size=20)) + text[end:]


@fuzz
@given(HOSTILE | spoilt(st.just(f"v=v6mig-1 url={URL} t=b")))
def test_any_record_has_a_harmless_url_or_none(txt: str) -> None:
    url = parse_provisioning(txt)
    assert by_provisioning(txt) in {None, Carrier.V6CONNECT}
    if url is not None:
        assert f"url={url} t=" in txt
        assert url.lower().startswith(("http://", "https://"))
        assert len(url) <= 512
        assert url.isascii()
        assert url.isprintable()
        assert "@" not in url.split("/")[2]


@fuzz
@given(HOSTILE | spoilt(NAMES))
def test_any_name_is_a_sign_or_none(name: str) -> None:
    found = by_reverse_name(name)
    if found is not None:
        assert len(name) <= 254
        assert name.isascii()
        assert by_reverse_name(name.lower()) == found
    assert by_aftr_name(name) in {None, Carrier.TRANSIX, Carrier.V6CONNECT}
