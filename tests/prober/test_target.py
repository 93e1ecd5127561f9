"""What is dialled is the caller's own, or what a name of the token leads to, and nothing else."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from prober.address import is_allowed
from prober.question import Question, Transport
from prober.refused import Refused
from prober.target import find_target, resolve

type IPAddress = IPv4Address | IPv6Address

CALLER, CALLER6 = ip_address("11.22.33.44"), ip_address("2a00:77:77:1::10")
NAMES = {"home": "home.example.net"}


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Let it try which addresses are its own."""


async def target(
    caller: IPAddress, *found: str, name: str | None = None, address: str | None = None
) -> str | None:
    """Return what is dialled, or why nothing is; `found` is what the resolver says."""
    asked: list[tuple[str, int]] = []

    async def scripted(hostname: str, version: int) -> list[IPAddress]:
        asked.append((hostname, version))
        return [ip_address(each) for each in found]

    meant = ip_address(address) if address else None
    question = Question(Transport.TCP, 8123, name=name, address=meant)
    try:
        address_ = await find_target(question, caller, NAMES, is_allowed, scripted)
    except Refused as err:
        return err.code
    if name is not None:
        # Once: what was looked at is what is dialled, however often the answer changes.
        assert asked == [("home.example.net", (meant or caller).version)]
    return str(address_) if address_ else None


@pytest.mark.parametrize(
    ("caller", "address", "dialled"),
    [
        (CALLER, None, "11.22.33.44"),
        (CALLER, "11.22.33.44", "11.22.33.44"),
        (CALLER, "11.22.33.45", None),
        (CALLER, "192.168.1.1", None),
        (CALLER, "2a00:77:77:1::10", None),
        (CALLER, "::ffff:11.22.33.44", None),
        (CALLER6, None, "2a00:77:77:1::10"),
        (CALLER6, "2a00:77:77:1::20", "2a00:77:77:1::20"),
        (CALLER6, "2a00:77:77:2::10", None),
        (CALLER6, "11.22.33.44", None),
        (CALLER6, "::1", None),
    ],
)
async def test_without_a_name(caller: IPAddress, address: str | None, dialled: str | None) -> None:
    assert await target(caller, address=address) == dialled


@pytest.mark.parametrize(
    ("found", "address", "dialled"),
    [
        (["11.22.40.77"], None, "11.22.40.77"),
        (["11.22.40.77"], "11.22.40.77", "11.22.40.77"),
        (["11.22.40.77", "11.22.40.78"], "11.22.40.78", "11.22.40.78"),
        (["11.22.40.77"], "11.22.40.78", None),
        (["11.22.40.77"], "11.22.33.44", None),  # the caller's, but another one is meant
        ([], None, "name_unresolved"),
        (["192.168.1.1"], None, "address_refused"),
        (["127.0.0.1"], "127.0.0.1", "address_refused"),
        (["169.254.169.254"], None, "address_refused"),
        (["11.22.40.77", "127.0.0.1"], "11.22.40.77", "address_refused"),
        (["2a00:99::1"], "2a00:99::1", "2a00:99::1"),
        (["::ffff:127.0.0.1"], "::ffff:127.0.0.1", "address_refused"),
        (["64:ff9b::7f00:1"], "64:ff9b::7f00:1", "address_refused"),
        (["fe80::1%1"], None, "address_refused"),
    ],
)
async def test_with_a_name(found: list[str], address: str | None, dialled: str | None) -> None:
    assert await target(CALLER, *found, name="home", address=address) == dialled


async def test_a_name_of_nobody_is_refused() -> None:
    question = Question(Transport.TCP, 8123, name="neighbour")
    with pytest.raises(Refused, match="unknown_name"):
        await find_target(question, CALLER, NAMES, is_allowed, resolve)


async def test_its_own_network_may_have_this_machine_in_it() -> None:
    """The /64 of a caller does not make the prober itself the caller's."""
    allowed = {CALLER6}.__contains__
    with pytest.raises(Refused, match="address_refused"):
        await find_target(
            Question(Transport.TCP, 1, address=ip_address("2a00:77:77:1::1")),
            CALLER6,
            {},
            allowed,
            resolve,
        )
