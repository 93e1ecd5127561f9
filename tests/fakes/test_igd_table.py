"""The rules of the port table, without a network."""

from collections.abc import Iterable

import pytest

from tests.fakes.igd import Entry, Quirk, SoapFault
from tests.fakes.igd.router import Router
from tests.fakes.igd.table import ONE_WEEK, PortTable


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def a_table(
    quirks: Iterable[Quirk] = (), *, clock: Clock | None = None, longest_lease: int | None = None
) -> PortTable:
    return PortTable(clock=clock or Clock(), quirks=frozenset(quirks), longest_lease=longest_lease)


def an_entry(
    external_port: int = 18123,
    *,
    internal_client: str = "192.168.1.10",
    internal_port: int = 8123,
    protocol: str = "TCP",
    lease: int = 0,
) -> Entry:
    return Entry(
        protocol=protocol,
        external_port=external_port,
        internal_client=internal_client,
        internal_port=internal_port,
        lease=lease,
    )


def test_newest_entry_comes_first_and_the_list_ends_with_713() -> None:
    table = a_table()
    for port in (1001, 1002, 1001):
        table.add(an_entry(port))
    assert [table.generic(index).external_port for index in (0, 1)] == [1001, 1002]
    for index in (2, -1):
        with pytest.raises(SoapFault, match="713"):
            table.generic(index)


def test_the_same_client_replaces_its_entry_silently() -> None:
    table = a_table()
    table.add(an_entry(internal_port=8123))
    table.add(an_entry(internal_port=9000))
    assert table.specific(("TCP", 18123, "")).internal_port == 9000
    assert len(table.entries) == 1


def test_another_client_gets_718_and_the_entry_stays() -> None:
    table = a_table()
    table.add(an_entry())
    with pytest.raises(SoapFault, match="718"):
        table.add(an_entry(internal_client="192.168.1.11"))
    assert table.specific(("TCP", 18123, "")).internal_client == "192.168.1.10"


def test_what_is_not_there_is_714() -> None:
    table = a_table()
    table.add(an_entry())
    for missing in (("UDP", 18123, ""), ("TCP", 18124, ""), ("TCP", 18123, "1.2.3.4")):
        with pytest.raises(SoapFault, match="714"):
            table.specific(missing)
        with pytest.raises(SoapFault, match="714"):
            table.delete(missing)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (an_entry(0), 716),
        (an_entry(65_536), 402),
        (an_entry(-1), 402),
        (an_entry(internal_port=0), 402),
        (an_entry(protocol="tcp"), 402),
        (an_entry(internal_client="nas.local"), 402),
        (an_entry(internal_client=""), 402),
    ],
)
def test_bad_arguments_are_refused(bad: Entry, code: int) -> None:
    table = a_table()
    with pytest.raises(SoapFault, match=str(code)):
        table.add(bad)
    assert not table.entries


def test_a_finite_lease_counts_down_and_runs_out() -> None:
    clock = Clock()
    table = a_table(clock=clock)
    table.add(an_entry(1001, lease=60))
    table.add(an_entry(1002, lease=0))
    clock.now += 59.5
    assert table.specific(("TCP", 1001, "")).remaining(clock.now) == 1
    assert not table.expire()
    clock.now += 0.5
    assert table.expire()
    assert [entry.external_port for entry in table.entries.values()] == [1002]
    assert table.specific(("TCP", 1002, "")).remaining(clock.now) == 0


@pytest.mark.parametrize(
    ("asked", "got"), [(0, ONE_WEEK), (60, 60), (ONE_WEEK, ONE_WEEK), (ONE_WEEK + 1, ONE_WEEK)]
)
def test_version_2_has_no_permanent_lease(asked: int, got: int) -> None:
    table = a_table(longest_lease=ONE_WEEK)
    table.add(an_entry(lease=asked))
    assert table.specific(("TCP", 18123, "")).lease == got


@pytest.mark.parametrize(
    ("quirk", "refused", "code", "taken"),
    [
        (Quirk.ONLY_PERMANENT, an_entry(lease=3600), 725, an_entry(lease=0)),
        (Quirk.ONLY_PERMANENT_402, an_entry(lease=3600), 402, an_entry(lease=0)),
        (Quirk.NO_PERMANENT, an_entry(lease=0), 402, an_entry(lease=ONE_WEEK)),
        (Quirk.NO_PERMANENT, an_entry(lease=ONE_WEEK + 1), 402, an_entry(lease=1)),
        (Quirk.SAME_PORT, an_entry(internal_port=8123), 724, an_entry(internal_port=18123)),
    ],
)
def test_quirk_refuses_one_thing_and_takes_the_other(
    quirk: Quirk, refused: Entry, code: int, taken: Entry
) -> None:
    table = a_table([quirk])
    with pytest.raises(SoapFault, match=str(code)):
        table.add(refused)
    assert not table.entries
    table.add(taken)
    assert table.entries
    a_table().add(refused)  # without the quirk it is taken


def test_quirk_conflict_as_501() -> None:
    table = a_table([Quirk.CONFLICT_501])
    table.add(an_entry())
    with pytest.raises(SoapFault, match="501"):
        table.add(an_entry(internal_client="192.168.1.11"))


def test_quirk_finite_leases_vanish() -> None:
    table = a_table([Quirk.FINITE_VANISHES])
    table.add(an_entry(1001, lease=60))
    table.add(an_entry(1002, lease=0))
    assert [entry.external_port for entry in table.entries.values()] == [1002]


def test_quirk_deleting_what_is_missing_succeeds() -> None:
    a_table([Quirk.DELETE_MISSING_OK]).delete(("TCP", 18123, ""))


ARGUMENTS = {
    "NewRemoteHost": "",
    "NewExternalPort": 18123,
    "NewProtocol": "TCP",
    "NewInternalPort": 8123,
    "NewInternalClient": "192.168.1.10",
    "NewEnabled": False,
    "NewPortMappingDescription": "é",
    "NewLeaseDuration": 0,
}


def a_router(wan_address: str, *quirks: Quirk, status: str = "Connected") -> Router:
    return Router(
        wan_address=wan_address,
        connection_status=status,
        quirks=frozenset(quirks),
        clock=Clock(),
        longest_lease=None,
    )


@pytest.mark.parametrize(
    ("router", "caller", "code"),
    [
        (a_router(""), "192.168.1.10", 501),
        (a_router("192.168.0.2", Quirk.REFUSE_PRIVATE_WAN), "192.168.1.10", 501),
        (a_router("100.64.0.2", Quirk.REFUSE_PRIVATE_WAN), "192.168.1.10", 501),
        (a_router("11.22.33.44", Quirk.SECURE_MODE), "192.168.1.11", 718),
    ],
)
def test_router_refuses(router: Router, caller: str, code: int) -> None:
    with pytest.raises(SoapFault, match=str(code)):
        router.answer("AddPortMapping", ARGUMENTS, caller)


@pytest.mark.parametrize(
    "router",
    [
        a_router("192.168.0.2"),
        a_router("100.64.0.2"),
        a_router("192.0.0.2"),
        a_router("11.22.33.44", Quirk.REFUSE_PRIVATE_WAN, Quirk.SECURE_MODE),
        a_router("11.22.33.44", status="Disconnected"),
    ],
)
def test_router_takes_and_a_disabled_mapping_reads_back_enabled(router: Router) -> None:
    router.answer("AddPortMapping", ARGUMENTS, "192.168.1.10")
    key = {name: ARGUMENTS[name] for name in ("NewRemoteHost", "NewExternalPort", "NewProtocol")}
    read = router.answer("GetSpecificPortMappingEntry", key, "192.168.1.10")
    assert read["NewEnabled"] is True
    assert read["NewPortMappingDescription"] == "é"


def test_router_without_connection_shows_no_address() -> None:
    shown = a_router("11.22.33.44", status="Disconnected").answer("GetExternalIPAddress", {}, None)
    assert shown == {"NewExternalIPAddress": ""}
