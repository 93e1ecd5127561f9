"""A prober is asked only about what it dials: a port of this home, and of no other."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from aiohttp import ClientSession
import pytest

from custom_components.homeport.const import HostedProber
from custom_components.homeport.coordinator.probers import Aim, At, Probers, seen_at
from custom_components.homeport.line import LineMode, LineReport
from custom_components.homeport.options import LineOptions, OwnProberOptions
from custom_components.homeport.outside import Family, IPAddress, ProbeTransport

EVERYBODY: dict[str, Any] = {
    "prober_url": "https://ifconfig.example",
    "hosted_probers": tuple(HostedProber),
}
OWN = OwnProberOptions("https://prober.example:8443", "secret")
NAMED = OwnProberOptions("https://prober.example:8443", "secret", "pppoe")
HOSTED = {"check_host", "globalping", "portchecker"}
TCP, UDP = ProbeTransport


def probers(**options: Any) -> Probers:
    def session(_: Family, __: IPAddress | None) -> AbstractAsyncContextManager[ClientSession]:
        raise AssertionError("nobody is asked here")

    return Probers(Store(), lambda: LineOptions(**options), session, lambda: lambda _: True)


class Store:
    """What is remembered of the limits: nothing."""

    def __init__(self) -> None:
        self.limits: dict[str, dict[str, float | None]] = {}


@pytest.mark.parametrize(
    ("transport", "family", "at", "own", "asked"),
    [
        (TCP, 4, At.US, OWN, {"own", "echoip", *HOSTED}),
        (TCP, 6, At.US, OWN, {"own", "echoip", "globalping"}),
        (UDP, 4, At.US, OWN, {"own"}),
        (TCP, 4, At.US, None, {"echoip", *HOSTED}),
        (UDP, 4, At.US, None, set()),
        (TCP, 6, At.NEIGHBOUR, OWN, {"own"}),
        (TCP, 6, At.NEIGHBOUR, None, set()),
        # Who dials its caller would knock at the address that is shared with other homes.
        (TCP, 4, At.OTHER_EXIT, OWN, HOSTED),
        (TCP, 4, At.OTHER_EXIT, NAMED, {"own", *HOSTED}),
        (UDP, 4, At.OTHER_EXIT, NAMED, {"own"}),
        (UDP, 4, At.OTHER_EXIT, OWN, set()),
    ],
)
def test_who_is_asked(
    transport: ProbeTransport, family: Family, at: At, own: OwnProberOptions | None, asked: set[str]
) -> None:
    able = probers(own_prober=own, **EVERYBODY).able(Aim(transport, family, at))
    assert {each.kind for each in able} == asked
    if "own" in asked:
        assert able[0].kind == "own", "the one that proves most comes first"


@pytest.mark.parametrize(
    ("mode", "family", "own_target", "at"),
    [
        (LineMode.PUBLIC, 4, True, At.US),
        (LineMode.PUBLIC, 4, False, At.US),
        (LineMode.PUBLIC, 6, True, At.US),
        (LineMode.PUBLIC, 6, False, At.NEIGHBOUR),
        (LineMode.TWO_EXITS, 4, False, At.OTHER_EXIT),
        (LineMode.TWO_EXITS, 6, True, At.US),
        (None, 4, True, At.US),
    ],
)
def test_where_a_port_is(mode: LineMode | None, family: Family, own_target: bool, at: At) -> None:
    assert seen_at(LineReport(mode=mode), family, own_target=own_target) is at
