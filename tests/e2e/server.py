"""A real Home Assistant in a process of its own."""

import asyncio
from collections.abc import Mapping
import json
import os
from pathlib import Path
import sys
import time
from typing import Any, Self

import aiohttp

from tests.lab.host import Host

from .api import HomeAssistantApi

CUSTOM_COMPONENTS = Path(__file__).parents[2] / "custom_components"

CONFIGURATION = """\
homeassistant:
  name: Home
  country: JP
  currency: JPY
  language: en
  latitude: 35.0
  longitude: 139.0
  elevation: 0
  unit_system: metric
  time_zone: Asia/Tokyo
frontend:
history:
logbook:
recorder:
  commit_interval: 1
ssdp:
automation: []
"""

RESTART_EXIT_CODE = 100
"""How it ends when somebody asks it to restart (homeassistant.const, the same name)."""


class ServerError(Exception):
    """Home Assistant did not start."""


class HomeAssistantServer(HomeAssistantApi):
    """A server with one user, an owner, and that user's API. Used as a context or by start, stop.

    `config_dir` keeps everything: started there once more, the server is the one it was before.
    """

    def __init__(
        self,
        config_dir: Path,
        *,
        inside: Host | None = None,
        host: str = "127.0.0.1",
        port: int = 8123,
        user: str = "demo",
        password: str = "demo",
        environment: Mapping[str, str] | None = None,
        configuration: str = "",
    ) -> None:
        """Take where it lives and how.

        `inside` is a machine of the lab, else it runs in this network. `host` is the IPv4 address
        that it listens on. `environment` is added to this process's. `configuration` is YAML behind
        the built-in one, such as a `logger:` section.
        """
        super().__init__()
        self.config_dir = config_dir
        self.url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
        self.started_in = 0.0
        """Seconds from the start of the process until every integration was set up."""
        self._inside = inside
        self._listen = {"server_host": [host], "server_port": port}
        self._credentials = user, password
        self._environment = {**os.environ, **(environment or {})}
        self._configuration = CONFIGURATION + configuration
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def log(self) -> Path:
        """The file with all that it has written to its console."""
        return self.config_dir / "console.log"

    async def start(self, within: float = 120) -> None:
        """Start it, log in, and wait until every integration is set up. Raises ServerError."""
        start = time.monotonic()
        try:
            await self._start(within)
        except BaseException:
            await self.stop()
            raise
        self.started_in = time.monotonic() - start

    async def stop(self, within: float = 30) -> None:
        """End it as a service manager would, and wait until it is gone."""
        await self.close()
        if self._process and self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(within):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._process = None

    async def restart(self) -> None:
        """Stop it and start it again, with everything it has stored."""
        await self.stop()
        await self.start()

    async def ended(self) -> int:
        """Wait until it ends by itself and return its exit code, RESTART_EXIT_CODE for one."""
        if not self._process:
            raise ServerError("it was not started")
        return await self._process.wait()

    async def _start(self, within: float) -> None:
        self._write_configuration()
        argv = [sys.executable, "-m", "homeassistant", "--config", str(self.config_dir)]
        if self._inside:
            argv = self._inside.command(*argv)
        new_session = self._inside.http_session if self._inside else aiohttp.ClientSession
        session = new_session(base_url=self.url)
        try:
            await self._require_free(session)
            await self._launch(argv)
            async with asyncio.timeout(within):
                while not await self._listens(session):
                    await asyncio.sleep(0.05)
                token = await log_in(session, self.url, *self._credentials)
        except BaseException:
            await session.close()
            raise
        async with asyncio.timeout(within):
            await self.open(session, token)
            while (await self.rest("GET", "/api/config"))["state"] != "RUNNING":
                await asyncio.sleep(0.02)

    async def _require_free(self, session: aiohttp.ClientSession) -> None:
        # Home Assistant would go on without its own listener, and we would talk to the other.
        if await self._listens(session):
            raise ServerError(f"another server is at {self.url}")

    async def _launch(self, argv: list[str]) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                # Not in the checkout: its custom_components would be found twice.
                cwd=self.config_dir,
            )

    def _write_configuration(self) -> None:
        storage = self.config_dir / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        (self.config_dir / "configuration.yaml").write_text(self._configuration)
        components = self.config_dir / "custom_components"
        if not components.exists():
            components.symlink_to(CUSTOM_COMPONENTS)
        # In the oldest format, which every version migrates. The YAML section `http:` is only a
        # trial: unless a user confirms it, the server is back on its default port in five minutes.
        http = {"version": 1, "key": "http", "data": self._listen}
        (storage / "http").write_text(json.dumps(http))
        onboarding = storage / "onboarding"
        if not onboarding.exists():
            # These steps would set up integrations that need the internet.
            done = {"done": ["core_config", "analytics", "integration"]}
            onboarding.write_text(json.dumps({"version": 4, "key": "onboarding", "data": done}))

    async def _listens(self, session: aiohttp.ClientSession) -> bool:
        if self._process and self._process.returncode is not None:
            last = self.log.read_text(errors="replace")[-2000:]
            raise ServerError(f"ended with {self._process.returncode}: {last}")
        try:
            async with session.get("/auth/providers") as response:
                return response.status in {200, 400}
        except aiohttp.ClientConnectionError:
            return False


async def log_in(session: aiohttp.ClientSession, url: str, username: str, password: str) -> str:
    """Return an access token, good for half an hour, of the user, who is made if need be."""
    client = {"client_id": f"{url}/"}
    credentials = {"username": username, "password": password}
    async with session.get("/api/onboarding") as response:
        # Once it is done, the address is gone.
        new = response.ok and not all(step["done"] for step in await response.json())
    if new:
        user = client | credentials | {"name": username.title(), "language": "en"}
        code = (await _post(session, "/api/onboarding/users", user))["auth_code"]
    else:
        handler = {"handler": ["homeassistant", None], "redirect_uri": f"{url}/"}
        flow = await _post(session, "/auth/login_flow", client | handler)
        path = f"/auth/login_flow/{flow['flow_id']}"
        code = (await _post(session, path, client | credentials))["result"]
    grant = client | {"grant_type": "authorization_code", "code": code}
    async with session.post("/auth/token", data=grant) as response:
        response.raise_for_status()
        token: str = (await response.json())["access_token"]
        return token


async def _post(session: aiohttp.ClientSession, path: str, data: Mapping[str, Any]) -> Any:
    async with session.post(path, json=data) as response:
        response.raise_for_status()
        return await response.json()
