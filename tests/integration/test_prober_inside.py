"""A prober at home, or in the same closed network, is not asked: what it sees proves nothing."""

from ipaddress import IPv4Address, IPv6Network, ip_address

import pytest

from custom_components.homeport.coordinator.probers import Aim, At, ProberInside, Probers
from custom_components.homeport.line import LineReport
from custom_components.homeport.outside import (
    OutsideError,
    ProbeTransport,
    Question,
)
from tests.integration.conftest import SetUp

PUBLIC = "11.22.33.44"
PREFIX = "2a00:77:77:1::/64"
LAN, LASTING = "192.168.77.10", "2a00:77:77:1::10"


@pytest.mark.parametrize(
    ("prober", "address", "source", "inside"),
    [
        pytest.param(PUBLIC, PUBLIC, LAN, True, id="by hairpin it would see our public address"),
        pytest.param("127.0.0.1", PUBLIC, PUBLIC, True, id="this machine has the public address"),
        pytest.param("192.168.77.20", PUBLIC, PUBLIC, True, id="so it has, beside a LAN"),
        pytest.param("[::1]", LASTING, LASTING, True, id="this machine, over IPv6"),
        pytest.param("[2a00:77:77:1::99]", LASTING, LASTING, True, id="the LAN, over IPv6"),
        pytest.param("[fd00::99]", LASTING, LASTING, True, id="the LAN, by its local prefix"),
        pytest.param("[2408:1::1]", LASTING, LASTING, True, id="NTT's closed network"),
        pytest.param("192.168.77.20", PUBLIC, LAN, False, id="it sees our private address"),
        pytest.param("11.22.33.2", PUBLIC, LAN, False, id="outside"),
        pytest.param("[2600:1f00::1]", LASTING, LASTING, False, id="outside, over IPv6"),
    ],
)
@pytest.mark.usefixtures("home")
async def test_who_is_asked(
    set_up: SetUp, prober: str, address: str, source: str, *, inside: bool
) -> None:
    entry = await set_up(prober_url=f"http://{prober}:8080")
    line = entry.runtime_data.line
    line.data = LineReport(public_ipv4=IPv4Address(PUBLIC), ipv6_prefix=IPv6Network(PREFIX))
    question = Question(ProbeTransport.TCP, ip_address(address), 18080, ip_address(source))
    asked = await problem(entry.runtime_data.probers, question)
    assert isinstance(asked, ProberInside) is inside, asked


async def problem(probers: Probers, question: Question) -> Exception:
    """Return why a prober gives no answer; nobody there may be connected to from a test."""
    aim = Aim(question.transport, question.address.version, At.US, question.source)
    with pytest.raises((OutsideError, UserWarning)) as caught:
        await probers.ask(aim, lambda prober: prober.check(question), patience=60.0)
    return caught.value
