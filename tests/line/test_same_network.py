"""What is seen from the same closed network is no proof of the internet."""

from ipaddress import IPv6Address, ip_address

import pytest

from custom_components.homeport.line import Carrier, LineMode, LineReport, on_same_network

V6PLUS = "240b:10:a900:1::10"
TRANSIX = "2409:10:1:1::10"
NATIVE = "2a00:77:77:1::10"


def report(ipv6: str, mode: LineMode, carrier: Carrier | None = None) -> LineReport:
    return LineReport(mode=mode, carrier=carrier, public_ipv6=IPv6Address(ipv6))


@pytest.mark.parametrize(
    ("line", "address", "same"),
    [
        pytest.param(report(NATIVE, LineMode.PUBLIC), "2408:1::1", True, id="NGN, East"),
        pytest.param(report(NATIVE, LineMode.PUBLIC), "2001:a001::1", True, id="NGN, West"),
        pytest.param(LineReport(), "2404:1a8::1", True, id="NGN, of an unknown line"),
        (report(V6PLUS, LineMode.MAP_E, Carrier.V6PLUS), "240b:11:22::1", True),
        (report(V6PLUS, LineMode.MAP_E, Carrier.V6PLUS), "2409:10:22::1", False),
        (report(V6PLUS, LineMode.MAP_E, Carrier.V6PLUS), "2600:1f00::1", False),
        (report(TRANSIX, LineMode.DS_LITE, Carrier.TRANSIX), "2409:250:22::1", True),
        pytest.param(report(TRANSIX, LineMode.PPPOE), "2409:10:22::1", True, id="PPPoE beside it"),
        (report(V6PLUS, LineMode.MAP_E, Carrier.V6PLUS), "106.72.63.108", True),
        (report(V6PLUS, LineMode.MAP_E, Carrier.V6PLUS), "11.22.33.2", False),
        pytest.param(report(V6PLUS, LineMode.PPPOE), "106.72.63.108", False, id="IPv4 by PPPoE"),
        (report(V6PLUS, LineMode.MAP_E, Carrier.OCN), "106.72.63.108", False),
        pytest.param(LineReport(mode=LineMode.MAP_E), "106.72.63.108", False, id="nobody's rule"),
        (LineReport(), "2600:1f00::1", False),
    ],
)
def test_same_network(line: LineReport, address: str, same: bool) -> None:
    assert on_same_network(line, ip_address(address)) is same
