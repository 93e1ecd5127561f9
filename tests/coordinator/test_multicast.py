"""An announcement is news once, however often it is repeated."""

from collections.abc import Mapping
from ipaddress import IPv4Address

import pytest

from custom_components.homeport.coordinator.multicast import Multicast
from custom_components.homeport.gateway import Announcement, Announcer, Epoch

ADDRESS = IPv4Address("11.22.33.44")
PCP, NAT_PMP = Announcer.PCP, Announcer.NAT_PMP


@pytest.mark.parametrize(
    ("said", "losses"),
    [
        # Of a gateway that was not heard before, a young table is one that was lost.
        ([(PCP, 0, 0.0)], 1),
        ([(PCP, 3600, 0.0)], 0),
        # Repeated, as its clock goes on.
        ([(PCP, 0, 0.0), (PCP, 0, 0.25), (PCP, 1, 0.75), (PCP, 2, 1.75)], 1),
        ([(NAT_PMP, 0, 0.0), (NAT_PMP, 0, 0.25), (NAT_PMP, 1, 0.75)], 1),
        # Lost again.
        ([(PCP, 3600, 0.0), (PCP, 3700, 100.0), (PCP, 0, 200.0)], 1),
        ([(NAT_PMP, 3600, 0.0), (NAT_PMP, 0, 200.0)], 1),
        # One protocol's clock says nothing of the other's.
        ([(PCP, 3600, 0.0), (NAT_PMP, 7200, 1.0), (PCP, 3602, 2.0)], 0),
    ],
)
def test_losses(said: list[tuple[Announcer, int, float]], losses: int) -> None:
    lost: list[None] = []
    multicast = Multicast(lambda: lost.append(None), lambda _: None)
    for by, seconds, at in said:
        multicast._heard(Announcement(by, Epoch(seconds, at), None))
    assert len(lost) == losses


def test_an_address_is_told_as_an_event_would_tell_it() -> None:
    hints: list[Mapping[str, str]] = []
    multicast = Multicast(lambda: None, hints.append)
    multicast._heard(Announcement(NAT_PMP, Epoch(3600, 0.0), ADDRESS))
    multicast._heard(Announcement(PCP, Epoch(3600, 0.0), None))
    assert hints == [{"ExternalIPAddress": "11.22.33.44"}]
