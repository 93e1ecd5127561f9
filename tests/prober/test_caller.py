"""A caller is who it is, whatever it says of itself."""

from contextlib import suppress
from ipaddress import ip_address, ip_network

from hypothesis import given, strategies as st
import pytest

from prober.caller import find_caller
from prober.refused import Refused
from tests.fuzz import fuzz

PROXIES = (ip_network("10.0.0.1"), ip_network("11.99.0.0/24"), ip_network("2a00:99::1"))


def found(peer: str | None, tls: bool, hops: list[str], proto: list[str]) -> str:
    try:
        return str(find_caller(peer, tls, PROXIES, hops, proto))
    except Refused as err:
        return err.code if err.status == 403 else str(err.status)


@pytest.mark.parametrize(
    ("peer", "caller"),
    [
        ("11.22.33.44", "11.22.33.44"),
        ("::ffff:11.22.33.44", "11.22.33.44"),
        ("2a00:77::1", "2a00:77::1"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_without_a_proxy_it_is_the_peer_and_headers_say_nothing(peer: str, caller: str) -> None:
    for hops in [], ["11.22.33.99"], ["10.0.0.1"], ["nonsense"]:
        for proto in [], ["https"], ["http"]:
            assert found(peer, True, hops, proto) == caller
            assert found(peer, False, hops, proto) == "https_only"


@pytest.mark.parametrize(
    ("hops", "caller"),
    [
        (["11.22.33.44"], "11.22.33.44"),
        (["1.1.1.1, 11.22.33.44"], "11.22.33.44"),
        (["1.1.1.1", "11.22.33.44"], "11.22.33.44"),
        (["1.1.1.1,11.22.33.44,11.99.0.7"], "11.22.33.44"),
        (["1.1.1.1,11.22.33.44", "11.99.0.7, 2a00:99::1"], "11.22.33.44"),
        (["::ffff:11.22.33.44"], "11.22.33.44"),
        (["nonsense, 2a00:77::1"], "2a00:77::1"),
        (["127.0.0.1"], "127.0.0.1"),
        ([], "proxy"),
        ([""], "proxy"),
        (["11.22.33.44,"], "proxy"),
        (["11.22.33.44, nonsense"], "proxy"),
        (["11.22.33.44:1234"], "proxy"),
        (["[2a00:77::1]"], "proxy"),
        (["unknown"], "proxy"),
        (["10.0.0.1"], "proxy"),
        (["11.99.0.1, 10.0.0.1"], "proxy"),
        (["11.22.33.44," * 200 + "11.22.33.44"], "proxy"),
    ],
)
def test_behind_a_proxy_it_is_the_last_hop_that_is_none(hops: list[str], caller: str) -> None:
    for peer in "10.0.0.1", "::ffff:10.0.0.1", "11.99.0.200":
        assert found(peer, False, hops, ["https"]) == caller
        assert found(peer, True, hops, ["https"]) == caller


@pytest.mark.parametrize(
    "proto", [[], [""], ["http"], ["HTTPS"], ["https", "https"], ["https,http"], ["http, https"]]
)
def test_behind_a_proxy_https_has_to_be_said(proto: list[str]) -> None:
    for tls in True, False:
        assert found("10.0.0.1", tls, ["11.22.33.44"], proto) == "https_only"


def test_without_a_peer_there_is_no_caller() -> None:
    assert found(None, True, [], []) == "proxy"


@fuzz
@given(
    st.lists(st.text(max_size=30) | st.ip_addresses().map(str), max_size=3),
    st.sampled_from(["10.0.0.1", "11.22.33.44"]),
)
def test_any_header_is_taken(hops: list[str], peer: str) -> None:
    with suppress(Refused):
        caller = find_caller(peer, True, PROXIES, hops, ["https"])
        assert caller == ip_address(peer) or not any(caller in each for each in PROXIES)
