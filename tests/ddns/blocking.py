"""Sends one update in a fresh interpreter and prints every import and open in the event loop.

Arguments: server, hostname, key name, key secret. Prints the reply, then the offences, one a line.
"""

import asyncio
from ipaddress import IPv4Address, IPv6Address
import sys
import threading

import aiohttp

from custom_components.homeport.ddns import PROVIDERS, Target

LOOP = threading.get_ident()
offences: list[str] = []
watching = False


def watch(event: str, args: tuple[object, ...]) -> None:
    """Note what would block the event loop."""
    if watching and event in ("import", "open") and threading.get_ident() == LOOP:
        offences.append(f"{event} {args[0]}")


async def main(server: str, hostname: str, key_name: str, key_secret: str) -> None:
    """Make the provider and send, being watched."""
    global watching  # noqa: PLW0603
    assert not any(name.split(".")[0] == "dns" for name in sys.modules), "dnspython is loaded early"
    await asyncio.to_thread(int)  # the standard library imports its thread pool at first use
    async with aiohttp.ClientSession() as session:
        watching = True
        provider = await PROVIDERS["rfc2136"].create(
            session, {"server": server, "key_name": key_name, "key_secret": key_secret}
        )
        answer = await provider.update(
            hostname, Target(ipv4=IPv4Address("192.0.2.77"), ipv6=IPv6Address("2001:db8::77"))
        )
        watching = False
    assert "dns.update" in sys.modules
    print(answer.reply, *offences, sep="\n")  # noqa: T201


sys.addaudithook(watch)
asyncio.run(main(*sys.argv[1:]))
