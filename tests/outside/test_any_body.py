"""Whatever the outside sends, there is a good answer or an OutsideError, and nothing else."""

import asyncio
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
import json

import aiohttp
from hypothesis import HealthCheck, example, given, settings, strategies as st

from custom_components.homeport.line import AddressKind, address_kind
from custom_components.homeport.outside import (
    EchoipProber,
    Outcome,
    OutsideError,
    ProbeTransport,
    Question,
    bound_session,
    public_address,
)
from tests.fakes.outside import Outside
from tests.fakes.reply import Reply

G = IPv4Address("11.22.33.44")
PORT = 443
QUESTION = Question(ProbeTransport.TCP, G, PORT)
EXACT = {"ip": str(G), "port": PORT, "reachable": True}

# Global by Python's own table: former 6to4 relays and anycast addresses, which are no home's.
NOT_OURS_BUT_GLOBAL = (IPv4Network("192.88.99.0/24"), IPv4Network("192.0.0.8/29"))

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([str(G), PORT, float(PORT), str(PORT), 1, "true"])
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ip", "port", "reachable", ""]), inner, max_size=4)
    ),
    max_leaves=8,
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "ip": st.just(str(G)) | SCALARS,
        "port": st.just(PORT) | SCALARS,
        "reachable": st.just(value=True) | SCALARS,
    },
)
BODIES = (
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.ip_addresses(v=4).map(lambda ip: str(ip).encode())
    | (ANY_JSON | ANSWERS).map(lambda value: json.dumps(value).encode())
)
THOROUGH = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


async def both(body: bytes) -> tuple[IPv4Address | None, bool | None]:
    """Give the body as the answer to both questions."""
    address = accepted = None
    async with Outside() as outside, aiohttp.ClientSession() as http:
        outside.echo = outside.prober = Reply(body=body)
        with suppress(OutsideError):
            address = (await public_address(http, [outside.url], 4)).address
        with suppress(OutsideError):
            answer = await EchoipProber(bound_session, outside.url).check(QUESTION)
            accepted = answer.outcome is Outcome.ACCEPTED
    return address, accepted


@THOROUGH
@given(BODIES)
@example(json.dumps(EXACT).encode())
@example(json.dumps(EXACT | {"port": float(PORT)}).encode())
@example(b'{"ip": "192.88.99.1"}')
def test_any_body(socket_enabled: None, body: bytes) -> None:
    address, accepted = asyncio.run(both(body))
    if address is not None:
        assert str(address).encode() in body
        nobodys = any(address in block for block in NOT_OURS_BUT_GLOBAL)
        assert address_kind(address) is AddressKind.GLOBAL or nobodys
    if accepted is not None:
        answer = json.loads(body)
        assert {**EXACT, "reachable": accepted} == {name: answer[name] for name in EXACT}
        assert (type(answer["port"]), type(answer["reachable"])) == (int, bool)
