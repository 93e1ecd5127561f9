"""The kernel forgets where a device was once it has been searched for there in vain."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
import time

import pytest

from custom_components.homeport.coordinator.lan_hosts import have_found
from custom_components.homeport.host import read_state

from .access_line import LAN, ip, line, within
from .build import Lab, build
from .fixtures import require

OLD, NEW = IPv4Address(LAN), IPv4Address("192.168.77.99")
WITHIN = 15.0
"""Seconds: five of doubt and three questions, one a second (net.ipv4.neigh.*)."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    require({})
    with build(line(), tmp_path) as built:
        yield built


def known(lab: Lab) -> set[IPv4Address]:
    """Return where the router's kernel knows the home's machine."""
    neighbours = within(lab["rtr"], read_state()).neighbours
    mac = lab["lan"].run("cat", "/sys/class/net/eth0/address").strip()
    return {each.ip for each in neighbours if each.mac == mac and isinstance(each.ip, IPv4Address)}


def until(lab: Lab, expected: set[IPv4Address]) -> None:
    """Wait until the kernel knows the machine at these addresses alone."""
    ends = time.monotonic() + WITHIN
    while (found := known(lab)) != expected:
        assert time.monotonic() < ends, found
        time.sleep(0.05)


def search(lab: Lab, *addresses: IPv4Address) -> None:
    """Search for a device as the router's machine."""
    with lab["rtr"].inside():
        have_found(addresses)


def test_device_that_has_moved(lab: Lab) -> None:
    with lab["rtr"].inside():
        # What was confirmed within this time is not asked for again, by default for half a minute.
        Path("/proc/sys/net/ipv4/neigh/l0/base_reachable_time_ms").write_text("500")
    search(lab, OLD)
    until(lab, {OLD})
    ip(lab, f"address add {NEW}/24 dev eth0")
    ip(lab, f"address del {OLD}/24 dev eth0")
    # By itself it does not notice for as long as there is room in its table.
    time.sleep(1)
    assert OLD in known(lab)
    began = time.monotonic()
    search(lab, OLD, NEW)
    until(lab, {OLD, NEW})
    until(lab, {NEW})
    print(f"\nthe old address was forgotten in {time.monotonic() - began:.1f} s")  # noqa: T201
