"""The pinholes of a gateway that speaks UPnP, kept as they are wanted."""

import asyncio
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import replace
from ipaddress import IPv6Address

import pytest
import pytest_socket

from custom_components.homeport.gateway import (
    ActionRefused,
    Firewall,
    FirewallPlace,
    GatewayUnreachable,
    Hole,
    Memory,
    Pinhole,
    PinholeForbidden,
    PinholeUnsupported,
    Transport,
)
from custom_components.homeport.gateway.pinhole_way import PinholeNotClosed
from custom_components.homeport.ports import KeptPinhole, PinholeKeeper, PinholeState
from tests.fakes.igd.firewall import FakeFirewall
from tests.fakes.reply import Reply

OWN = IPv6Address("::1")
A = Pinhole(OWN, 8123, Transport.TCP)
B = Pinhole(OWN, 8124, Transport.UDP)
ELSEWHERE = Pinhole(IPv6Address("2a00:77:77:1::20"), 8123, Transport.TCP)


class Home:
    """A gateway, a keeper with its memory, and the clock of both."""

    def __init__(self, fake: FakeFirewall, time: list[float]) -> None:
        self.fake = fake
        self.time = time
        self.saved: list[dict[str, list[Hole]]] = []
        self.keeper = self.new_keeper({})
        self.firewall = self.new_firewall()

    def new_keeper(self, remembered: dict[str, list[Hole]]) -> PinholeKeeper:
        async def save() -> None:
            self.saved.append(deepcopy(remembered))

        return PinholeKeeper(remembered, save, now=lambda: self.time[0])

    def new_firewall(self) -> Firewall:
        return Firewall(FirewallPlace((OWN,), (OWN,), self.fake.location), Memory())

    async def keep(self, wanted: Pinhole | None, port_id: str = "a") -> KeptPinhole:
        return await self.keeper.keep(self.firewall, port_id, lambda: wanted)

    def restart(self) -> None:
        """Let the gateway forget everything, and count its ids from 1 again."""
        self.fake.holes.clear()
        self.fake._last_id = 0

    @property
    def open(self) -> set[tuple[str, int]]:
        return {(hole.client, hole.port) for hole in self.fake.holes.values()}

    def asked(self, action: str) -> int:
        return sum(1 for name, _ in self.fake.requests if name == action)


@pytest.fixture(autouse=True)
def _ipv6_loopback(socket_enabled: None) -> None:
    pytest_socket.socket_allow_hosts(["::1"])


@pytest.fixture(params=[False, True], ids=["704", "402"])
async def home(request: pytest.FixtureRequest) -> AsyncIterator[Home]:
    time = [1_000_000.0]
    async with FakeFirewall(clock=lambda: time[0], unknown_402=request.param) as fake:
        home = Home(fake, time)
        yield home
        await home.firewall.stop()


async def test_open_read_renewed_and_closed(home: Home) -> None:
    assert (await home.keep(None)).state is PinholeState.CLOSED
    assert not home.fake.requests
    assert (await home.keep(A)).state is PinholeState.OPEN
    assert home.open == {("::1", 8123)}
    assert (await home.keep(A)).state is PinholeState.OPEN
    assert home.asked("AddPinhole") == 1
    home.time[0] += 3600
    kept = await home.keep(A)
    assert kept.state is PinholeState.OPEN
    assert kept.hole
    assert kept.hole.ends == home.time[0] + 7200
    assert home.asked("AddPinhole") == 2
    assert (await home.keep(None)).state is PinholeState.CLOSED
    assert home.open == set()
    assert home.keeper.remembered == {}
    assert home.saved[-1] == {}


async def test_what_is_asked_for_is_saved_before(home: Home) -> None:
    """A crash at any moment leaves nothing behind that nobody knows of."""
    ends: list[float] = []
    answer = home.fake._firewall["AddPinhole"]

    def add(arguments: dict[str, object]) -> dict[str, object]:
        assert home.saved, "asked for before it was saved"
        ends.append(home.saved[-1]["a"][0].ends)
        return answer(arguments)

    home.fake._firewall["AddPinhole"] = add
    await home.keep(A)
    home.time[0] += 4000
    await home.keep(A)
    assert ends == [1_007_200, 1_011_200]


async def test_a_crash_after_the_request_can_be_made_good(home: Home) -> None:
    await home.keep(A)
    before_the_answer = home.saved[0]
    assert before_the_answer["a"][0].number is None
    home.keeper = home.new_keeper(before_the_answer)
    assert (await home.keep(None)).state is PinholeState.CLOSED
    assert home.open == set()


async def test_another_address_or_port(home: Home) -> None:
    await home.keep(A)
    assert (await home.keep(B)).state is PinholeState.OPEN
    assert home.open == {("::1", 8124)}
    assert [hole.pinhole for hole in home.keeper.remembered["a"]] == [B]


async def test_a_gateway_that_restarted_gets_all_again(home: Home) -> None:
    await home.keep(A, "a")
    await home.keep(B, "b")
    home.restart()
    # What was opened last comes first: each has the id that was the other one's.
    assert (await home.keep(B, "b")).state is PinholeState.OPEN
    assert (await home.keep(A, "a")).state is PinholeState.OPEN
    assert home.open == {("::1", 8123), ("::1", 8124)}
    await home.keep(None, "b")
    assert home.open == {("::1", 8123)}


async def test_after_a_restart_no_other_one_is_closed(home: Home) -> None:
    await home.keep(A, "a")
    await home.keep(B, "b")
    home.restart()
    home.firewall = home.new_firewall()
    await home.keep(B, "b")  # with the id of the other one
    assert (await home.keep(None, "a")).state is PinholeState.CLOSED
    assert home.open == {("::1", 8124)}


async def test_gone_behind_our_back(home: Home) -> None:
    await home.keep(A)
    home.fake.holes.clear()
    assert (await home.keep(A)).state is PinholeState.OPEN
    assert home.open == {("::1", 8123)}


async def test_a_gateway_that_cannot_be_asked_is_believed(home: Home) -> None:
    home.fake.faults["GetPinholePackets"] = 401
    assert (await home.keep(A)).state is PinholeState.OPEN
    assert (await home.keep(A)).state is PinholeState.OPEN
    assert home.asked("AddPinhole") == 1
    assert (await home.keep(None)).state is PinholeState.CLOSED
    assert home.open == set()


async def test_what_is_not_there_after_all_is_missing(home: Home) -> None:
    home.fake.faults["GetPinholePackets"] = 704
    assert (await home.keep(A)).state is PinholeState.MISSING


async def test_said_to_be_closed_and_still_there(home: Home) -> None:
    await home.keep(A)
    home.fake._firewall["DeletePinhole"] = lambda _: {}
    with pytest.raises(PinholeNotClosed):
        await home.keep(None)
    assert home.keeper.remembered["a"]


async def test_a_firewall_that_is_off_needs_no_pinhole(home: Home) -> None:
    home.fake.enabled = False
    assert (await home.keep(A)).state is PinholeState.FIREWALL_OFF
    assert home.keeper.remembered == {}
    home.fake.enabled = True
    assert (await home.keep(A)).state is PinholeState.OPEN


async def test_a_refusal_leaves_nothing_to_remember(home: Home) -> None:
    home.fake.allowed = False
    with pytest.raises(ActionRefused) as refused:
        await home.keep(A)
    assert refused.value.code == 703
    assert home.keeper.remembered == {}
    assert home.saved[-1] == {}


async def test_a_renewal_that_is_refused_does_not_forget(home: Home) -> None:
    await home.keep(A)
    [hole] = home.keeper.remembered["a"]
    home.time[0] += 3600
    home.fake.faults["AddPinhole"] = 701
    with pytest.raises(ActionRefused):
        await home.keep(A)
    assert home.keeper.remembered["a"] == [hole]
    del home.fake.faults["AddPinhole"]
    assert (await home.keep(None)).state is PinholeState.CLOSED
    assert home.open == set()


async def test_another_hosts_is_forbidden(home: Home) -> None:
    with pytest.raises(PinholeForbidden) as refused:
        await home.keep(ELSEWHERE)
    assert refused.value.translation_key == "pinhole_other_host"


async def test_one_that_cannot_be_closed_does_not_keep_the_new_one_out(home: Home) -> None:
    await home.keep(A)
    home.fake.faults["DeletePinhole"] = [501]
    kept = await home.keep(B)
    assert kept.state is PinholeState.OPEN
    assert isinstance(kept.left, ActionRefused)
    assert (await home.keep(B)).left is None
    assert home.open == {("::1", 8124)}


async def test_an_address_that_is_ours_no_more(home: Home) -> None:
    await home.keep(A)
    [hole] = home.keeper.remembered["a"]
    old = replace(hole, source=IPv6Address("2a00:77:77:9::1"))
    home.keeper.remembered["a"] = [old]
    assert (await home.keep(None)).state is PinholeState.CLOSED
    assert home.keeper.remembered["a"] == [old]
    home.time[0] += 7200
    await home.keep(None)
    assert home.keeper.remembered == {}


async def test_a_gateway_without_any_way(home: Home) -> None:
    home.firewall = Firewall(FirewallPlace((OWN,), (), home.fake.location), Memory())
    with pytest.raises(PinholeUnsupported) as refused:
        await home.keep(A)
    assert refused.value.placeholders == {"client": "::1", "port": "8123", "protocol": "TCP"}
    home.firewall = Firewall(FirewallPlace((), (OWN,), home.fake.location), Memory())
    with pytest.raises(PinholeUnsupported):
        await home.keep(A)


async def test_no_answer_to_the_request(home: Home) -> None:
    """It may have been opened: it stays remembered, and is closed with the next chance."""
    assert await home.firewall.ways(OWN)
    control = home.fake.control
    home.fake.control = Reply(drop=True)
    with pytest.raises(GatewayUnreachable):
        await home.keep(A)
    assert [hole.number for hole in home.keeper.remembered["a"]] == [None]
    home.fake.control = control
    assert (await home.keep(None)).state is PinholeState.CLOSED
    assert home.keeper.remembered == {}


async def test_close_all(home: Home) -> None:
    await asyncio.gather(home.keep(A, "a"), home.keep(B, "b"))
    home.keeper = home.new_keeper(home.keeper.remembered)
    await home.keeper.close_all(home.firewall)
    assert home.open == set()
    assert (await home.keep(A)).state is PinholeState.CLOSED, "opened after the end"


async def test_close_all_tries_every_one(home: Home) -> None:
    await home.keep(A, "a")
    await home.keep(B, "b")
    home.fake.faults["DeletePinhole"] = [501]
    with pytest.raises(ActionRefused):
        await home.keeper.close_all(home.firewall)
    assert home.open == {("::1", 8123)}
    assert home.keeper.remembered.keys() == {"a"}
