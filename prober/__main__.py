"""python3 -m prober [--config FILE]: serve until SIGTERM; --new-token: make a token."""

import argparse
import asyncio
from asyncio import sslproto
from contextlib import suppress
import logging
from pathlib import Path
import resource
import secrets
import signal
import sys
from typing import Final

from .config import Config, ConfigError, digest_of, load_config
from .server import served
from .service import Service

_DESCRIPTORS: Final = 8192
"""Two for each of the most knocks, and as many for who comes beside them."""
_TLS_BUFFER: Final = 4096
"""Bytes that are read at once from an encrypted connection. asyncio sets 256 KiB aside for each, as
for large files: a thousand callers would take 390 MB, where a question has a few hundred bytes."""


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python3 -m prober", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("prober.toml"), metavar="FILE")
    parser.add_argument("--new-token", action="store_true", help="print one, and serve nothing")
    arguments = parser.parse_args()
    if arguments.new_token:
        secret = secrets.token_urlsafe(32)
        print(f"For Homeport:\n{secret}\n")
        print(f'For prober.toml:\n[[tokens]]\nsha256 = "{digest_of(secret)}"')
        return
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    _take_descriptors()
    sslproto.SSLProtocol.max_size = _TLS_BUFFER
    try:
        asyncio.run(_serve(load_config(arguments.config)))
    except (ConfigError, OSError) as err:
        sys.exit(f"prober: {arguments.config}: {err}")


async def _serve(config: Config) -> None:
    """Say where it listens, in a line of its own, and serve until it is to end."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    async with served(config, Service(config).app()) as places:
        where = (f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in places)
        print("ready", *where, flush=True)
        await end.wait()


def _take_descriptors() -> None:
    """Take enough, if there may be as many: often there are 1024."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = _DESCRIPTORS if most == resource.RLIM_INFINITY else min(_DESCRIPTORS, most)
    if now != resource.RLIM_INFINITY and now < enough:
        with suppress(OSError, ValueError):  # where that is forbidden
            resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))


if __name__ == "__main__":
    main()
