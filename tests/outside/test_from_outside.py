"""Only a global address that is in none of the home's networks is somebody outside."""

from ipaddress import ip_address, ip_network

import pytest

from custom_components.homeport.outside.from_outside import outside_of

is_outside = outside_of(ip_network(each) for each in ("11.22.33.1/32", "2a00:77:77:1::/64"))


@pytest.mark.parametrize("address", ["11.22.33.2", "106.72.63.108", "2a00:77:77:2::1", "2600::1"])
def test_outside(address: str) -> None:
    assert is_outside(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("11.22.33.1", id="our public address, as after a hairpin"),
        pytest.param("2a00:77:77:1::99", id="our prefix"),
        *("192.168.77.1", "100.64.0.1", "192.0.0.2", "127.0.0.1", "0.0.0.0", "224.0.0.1"),
        *("fe80::1", "fe80::1%eth0", "fd00::1", "::1", "::", "ff0e::1", "2001:db8::1"),
        *("::ffff:11.22.33.2", "2600::1%eth0"),
    ],
)
def test_not_outside(address: str) -> None:
    assert not is_outside(ip_address(address))
