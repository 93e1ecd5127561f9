"""What its files and its README tell people to do starts a prober that answers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import os
from pathlib import Path
import re
import resource
import shlex
import shutil
import ssl
import sys
from typing import Final, NamedTuple

import aiohttp
import pytest

from prober.config import digest_of
from tests.fakes.program import Started
from tests.lab.tls import Authority

from .asking import SECRET, as_proxy

FOLDER: Final = Path(__file__).parents[2] / "prober"
README: Final = (FOLDER / "README.md").read_text("utf-8")
UNIT: Final = (FOLDER / "homeport-prober.service").read_text("utf-8")
CALLER: Final = "11.22.64.1"
BEHIND_A_PROXY: Final = f"""\
listen = ["127.0.0.1:0"]
proxies = ["127.0.0.1"]
[[tokens]]
sha256 = "{digest_of(SECRET)}"
"""


class Running(NamedTuple):
    """A prober: the address and port of its ready line, and its process."""

    place: str
    process: int

    @property
    def memory(self) -> int:
        """Return the bytes that it has in memory (proc(5), /proc/PID/statm)."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * resource.getpagesize()


@asynccontextmanager
async def started(
    command: list[str], place: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """Run what is to start it in a folder."""
    # All that Python may know of this project is what lies in that folder.
    known = {"PATH": os.environ["PATH"], **(environment or {})}
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=place,
        env=known,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(10):
        line = (await process.stdout.readline()).decode()
    program = Started(process, line)
    try:
        assert line.startswith("ready "), (await process.communicate())[1].decode()
        yield Running(line.split()[1], process.pid)
    finally:
        if process.returncode is None:
            assert await program.end() == 0
        await process.communicate()


async def tells_the_caller(http: aiohttp.ClientSession, prober: Running) -> None:
    """See to it that it answers its proxy, and only who has a token."""
    url = f"http://{prober.place}/json"
    async with http.get(url, headers=as_proxy(CALLER)) as said:
        assert (said.status, await said.json()) == (200, {"ip": CALLER})
    async with http.get(url, headers=as_proxy(CALLER, Authorization="Bearer x")) as said:
        assert said.status == 401


def steps_of_the_container() -> dict[str, list[str]]:
    """Return the arguments of each instruction, those of several of one kind behind each other."""
    steps: dict[str, list[str]] = {}
    for line in (FOLDER / "Containerfile").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, arguments = line.partition(" ")
            steps.setdefault(name, []).append(arguments)
    return steps


async def test_container(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    """Copy what it copies, start what it starts; its Python is the one that runs the tests."""
    steps = steps_of_the_container()
    assert steps.keys() == {"FROM", "RUN", "COPY", "WORKDIR", "USER", "ENV", "ENTRYPOINT"}
    root, config = tmp_path / "root", tmp_path / "config"
    [copied] = steps["COPY"]
    pattern, target = copied.split()
    inside = root / target.strip("/")
    inside.mkdir(parents=True)
    for file in FOLDER.glob(pattern):
        shutil.copy(file, inside)
    config.mkdir()
    (config / "prober.toml").write_text(BEHIND_A_PROXY)
    [entry], [work], [user] = steps["ENTRYPOINT"], steps["WORKDIR"], steps["USER"]
    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", user)
    python, *arguments = re.findall(r'"([^"]*)"', entry)
    assert python == "python"
    command = [sys.executable, *(each.replace("/config", str(config)) for each in arguments)]
    environment = dict(each.split("=", 1) for each in steps["ENV"])
    async with started(command, root / work.strip("/"), environment) as prober:
        await tells_the_caller(http, prober)
    # Its file system cannot be written to.
    assert not list(root.rglob("__pycache__"))


def settings(name: str) -> list[str]:
    """Return what the unit says under a name."""
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


async def test_service(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    """Give it copies of the files that systemd would, and start what systemd would."""
    [work], [start] = settings("WorkingDirectory"), settings("ExecStart")
    assert work in README
    for credential in settings("LoadCredential"):
        name, _, path = credential.partition(":")
        assert f"`{name}`" in README
        assert Path(path).parent.as_posix() in README
    (tmp_path / "prober.toml").write_text(BEHIND_A_PROXY)
    python, *arguments = shlex.split(start.replace("%d", str(tmp_path)))
    assert python == "/usr/bin/python3"
    environment = dict(each.split("=", 1) for each in settings("Environment"))
    # The project's folder is that of the README, so the folder above.
    async with started([sys.executable, *arguments], FOLDER.parent, environment) as prober:
        await tells_the_caller(http, prober)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
async def test_systemd_knows_every_setting(tmp_path: Path) -> None:
    copy = tmp_path / "homeport-prober.service"
    # It looks whether there is that folder and that program, which is so on its own machine only.
    unit = re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT, flags=re.MULTILINE)
    copy.write_text(re.sub(r"^WorkingDirectory=.*", "", unit, flags=re.MULTILINE))
    process = await asyncio.create_subprocess_exec(
        *("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    ours = [line for line in said.splitlines() if copy.name in line]
    assert (ours, process.returncode) == ([], 0)


async def test_readme(
    http: aiohttp.ClientSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Do the steps of "Start it", one by one."""
    block = README.partition("## Start it")[2].partition("Run it where")[0]
    commands = [line.partition("#")[0].strip() for line in block.splitlines() if line[:4] == "    "]
    install, new_token, copy, start = commands
    assert install == "pip install aiohttp"
    shutil.copytree(FOLDER, tmp_path / "prober", ignore=shutil.ignore_patterns("__pycache__"))

    told = await ran(new_token, tmp_path)
    secret = told.splitlines()[1]
    assert (await ran(copy, tmp_path)) == ""
    # "Put those two lines there, and the certificate".
    settings = tmp_path / "prober.toml"
    text = settings.read_text("utf-8").replace(":8443", ":0")
    zeros = f'[[tokens]]\nsha256 = "{"0" * 64}"'
    assert zeros in text
    settings.write_text(text.replace(zeros, "\n".join(told.splitlines()[-2:])), "utf-8")
    authority = Authority(tmp_path)
    certificate = authority.issue("127.0.0.1")
    certificate.certificate.rename(tmp_path / "fullchain.pem")
    certificate.key.rename(tmp_path / "privkey.pem")

    trust = ssl.create_default_context(cafile=authority.bundle)
    async with started(as_here(start), tmp_path) as prober:
        url = f"https://127.0.0.1:{prober.place.rpartition(':')[2]}/json"
        headers = {"Authorization": f"Bearer {secret}"}
        # From its own machine nobody is served.
        async with http.get(url, ssl=trust, headers=headers) as said:
            assert (said.status, await said.json()) == (403, {"error": "caller_refused"})


def as_here(command: str) -> list[str]:
    """Return a command of the README with the Python that runs the tests."""
    program, *arguments = shlex.split(command)
    return [sys.executable if program == "python3" else program, *arguments]


async def ran(command: str, place: Path) -> str:
    """Run a command of the README, and return what it says."""
    process = await asyncio.create_subprocess_exec(
        *as_here(command), cwd=place, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def test_a_crowd_fits_into_the_memory_that_the_service_may_have(tmp_path: Path) -> None:
    """Have connections that are encrypted, and say nothing."""
    crowd = 200
    authority = Authority(tmp_path)
    certificate = authority.issue("127.0.0.1")
    (tmp_path / "prober.toml").write_text(
        'listen = ["127.0.0.1:0"]\n'
        f'certificate = "{certificate.certificate}"\nkey = "{certificate.key}"\n'
        f'[[tokens]]\nsha256 = "{digest_of(SECRET)}"\n'
    )
    command = [sys.executable, "-m", "prober", "--config", str(tmp_path / "prober.toml")]
    trust = ssl.create_default_context(cafile=authority.bundle)
    async with started(command, FOLDER.parent, {"PYTHONDONTWRITEBYTECODE": "1"}) as prober:
        host, _, port = prober.place.rpartition(":")

        async def connect() -> asyncio.StreamWriter:
            _, writer = await asyncio.open_connection(host, int(port), ssl=trust)
            return writer

        first = await connect()
        before = prober.memory
        writers = await asyncio.gather(*(connect() for _ in range(crowd)))
        each = (prober.memory - before) / crowd
        for writer in (first, *writers):
            writer.transport.abort()
    [most], [descriptors] = settings("MemoryMax"), settings("LimitNOFILE")
    assert most.endswith("M")
    assert before + each * int(descriptors) < int(most[:-1]) << 20
