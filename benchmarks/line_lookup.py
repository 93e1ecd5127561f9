"""How long the line room takes to look something up, without any network."""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address
from time import perf_counter

from custom_components.homeport.line import classify
from custom_components.homeport.line.carriers import by_ipv6, by_provisioning, by_reverse_name
from custom_components.homeport.line.mape import MapE, find_rule, find_rule_by_ipv4, load
from custom_components.homeport.line.portset import PortSet, infer
from tests.line.scenarios import SCENARIOS

from .home import Home
from .measure import Benchmark, Series

_CALLS = 1000
_HOME = IPv6Address("240b:10:3f6c:d400::1")
_LAST_HOME = IPv6Address("240d:f:d000::1")
_NO_HOME = IPv6Address("2a00:77:77:ff::1")
_PUBLIC = IPv4Address("106.72.63.108")
_PORTS = PortSet(4, 8, 212)
_SAMPLES = tuple((2001 + block, first) for block, (first, _) in enumerate(_PORTS.ranges()))
_RULES = load().rules
_HOMES = {name: evidence for name, (evidence, _) in SCENARIOS.items()}
_TXT = "v=v6mig-1 url=https://prod.v6mig.v6connect.net/cpe/v1/config t=b"

_LOOKUPS: dict[str, Callable[[], object]] = {
    "rule of an IPv6 address": lambda: find_rule(_LAST_HOME),
    "the same with the standard library, network by network": lambda: next(
        rule for rule in _RULES if _LAST_HOME in rule.ipv6
    ),
    "rule of an address that has none": lambda: find_rule(_NO_HOME),
    "rule of an IPv4 address": lambda: find_rule_by_ipv4(_PUBLIC),
    "IPv4, PSID and ports of a home": lambda: MapE.from_ipv6(_HOME),
    "port in the set": lambda: 8123 in _PORTS,
    "nearest port of the set": lambda: _PORTS.nearest(8123),
    "port set out of 15 samples": lambda: infer(_SAMPLES),
    "carrier by IPv6 address": lambda: by_ipv6(_HOME),
    "carrier by reverse name": lambda: by_reverse_name("10.2.0.192.shared.user.transix.jp"),
    "carrier by TXT record": lambda: by_provisioning(_TXT),
    "the whole line, MAP-E": lambda: classify(_HOMES["v6プラス"]),
    "the whole line, MAP-E in a home gateway": lambda: classify(
        _HOMES["v6プラス in an NTT home gateway before the router"]
    ),
    "the whole line, an unknown port set": lambda: classify(_HOMES["A+P in a second router"]),
    "the whole line, PPPoE": lambda: classify(_HOMES["PPPoE beside IPoE IPv6 of OCN"]),
}


async def run(home: Home, rounds: int) -> Sequence[Series]:
    """Let the lookups take turns, after a calm moment; the home has no part in it."""
    await home.calm()
    table = Series("reading the rule table, once")
    series = {name: Series(f"{name}, {_CALLS} times") for name in _LOOKUPS}
    for _ in range(rounds):
        table.seconds.append(_seconds(load.__wrapped__, 1))
        for name, look_up in _LOOKUPS.items():
            series[name].seconds.append(_seconds(look_up, _CALLS))
    return [table, *series.values()]


def _seconds(call: Callable[[], object], times: int) -> float:
    begin = perf_counter()
    for _ in range(times):
        call()
    return perf_counter() - begin


BENCHMARK = Benchmark(
    name="line-lookup",
    title="Looking up what an address or a name says of the line",
    method=f"""\
In one process, without any network. A lookup is called {_CALLS} times in a row, so that the figures
in milliseconds are those of a single call in microseconds. Reading the rule table includes reading
and checking its file, which is in the cache of the operating system. The peer of the rule look-up
is what one would write first: asking each of the 440 networks of Python's own ipaddress module.""",
    rounds=30,
    run=run,
)
