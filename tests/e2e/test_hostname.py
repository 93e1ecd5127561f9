"""A hostname that follows the line: real events of the router, a real name server, dyndns2."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import pytest
import pytest_asyncio

from tests.lab import Authority, Bind, Lab
from tests.lab.bind import new_secret
from tests.lab.fixtures import MakeLab
from tests.lab.home import MINIUPNPD, NET, ROUTER, WAN, home as home_topology
from tests.lab.peers import STUN, outside
from tests.lab.python_module import PythonModule

from .api import ApiError, FlowKind
from .homeport import DOMAIN, Homeport
from .server import HomeAssistantServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAME = "home.dyn.example"
SECOND = "second.dyn.example"
DYNDNS2 = f"https://{NET}:8443/nic/update"


@pytest.fixture(scope="module")
def home(make_lab: MakeLab, authority: Authority) -> Lab:
    """Build the home with a name server and a dyndns2 service outside."""
    certificate = authority.issue(NET)
    dyndns2 = PythonModule(
        namespace="net",
        module="tests.fakes.dyndns2",
        arguments=(
            *("--host", NET, "--port", "8443", "--control-port", "8082"),
            *("--cert", str(certificate.certificate), "--key", str(certificate.key)),
            *("--user", "me", "--password", "right", "--hostname", SECOND),
        ),
        listens=((NET, 8443), ("127.0.0.1", 8082)),
    )
    bind = Bind(namespace="net", addresses=(NET,), records=("home A 192.0.2.1",))
    return make_lab(home_topology(MINIUPNPD, bind, dyndns2, outside(authority.issue(NET)), STUN))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def homeport(hass_server: HomeAssistantServer) -> AsyncIterator[Homeport]:
    """Set Homeport up with the router's address."""
    yield await Homeport.set_up(hass_server, ROUTER)


def rfc2136(home: Lab, **changes: str) -> dict[str, str]:
    """Return a filled-in form for the lab's name server."""
    form = {
        "hostname": NAME,
        "server": NET,
        "key_name": "homeport",
        "key_secret": home.daemon(Bind).keys["homeport."],
        "key_algorithm": "hmac-sha256",
        "ttl": "60",
    }
    return form | changes


async def published(home: Lab, name: str, address: str, within: float = 5) -> None:
    """Wait until the name server itself answers with this address alone."""
    bind = home.daemon(Bind)
    async with asyncio.timeout(within):
        while bind.lookup(home["net"], name, "A") != {address}:
            await asyncio.sleep(0.002)


async def requests_to_dyndns2(home: Lab) -> int:
    """Return how many requests the dyndns2 service has seen."""
    async with (
        home["net"].http_session() as session,
        session.get("http://127.0.0.1:8082/requests") as answer,
    ):
        return len(await answer.json())


async def test_record_is_set_when_added(homeport: Homeport, home: Lab) -> None:
    hostname = await homeport.add_hostname("rfc2136", **rfc2136(home))
    await published(home, NAME, WAN)
    await homeport.state("status", "ok", hostname)
    await homeport.state("published_ipv4", WAN, hostname)


async def test_record_follows_the_router_within_a_second(homeport: Homeport, home: Lab) -> None:
    took = []
    for last in 51, 52, 53, 54, 1:
        address = f"11.22.33.{last}"
        begin = monotonic()
        home.change_wan(address)
        await published(home, NAME, address, within=1)
        took.append(monotonic() - begin)
    await homeport.state("public_ipv4", WAN, within=15)
    shown = ", ".join(f"{seconds * 1000:.0f}" for seconds in took)
    print(f"\nWAN address change to A record: {shown} ms")  # noqa: T201


async def test_action_sends_on_demand(homeport: Homeport, home: Lab) -> None:
    status = await homeport.entity("status", await subentry_of(homeport, NAME))
    for chosen in {"entity_id": [status]}, {"config_entry_id": homeport.entry_id}:
        answer = await homeport.server.call_service("homeport.update_ddns", response=True, **chosen)
        sent = {"status": "ok", "ipv4": WAN, "ipv6": None, "reply": "NOERROR"}
        assert answer == {"hostnames": {NAME: sent}}
    await published(home, NAME, WAN)


async def test_wrong_key_asks_for_the_right_one(homeport: Homeport, home: Lab) -> None:
    server = homeport.server
    right = home.daemon(Bind).keys["homeport."]
    name = "other.dyn.example"
    wrong = rfc2136(home, hostname=name, key_secret=new_secret())
    hostname = await homeport.add_hostname("rfc2136", **wrong)
    await homeport.state("status", "wrong_credentials", hostname)
    # Another address is no reason to try again with the same key.
    home.change_wan("11.22.33.61")
    await published(home, NAME, "11.22.33.61")
    assert home.daemon(Bind).lookup(home["net"], name, "A") == set()
    flow = await reauth_flow(server)
    step = await server.answer_flow(
        FlowKind.CONFIG,
        flow["flow_id"],
        {"key_name": "homeport", "key_secret": right, "key_algorithm": "hmac-sha256"},
    )
    assert (step["type"], step["reason"]) == ("abort", "reauth_successful")
    await published(home, name, "11.22.33.61")
    await homeport.state("status", "ok", hostname)
    home.change_wan(WAN)
    await published(home, name, WAN)
    await homeport.remove(hostname)


async def test_dyndns2_over_https(homeport: Homeport, home: Lab) -> None:
    form = {"hostname": SECOND, "server": DYNDNS2, "username": "me"}
    hostname = await homeport.add_hostname("dyndns2", **form, password="wrong")
    await homeport.state("status", "wrong_credentials", hostname)
    asked = await requests_to_dyndns2(home)
    assert asked == 1
    flow = await reauth_flow(homeport.server)
    step = await homeport.server.answer_flow(
        FlowKind.CONFIG, flow["flow_id"], {"username": "me", "password": "right"}
    )
    assert (step["type"], step["reason"]) == ("abort", "reauth_successful")
    await homeport.state("status", "ok", hostname)
    await homeport.state("published_ipv4", WAN, hostname)
    assert await requests_to_dyndns2(home) == asked + 1
    await homeport.remove(hostname)


async def test_duplicate_hostname_is_a_form_error(homeport: Homeport, home: Lab) -> None:
    step = await homeport.server.run_flow(
        FlowKind.SUBENTRY,
        (homeport.entry_id, "hostname"),
        {"next_step_id": "rfc2136"},
        rfc2136(home, hostname="HOME.dyn.example."),
    )
    assert step["errors"] == {"hostname": "hostname_taken"}
    await homeport.server.abort_flow(FlowKind.SUBENTRY, step["flow_id"])


async def test_action_without_hostname_is_refused(homeport: Homeport) -> None:
    with pytest.raises(ApiError) as refused:
        await homeport.server.call_service(
            "homeport.update_ddns", response=True, entity_id=["sun.sun"]
        )
    assert refused.value.details["translation_key"] == "not_a_hostname"


async def test_no_secret_and_no_error_in_the_log(homeport: Homeport, home: Lab) -> None:
    log: str = await asyncio.to_thread(Path.read_text, homeport.server.log)
    for secret in home.daemon(Bind).keys["homeport."], "right", "wrong":
        assert f"{secret}" not in log.replace("wrong_credentials", "")
    assert "Traceback" not in log
    assert "Detected" not in log


async def subentry_of(homeport: Homeport, title: str) -> str:
    """Return the id of the subentry with a title."""
    found = await homeport.server.subentries(homeport.entry_id)
    return next(subentry["subentry_id"] for subentry in found if subentry["title"] == title)


async def reauth_flow(server: HomeAssistantServer) -> dict[str, str]:
    """Return the flow that asks for new credentials."""
    async with asyncio.timeout(5):
        while True:
            for flow in await server.discovered(DOMAIN):
                if flow["context"]["source"] == "reauth":
                    return {"flow_id": flow["flow_id"]}
            await asyncio.sleep(0.02)
