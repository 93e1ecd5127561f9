"""Pinholes of a gateway that behaves: opened, renewed, closed, and refused with a reason."""

from collections.abc import AsyncIterator
from ipaddress import IPv6Address

import pytest
import pytest_socket

from custom_components.homeport.gateway.errors import EXPLAINED_CODES, ActionRefused
from custom_components.homeport.gateway.model import Transport
from custom_components.homeport.gateway.pinhole import (
    LONGEST_LEASE,
    FirewallStatus,
    Forbidden,
    Pinhole,
    PinholeControl,
    PinholeForbidden,
)
from tests.fakes.igd.firewall import FakeFirewall

OWN = IPv6Address("::1")
OTHER = IPv6Address("2001:db8::9")
TCP = Pinhole(OWN, 8123, Transport.TCP)
UDP = Pinhole(OWN, 8123, Transport.UDP)


@pytest.fixture(autouse=True)
def _ipv6_loopback(socket_enabled: None) -> None:
    pytest_socket.socket_allow_hosts(["::1"])


@pytest.fixture
async def fake() -> AsyncIterator[FakeFirewall]:
    async with FakeFirewall() as started:
        yield started


async def connect(fake: FakeFirewall) -> PinholeControl:
    control = await PinholeControl.connect(OWN, [fake.location])
    assert control
    return control


def opened(fake: FakeFirewall) -> dict[int, tuple[str, int, int]]:
    return {number: (hole.client, hole.port, hole.protocol) for number, hole in fake.holes.items()}


async def test_open_and_close(fake: FakeFirewall) -> None:
    control = await connect(fake)
    tcp, udp = await control.add(TCP, 600), await control.add(UDP, 600)
    assert opened(fake) == {tcp: ("::1", 8123, 6), udp: ("::1", 8123, 17)}
    assert await control.exists(tcp)
    await control.delete(tcp)
    assert opened(fake) == {udp: ("::1", 8123, 17)}
    assert not await control.exists(tcp)


async def test_what_is_asked_for_lets_anyone_in_from_any_port(fake: FakeFirewall) -> None:
    await (await connect(fake)).add(TCP, 600)
    asked = {
        "RemoteHost": "",
        "RemotePort": 0,
        "InternalClient": "::1",
        "InternalPort": 8123,
        "Protocol": 6,
        "LeaseTime": 600,
    }
    assert fake.requests == [("AddPinhole", asked)]


async def test_a_lease_is_renewed_by_id_or_by_asking_again() -> None:
    now = [0.0]
    async with FakeFirewall(clock=lambda: now[0]) as fake:
        control = await connect(fake)
        number = await control.add(TCP, 10)
        now[0] = 9
        assert await control.update(number, 10)
        now[0] = 18
        assert await control.add(TCP, 10) == number
        now[0] = 27
        assert await control.exists(number)
        now[0] = 28
        assert not await control.exists(number)


@pytest.mark.parametrize("unknown_402", [False, True])
async def test_what_is_gone_is_said_to_be_gone_and_closing_it_is_no_error(
    *, unknown_402: bool
) -> None:
    """With 704, as the standard has it, or 402, as miniupnpd."""
    async with FakeFirewall(unknown_402=unknown_402) as fake:
        control = await connect(fake)
        for number in (0, 7, 65535):
            assert not await control.exists(number)
            assert not await control.update(number, 600)
            await control.delete(number)


async def test_an_id_that_has_become_anothers_is_not_ours(fake: FakeFirewall) -> None:
    control = await connect(fake)
    number = await control.add(TCP, 600)
    fake.holes[number].client = str(OTHER)
    assert not await control.exists(number)
    assert not await control.update(number, 600)
    await control.delete(number)
    assert opened(fake) == {number: (str(OTHER), 8123, 6)}


@pytest.mark.parametrize("lease", [0, LONGEST_LEASE + 1])
async def test_a_lease_that_no_gateway_takes(fake: FakeFirewall, lease: int) -> None:
    control = await connect(fake)
    with pytest.raises(ActionRefused, match="402"):
        await control.add(TCP, lease)
    assert not fake.holes
    number = await control.add(TCP, LONGEST_LEASE)
    with pytest.raises(ActionRefused, match="402"):
        await control.update(number, lease)
    assert await control.exists(number)


@pytest.mark.parametrize("code", [402, 501, *range(701, 710), 899])
async def test_a_refusal_keeps_its_code(fake: FakeFirewall, code: int) -> None:
    control = await connect(fake)
    fake.faults["AddPinhole"] = code
    with pytest.raises(ActionRefused) as caught:
        await control.add(TCP, 600)
    assert type(caught.value) is ActionRefused
    assert caught.value.code == code
    explained = f"upnp_{code}" if code in EXPLAINED_CODES else "upnp_other"
    assert caught.value.translation_key == explained
    assert [action for action, _ in fake.requests] == ["AddPinhole"]


@pytest.mark.parametrize("code", [401, 501, 701, 702, 703, 709])
@pytest.mark.parametrize(
    ("action", "name"),
    [("UpdatePinhole", "update"), ("DeletePinhole", "delete"), ("GetPinholePackets", "exists")],
)
async def test_a_refusal_is_not_taken_for_absence(
    fake: FakeFirewall, action: str, name: str, code: int
) -> None:
    control = await connect(fake)
    number = await control.add(TCP, 600)
    fake.faults[action] = code
    arguments = (number, 600) if name == "update" else (number,)
    with pytest.raises(ActionRefused) as caught:
        await getattr(control, name)(*arguments)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("pinhole", "fault", "reason"),
    [
        (Pinhole(OTHER, 8123, Transport.TCP), None, Forbidden.OTHER_HOST),
        (Pinhole(OTHER, 443, Transport.TCP), None, Forbidden.OTHER_HOST),
        (Pinhole(OWN, 1023, Transport.TCP), None, Forbidden.LOW_PORT),
        (Pinhole(OWN, 1024, Transport.TCP), 606, Forbidden.NOT_PERMITTED),
    ],
)
async def test_what_is_forbidden_names_what_to_open_by_hand(
    fake: FakeFirewall, pinhole: Pinhole, fault: int | None, reason: Forbidden
) -> None:
    control = await connect(fake)
    if fault:
        fake.faults["AddPinhole"] = fault
    with pytest.raises(PinholeForbidden) as caught:
        await control.add(pinhole, 600)
    assert (caught.value.code, caught.value.translation_key) == (606, f"pinhole_{reason}")
    assert caught.value.reason is reason
    assert caught.value.placeholders == {
        "code": "606",
        "client": str(pinhole.client),
        "port": str(pinhole.port),
        "protocol": "TCP",
    }
    assert not fake.holes


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("allowed", [True, False])
async def test_the_state_of_the_firewall(
    fake: FakeFirewall, *, enabled: bool, allowed: bool
) -> None:
    fake.enabled, fake.allowed = enabled, allowed
    assert await (await connect(fake)).firewall() == FirewallStatus(enabled, allowed)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_there_is_no_pinhole_to_no_port(port: int) -> None:
    """Port 0 is every port of the machine, and some gateways cut larger numbers to 16 bits."""
    with pytest.raises(ValueError):
        Pinhole(OWN, port, Transport.TCP)
