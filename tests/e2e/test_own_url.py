"""Home Assistant's own port: where its external URL leads, and what its certificate is worth."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
import ssl
from typing import Any

from tests.lab import Authority, Lab
from tests.lab.build import build
from tests.lab.fixtures import require
from tests.lab.home import LAN, MINIUPNPD, NET, ROUTER, WAN, home as home_topology
from tests.lab.peers import STUN, outside
from tests.lab.python_module import PythonModule
from tests.lab.tls import Certificate

from .api import FlowKind, Json
from .homeport import OUTSIDE, Homeport
from .own_url_lab import DatedAuthority, HttpsServer, front, lead, trusting
from .prober_lab import ask_own_prober, own_prober
from .server import HomeAssistantServer

PORT, OUTER = 8123, 18_123
NAME, OTHER = "home.dyn.example", "other.dyn.example"
NEIGHBOUR = "11.22.33.77"
URL = f"https://{NAME}:{OUTER}"
SHUT = """
table inet shut {
  chain forward {
    type filter hook forward priority filter - 10; policy accept;
    iifname "wan0" tcp dport 8123 drop
  }
}
"""

type Said = tuple[str, str | None]
PASSED, UNKNOWN, NOT_NEEDED = ("passed", None), ("unknown", None), ("not_needed", None)
SEEN = ("reachable", "nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """How things are, and what is said of them.

    - `leads`: the addresses of the name in the URL
    - `shows`: which certificate is shown, "plain" for none, "nobody" where nobody listens
    - `path`: whether somebody outside gets through, and is there to look: "open", "shut", "unseen"
    - `days`: for how many days more the certificate is valid
    """

    what: str
    url: str = URL
    leads: tuple[str, ...] = (WAN,)
    shows: str = "valid"
    path: str = "open"
    seen: tuple[str | None, str] = SEEN
    name: Said = PASSED
    certificate: Said = PASSED
    next_step: str | None = None
    days: float | None = 40


CELLS = (
    Cell(what="all is well"),
    Cell(
        what="leads elsewhere",
        leads=(NEIGHBOUR,),
        name=("failed", "elsewhere"),
        next_step="name_elsewhere",
    ),
    Cell(
        what="leads home and elsewhere",
        leads=(WAN, NEIGHBOUR),
        name=("failed", "elsewhere"),
        next_step="name_elsewhere",
    ),
    Cell(
        what="there is no such name",
        leads=(),
        name=("failed", "missing"),
        next_step="name_missing",
    ),
    Cell(
        what="has no IPv4 address",
        leads=("2a00:77:77:1::10",),
        name=("failed", "missing"),
        next_step="name_missing",
    ),
    Cell(what="ends soon", shows="soon", days=3),
    Cell(
        what="for another name",
        shows="other",
        certificate=("failed", "other_name"),
        next_step="certificate_other_name",
    ),
    Cell(
        what="the URL has another name",
        url=f"https://{OTHER}:{OUTER}",
        certificate=("failed", "other_name"),
        next_step="certificate_other_name",
    ),
    Cell(
        what="expired",
        shows="expired",
        certificate=("failed", "expired"),
        next_step="certificate_expired",
        days=-2,
    ),
    Cell(
        what="nobody trusts it",
        shows="untrusted",
        certificate=("failed", "untrusted"),
        next_step="certificate_untrusted",
    ),
    Cell(
        what="HTTPS in the URL alone",
        shows="plain",
        certificate=("failed", "none"),
        next_step="certificate_none",
        days=None,
    ),
    Cell(
        what="plain HTTP",
        url=f"http://{NAME}:{OUTER}",
        shows="plain",
        certificate=NOT_NEEDED,
        days=None,
    ),
    Cell(
        what="both are wrong",
        leads=(NEIGHBOUR,),
        shows="expired",
        name=("failed", "elsewhere"),
        certificate=("failed", "expired"),
        next_step="name_elsewhere",
        days=-2,
    ),
    Cell(
        what="filtered",
        path="shut",
        seen=("timed_out", "filtered"),
        next_step="filtered",
    ),
    Cell(
        what="nobody looks",
        path="unseen",
        seen=(None, "prober_failed"),
        next_step="prober_failed",
    ),
    Cell(
        what="at its loopback alone",
        shows="nobody",
        seen=("refused", "bound_to_loopback"),
        certificate=UNKNOWN,
        next_step="bound_to_loopback",
        days=None,
    ),
)


async def test_own_url(authority: Authority, tmp_path: Path) -> None:
    prober = own_prober(authority, tmp_path)
    daemons = (MINIUPNPD, outside(authority.issue(NET)), STUN, *prober.daemons)
    require({name: of for daemon in daemons for name, of in daemon.needs.items()})
    dated, stranger = (DatedAuthority(tmp_path / each) for each in ("dated", "stranger"))
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.bundle.read_bytes() + dated.bundle.read_bytes())
    certificates: dict[str, Certificate | None] = {
        "valid": dated.issue_for(NAME, end=40),
        "soon": dated.issue_for(NAME, end=3),
        "other": dated.issue_for("somewhere.example", end=40),
        "expired": dated.issue_for(NAME, begin=-90, end=-2),
        "untrusted": stranger.issue_for(NAME, end=40),
        "plain": None,
    }
    folder, config = tmp_path / "lab", tmp_path / "config"
    folder.mkdir()
    environment = {"REQUESTS_CA_BUNDLE": str(trusted)}
    with build(home_topology(*daemons, names=True), folder) as lab:
        lead(lab, OTHER, WAN)
        async with HomeAssistantServer(
            config, inside=lab["lan"], environment=environment
        ) as server:
            homeport = await Homeport.set_up(server, ROUTER, {**OUTSIDE, "prober_url": ""})
            await ask_own_prober(homeport, prober)
            await homeport.state("line_mode", "public")
            port = await add_own_port(homeport)
            await homeport.switch(port, on=True)
            async with front(lab["lan"], LAN, PORT, certificates["valid"]):
                lead(lab, NAME, WAN)
                assert await fetch_from_outside(lab, trusted) == "Home Assistant"
            for cell in CELLS:
                lead(lab, NAME, *cell.leads)
                async with shown(lab, cell, certificates):
                    said = await check(homeport, port, cell.url)
                compare(cell, said)
            said = await check(homeport, port, None)
            assert {"name", "certificate"}.isdisjoint(each["step"] for each in said["steps"])
        lead(lab, NAME, WAN)
        itself = dated.issue_for(NAME, "127.0.0.1", end=40)
        with trusting(lab["lan"], trusted) as inside:
            async with HttpsServer(
                config, itself, inside=inside, environment=environment
            ) as server:
                homeport = Homeport(server, homeport.entry_id)
                await homeport.state("line_mode", "public")
                await homeport.state("open", "on", port)
                assert await fetch_from_outside(lab, trusted) == "Home Assistant"
                for cell in (
                    Cell(what="shown by itself"),
                    Cell(
                        what="by itself, for another",
                        url=f"https://{OTHER}:{OUTER}",
                        certificate=("failed", "other_name"),
                        next_step="certificate_other_name",
                    ),
                ):
                    compare(cell, await check(homeport, port, cell.url))
                log = server.log.read_text()
    assert "Traceback" not in log
    assert prober.token not in log


async def add_own_port(homeport: Homeport) -> str:
    """Add Home Assistant's own port, which wants to be confirmed expressly."""
    server, handler = homeport.server, (homeport.entry_id, "port")
    form = {
        "name": "Home Assistant",
        "protocol": "TCP",
        "internal_port": str(PORT),
        "external_port": str(OUTER),
    }
    step = await server.run_flow(FlowKind.SUBENTRY, handler, form)
    assert step["step_id"] == "danger"
    for understood in (False, True):
        assert step["type"] == "form", step
        step = await server.answer_flow(
            FlowKind.SUBENTRY, step["flow_id"], {"understood": understood}
        )
    return await homeport._added(step, "Home Assistant")


async def fetch_from_outside(lab: Lab, trusted: Path) -> str:
    """Return whose page the internet gets under the URL."""
    context = ssl.create_default_context(cafile=trusted)
    async with (
        lab["net"].http_session() as session,
        session.get(
            f"https://{WAN}:{OUTER}/manifest.json", ssl=context, server_hostname=NAME
        ) as answer,
    ):
        return str((await answer.json(content_type=None))["name"])


@asynccontextmanager
async def shown(
    lab: Lab, cell: Cell, certificates: dict[str, Certificate | None]
) -> AsyncIterator[None]:
    """Have it as the cell says."""
    with path(lab, cell.path):
        if cell.shows == "nobody":
            yield
            return
        async with front(lab["lan"], LAN, PORT, certificates[cell.shows]):
            yield


@contextmanager
def path(lab: Lab, how: str) -> Iterator[None]:
    """Have the way from outside as it is to be."""
    prober = lab.daemon(PythonModule, "prober")
    if how == "shut":
        lab["rtr"].run("nft", "-f", "-", stdin=SHUT)
    if how == "unseen":
        lab.stop(prober)
    yield
    if how == "shut":
        lab["rtr"].run("nft", "delete", "table", "inet", "shut")
    if how == "unseen":
        lab.start(prober)


async def check(homeport: Homeport, port: str, url: str | None) -> Json:
    """Return what a check over IPv4 says while Home Assistant has this external URL."""
    await homeport.server.ws_call("config/core/update", external_url=url)
    entity = await homeport.entity("reachability", port)
    said: dict[str, Any] = await homeport.server.call_service(
        "homeport.check_port", target={"entity_id": entity}, response=True
    )
    answer: Json = said[entity]["ipv4"]
    return answer


def compare(cell: Cell, said: Json) -> None:
    """Print a cell, and see whether what is said of it is right."""
    steps = {each["step"]: (each["state"], each["detail"]) for each in said["steps"]}
    days = None
    if said["certificate_expires"]:
        left = datetime.fromisoformat(said["certificate_expires"]) - datetime.now(UTC)
        assert abs(said["certificate_days"] - left.total_seconds() / 86400) < 0.2, said
        days = round(left.total_seconds() / 86_400, 2)
    print(  # noqa: T201
        f"\n{cell.what:25} {said['reachability']}, {said['blocked_by']}; "
        f"name {steps['name']}; certificate {steps['certificate']}, {days} days; "
        f"next {said['next_step']}: {said['advice']}",
        end="",
    )
    assert (said["reachability"], said["blocked_by"]) == cell.seen, (cell.what, said)
    assert (steps["name"], steps["certificate"]) == (cell.name, cell.certificate), cell.what
    assert said["next_step"] == cell.next_step, cell.what
    assert (days is None) == (cell.days is None), cell.what
    assert days is None or abs(days - (cell.days or 0)) < 0.1, cell.what
    if cell.next_step is None:
        assert said["advice"] is None, cell.what
        return
    assert said["advice"].endswith((".", ":")) or cell.next_step == "filtered", cell.what
    assert not set("{}_") & set(said["advice"]), cell.what
    if cell.next_step.startswith(("name", "certificate")):
        host = cell.url.split("/")[2].partition(":")[0]
        assert cell.next_step == "certificate_none" or host in said["advice"], cell.what
