"""Whatever an echo says, it is a global address of the family asked for, or refused."""

from ipaddress import IPv4Address, IPv6Address, ip_address
import json

from hypothesis import example, given, strategies as st

from custom_components.homeport.outside import OutsideInvalid
from custom_components.homeport.outside.echo import read_address
from custom_components.homeport.outside.fetch import MAX_BODY
from tests.fuzz import fuzz

ADDRESSES = st.ip_addresses().map(str)
NEARLY = st.one_of(
    ADDRESSES,
    ADDRESSES.map(lambda text: f"::ffff:{text}"),
    ADDRESSES.map(lambda text: f"{text}%eth0"),
    ADDRESSES.map(lambda text: f"[{text}]"),
    ADDRESSES.map(str.upper),
    st.sampled_from(["2a00:77::1", "11.22.33.44", "64:ff9b::1", "0x0b.22.33.44", "185999660"]),
)
FORMS = (
    NEARLY,
    NEARLY.map(lambda text: f"  {text}\r\n"),
    NEARLY.map(lambda text: json.dumps({"ip": text})),
    NEARLY.map(lambda text: json.dumps({"ip": [text], "x": {"ip": text}})),
    NEARLY.map(lambda text: f"fl=1\nip={text}\nuag=a=b\n"),
    NEARLY.map(lambda text: f"ip={text}\nip={text}"),
)


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """Draw a good answer, or one with characters put in, changed or left out."""
    text = draw(st.one_of(*FORMS))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        put = draw(st.sampled_from(["", "0", "1", ".", ":", "=", "\n", "{", "}", '"']) | st.text())
        text = text[:at] + put + text[at + draw(st.integers(0, 2)) :]
    return text


@fuzz
@given(bodies() | st.text(), st.sampled_from([4, 6]))
@example('{"ip":' * (MAX_BODY // 6), 4)
@example('{"ip":' + "[" * MAX_BODY, 6)
@example('{"ip":' + "9" * 5000 + "}", 4)
@example('{"ip":' + "[" * 100_000, 4)
@example("=" * MAX_BODY, 4)
@example("ip=" + "\n" * MAX_BODY, 4)
def test_any_answer(body: str, family: int) -> None:
    try:
        address = read_address(body, family)
    except OutsideInvalid:
        return
    assert isinstance(address, IPv4Address if family == 4 else IPv6Address)
    assert address.is_global
    assert not address.is_multicast
    if isinstance(address, IPv6Address):
        assert address.ipv4_mapped is None
        assert address.scope_id is None
    assert any(_is(address, part) for part in _words(body))


def _words(body: str) -> list[str]:
    """Return what could be an address in an answer."""
    try:
        value = json.loads(body)
    except ValueError:
        return [body.strip(), *(line.removeprefix("ip=") for line in body.strip().splitlines())]
    return [str(value.get("ip"))] if isinstance(value, dict) else [body.strip()]


def _is(address: IPv4Address | IPv6Address, text: str) -> bool:
    try:
        return ip_address(text) == address
    except ValueError:
        return False
