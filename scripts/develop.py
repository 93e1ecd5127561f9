"""Run a real Home Assistant with Homeport, by default against a simulated home on loopback."""

import argparse
import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
import shutil
import signal
import sys
from typing import Any

from tests.e2e.api import FlowKind
from tests.e2e.server import HomeAssistantServer, ServerError
from tests.fakes.demo import DemoFacts, DemoHome

FOLDER = Path(__file__).parents[1] / ".develop"
PORT = 8123
LOGGER = """\
logger:
  default: warning
  logs:
    custom_components.homeport: debug
"""


async def set_up_demo(server: HomeAssistantServer, facts: DemoFacts) -> None:
    """Go through the same forms as a user: a router, two ports, a hostname."""
    entry = await server.run_flow(
        FlowKind.CONFIG,
        "homeport",
        {"next_step_id": "gateway"},
        {"host": facts.location},
        {
            "echo_urls": [facts.echo_url],
            "stun_servers": [facts.stun_server],
            "prober_url": facts.prober_url,
            "look_up_names": False,
            "look_behind": False,
        },
    )
    entry_id = entry["result"]["entry_id"]
    game = {"internal_port": str(facts.game_port), "external_port": "25565"}
    camera = {"internal_port": "8554", "external_port": "18554", "internal_client": "192.168.1.20"}
    for name, fields in (("Game server", game), ("Camera", camera)):
        await subentry(server, (entry_id, "port"), {"name": name, "protocol": "TCP", **fields}, {})
    ddns = {"server": facts.dyndns2_url, "username": facts.username, "password": facts.password}
    await subentry(
        server,
        (entry_id, "hostname"),
        {"next_step_id": "dyndns2"},
        {"hostname": facts.hostname, **ddns},
    )


async def subentry(
    server: HomeAssistantServer, handler: tuple[str, str], *answers: Mapping[str, Any]
) -> None:
    """Add a port or a hostname."""
    step = await server.run_flow(FlowKind.SUBENTRY, handler, *answers)
    if step["type"] != "create_entry":
        raise ServerError(f"the demo could not be set up: {step}")


async def main(*, real: bool) -> None:
    """Run until a signal to end, or until Home Assistant ends by itself."""
    config_dir = FOLDER / ("real" if real else "demo")
    if not real:
        # A demo that begins the same each time.
        await asyncio.to_thread(shutil.rmtree, config_dir, ignore_errors=True)
    end = asyncio.Event()
    for name in signal.SIGINT, signal.SIGTERM:
        asyncio.get_running_loop().add_signal_handler(name, end.set)
    async with AsyncExitStack() as stack:
        demo = None if real else await stack.enter_async_context(DemoHome())
        say("starting Home Assistant")
        server = await stack.enter_async_context(
            HomeAssistantServer(config_dir, port=PORT, configuration=LOGGER)
        )
        if demo:
            await set_up_demo(server, demo.facts)
            control = f"{demo.facts.control_url}/wan-address"
            say(f"change the simulated router's address: curl -d 11.22.33.99 {control}")
        say(f"http://localhost:{PORT} (user demo, password demo), log: {server.log}")
        say("Ctrl-C ends it")
        ending = asyncio.create_task(end.wait())
        ended = asyncio.create_task(server.ended())
        await asyncio.wait({ending, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in ending, ended:
            task.cancel()
        say("ending")


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(f"develop: {text}", flush=True)  # noqa: T201 - a program that talks to its user


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="develop", description=__doc__)
    parser.add_argument("--real", action="store_true", help="use this network's own router")
    try:
        asyncio.run(main(real=parser.parse_args().real))
    except ServerError as err:
        sys.exit(f"develop: {err}")
