import asyncio, time, json
import pytest, pytest_asyncio
from tests.lab.build import build
from tests.lab.lines import LINES
from tests.lab.lines.outside import ADDRESSES, STUN, echo
from .homeport import Homeport
from .server import HomeAssistantServer
from .test_every_line import OUTSIDE

@pytest.mark.parametrize("name", LINES)
async def test_dump(name, authority, tmp_path):
    t=[time.monotonic()]
    line = LINES[name](STUN, echo(authority.issue(*ADDRESSES)))
    folder = tmp_path / "lab"; folder.mkdir()
    with build(line.topology, folder) as lab:
        t.append(time.monotonic())
        server = HomeAssistantServer(tmp_path/"config", inside=lab["lan"], environment={"REQUESTS_CA_BUNDLE": str(authority.bundle)})
        await server.start()
        t.append(time.monotonic())
        try:
            hp = await Homeport.set_up(server, line.location, OUTSIDE)
            t.append(time.monotonic())
            said = await hp.detect_line()
            t.append(time.monotonic())
            st = {e["unique_id"].removeprefix(hp.entry_id+"_"): server.states.get(e["entity_id"],{}).get("state") for e in await server.entities(hp.entry_id)}
            t.append(time.monotonic())
        finally:
            await server.stop(within=0)
        t.append(time.monotonic())
    t.append(time.monotonic())
    for key in "reasons", "remedies": said[key] = [e["key"] for e in said[key]]
    for key in "mode", "ipv6_mode", "carrier", "ipv4_openable", "ipv6_openable":
        if (said[key] or ("none" if key=="ipv6_mode" else "")) != getattr(line, key): print("   DIFF", key, said[key], getattr(line,key))
    if said["public_ipv4"] not in (line.public or (None,)): print("   DIFF public", said["public_ipv4"], line.public)
    if [tuple(map(int,p.split("-"))) for p in said["ports"] or ()] != list(line.ports): print("   DIFF ports", said["ports"], line.ports)
    if (said["wan_ipv4"] or "") != line.wan: print("   DIFF wan", said["wan_ipv4"], line.wan)
    print(name, {k: v for k, v in said.items() if k!="ports"})
    print("   ", st)
    print("   TIMES lab %.1f start %.1f setup %.1f detect %.1f ents %.1f stop %.1f unlab %.1f" % tuple(b-a for a,b in zip(t,t[1:])))
