"""What all providers share: names, and words that are fit to be shown."""

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given, strategies as st
import pytest

from custom_components.homeport.ddns import PROVIDERS, Target, normal_hostname
from custom_components.homeport.ddns.provider import words


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("home.example.org", "home.example.org"),
        (" Home.Example.ORG. ", "home.example.org"),
        ("a.b", "a.b"),
        ("1.example.org", "1.example.org"),
        ("straße.example", "xn--strae-oqa.example"),
        ("家。例え。jp", "xn--fct.xn--r8jz45g.jp"),
        ("XN--STRAE-OQA.example", "xn--strae-oqa.example"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
    ],
)
def test_names_have_one_form(text: str, name: str) -> None:
    assert normal_hostname(text) == name
    assert normal_hostname(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "home",
        "home.",
        ".example.org",
        "home..org",
        "home.example.org..",
        "-home.example.org",
        "home-.example.org",
        "ho_me.example.org",
        "*.example.org",
        "ho me.example.org",
        "home.example.org/x",
        "home.example.org:80",
        "https://home.example.org",
        "192.0.2.1",
        "2001:db8::1",
        f"{'a' * 64}.example",
        ".".join(["a" * 63] * 4),
        "home\n.example.org",
        "\u2603\u200d.example",
        "\u0663.\u0663",
    ],
)
def test_what_is_no_host_name(text: str) -> None:
    with pytest.raises(ValueError):
        normal_hostname(text)


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_a_value_error(text: str) -> None:
    try:
        name = normal_hostname(text)
    except ValueError:
        return
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert name.count(".") >= 1
    assert len(name) <= 253


@given(st.text(), st.text(min_size=1, max_size=20))
def test_words_are_short_printable_and_without_credentials(text: str, secret: str) -> None:
    shown = words(text + secret + text, [secret])
    assert len(shown) <= 200
    assert shown.isprintable()
    assert shown == shown.strip()
    if secret.strip("* \t\n") and secret.isprintable() and secret == " ".join(secret.split()):
        assert secret not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  good 192.0.2.1\r\n", "good 192.0.2.1"),
        ("badauth hunter2\nhunter2x", "badauth *** ***x"),
        ("a\x00b\x1b[31m\u202ec", "a b [31m c"),
        ("x" * 500, "x" * 200),
    ],
)
def test_words(text: str, shown: str) -> None:
    assert words(text, ["hunter2", ""]) == shown


def test_unknown_is_not_absent() -> None:
    ipv4, newer, ipv6 = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2"), IPv6Address("::1")
    both = Target(ipv4=ipv4, ipv6=ipv6)
    assert both.updated(Target()) == both
    assert both.updated(Target(ipv4=newer)) == Target(ipv4=newer, ipv6=ipv6)
    assert not Target().known


def test_every_provider_describes_itself() -> None:
    assert list(PROVIDERS) == ["dyndns2", "rfc2136"]
    for key, spec in PROVIDERS.items():
        assert spec.id == key
        assert spec.secrets
        assert spec.secrets <= {field.key for field in spec.reauth_fields}
        required = {f.key for f in spec.fields if f.required and f.default is None}
        assert spec.validate("home.example.org", {}) == dict.fromkeys(required, "required")
