"""What a user may write to name a device at home."""

from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.lan_target import TargetKind, parse_target

from .fuzz import fuzz

GOOD = [
    ("192.168.1.20", TargetKind.ADDRESS, "192.168.1.20"),
    (" 11.22.33.44 ", TargetKind.ADDRESS, "11.22.33.44"),
    ("AA:bb:CC:dd:EE:0f", TargetKind.MAC, "aa:bb:cc:dd:ee:0f"),
    ("aa-bb-cc-dd-ee-0f", TargetKind.MAC, "aa:bb:cc:dd:ee:0f"),
    ("aabb.ccdd.ee0f", TargetKind.MAC, "aa:bb:cc:dd:ee:0f"),
    ("NAS.local", TargetKind.MDNS_NAME, "nas.local"),
    ("nas.local.", TargetKind.MDNS_NAME, "nas.local"),
    ("nas", TargetKind.DNS_NAME, "nas"),
    ("my-nas.home.arpa", TargetKind.DNS_NAME, "my-nas.home.arpa"),
    ("nas.local.example", TargetKind.DNS_NAME, "nas.local.example"),
    ("a" * 63, TargetKind.DNS_NAME, "a" * 63),
    # Twelve digits alone may as well be a name.
    ("aabbccddee0f", TargetKind.DNS_NAME, "aabbccddee0f"),
]
BAD = [
    *(
        "",
        " ",
        ".",
        "local",
        "local.",
        "localhost",
        "a.localhost",
        "a b",
        "a_b",
        "-a",
        "a-",
        "a..b",
    ),
    *("a" * 64, ".".join(["a" * 60] * 5), "nas.local..", "\uff4e", "\u00e9", "a\nb", "a/b", "a..b"),
    *("192.168.1", "192.168.1.256", "1.2.3.4.5", "1.2.3.4.", "0", "0x7f.1", "::1", "fe80::1%eth0"),
    *("127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "203.0.113.5", "192.168.1.20:80"),
    *("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "aa:bb:cc:dd:ee"),
    *("aa:bb:cc:dd:ee:0f:00", "aa:bb-cc:dd:ee:0f", "gg:bb:cc:dd:ee:0f", "0000.0000.0000"),
]


@pytest.mark.parametrize(("text", "kind", "kept"), GOOD)
def test_good(text: str, kind: TargetKind, kept: str) -> None:
    assert parse_target(text) == (kind, kept)
    assert parse_target(kept) == (kind, kept)


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_target(text)


@fuzz
@given(st.text() | st.text("0123456789abcdef:.-", max_size=20))
def test_any_text(text: str) -> None:
    try:
        kind, kept = parse_target(text)
    except ValueError:
        return
    assert parse_target(kept) == (kind, kept)
    assert kept.isascii()
    assert kept == kept.lower()
