"""A Home Assistant that is killed while its ports are played with, and what must be true then."""

import asyncio
from dataclasses import dataclass, field, replace
from random import Random
from time import monotonic

from tests.lab import Host, Lab
from tests.lab.home import SRV

from .api import ApiError
from .homeport import Homeport
from .keeper_control import Rule, rules
from .server import HomeAssistantServer

HELD = 18699
"""An external port that is another device's all the time."""
FIRST = 30000
FOREIGN = {
    Rule(HELD, SRV, 9, "console", 0),
    Rule(18698, SRV, 22, "Homeport", 0),
    Rule(18697, "192.168.77.10", 8080, "another program here", 0),
}
"""Rules of others: one is in the way, one has nearly our name, one leads to our machine."""
_PORTS = 4
_TOUCHES = 3
"""How many touch the ports at the same time."""
_REPLACED, _FOR_A_TIME = 0.1, 0.3
"""How many of the touches replace a port, and how many openings have an end."""
_CONVERGES_WITHIN = 20.0


class MortalServer(HomeAssistantServer):
    """One that can be killed."""

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await self.close()
        self._process = None


@dataclass(slots=True)
class Wish:
    """A port, and whether it is to be open, as far as it was answered for.

    - `open`: what the last answered command wanted
    - `unsure`: whether a command was under way when the end came: either may be so
    """

    subentry: str
    external_port: int
    open: bool = False
    unsure: bool = False
    busy: bool = False


@dataclass(slots=True)
class Chaos:
    """One router, one Home Assistant, and all the ports that were ever added."""

    lab: Lab
    homeport: Homeport[MortalServer]
    location: str
    random: Random
    wishes: list[Wish] = field(default_factory=list)
    commands: int = 0
    _next_port: int = FIRST
    _over: bool = False

    @property
    def server(self) -> MortalServer:
        """Return Home Assistant."""
        return self.homeport.server

    async def begin(self) -> None:
        """Add the rules of others, and the first ports."""
        for each in FOREIGN:
            add_foreign(self.lab["lan"], self.location, each)
        await self.add(HELD)
        while len(self.wishes) <= _PORTS:
            await self.add()
        # Home Assistant saves a new entry a second later; one that it forgets knows of no rules.
        stored = self.server.config_dir / ".storage" / "core.config_entries"
        async with asyncio.timeout(10):
            while not stored.exists() or self.homeport.entry_id not in stored.read_text():
                await asyncio.sleep(0.05)

    async def add(self, external_port: int | None = None) -> None:
        """Add a port; without a number at one that none ever had."""
        if external_port is None:
            external_port, self._next_port = self._next_port, self._next_port + 1
        # Known before it is there: the answer may not come any more.
        wish = Wish("", external_port, unsure=True)
        self.wishes.append(wish)
        wish.subentry = await self.homeport.add_port(
            f"Port {external_port}",
            internal_client=SRV,
            internal_port="8080",
            external_port=str(external_port),
        )
        wish.unsure = False

    async def play(self, seconds: float) -> None:
        """Turn, add and remove ports until Home Assistant is killed after so many seconds."""
        self._over = False
        self.commands = 0
        touching = [asyncio.create_task(self._touch_on()) for _ in range(_TOUCHES)]
        await asyncio.wait(touching, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        self._over = True
        await self.server.kill()
        for each in touching:
            each.cancel()
        for result in await asyncio.gather(*touching, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def kill_while_starting(self, seconds: float) -> None:
        """Start Home Assistant, and kill it after so many seconds."""
        starting = asyncio.create_task(self.server.start())
        await asyncio.wait([starting], timeout=seconds)
        await self.server.kill()
        # Who waits for its answers would wait for long.
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await self.server.kill()

    async def settled(self) -> float:
        """Wait until the router shows what is wanted; return the seconds. Raises AssertionError."""
        begin = monotonic()
        said = "nothing yet"
        while monotonic() < begin + _CONVERGES_WITHIN:
            said = await self._wrong()
            if not said:
                return monotonic() - begin
            await asyncio.sleep(0.1)
        raise AssertionError(said)

    def left_behind(self) -> str:
        """Say in what state the router was left."""
        table = {rule.external_port for rule in rules(self.lab, self.location)}
        ours = table - {each.external_port for each in FOREIGN}
        wanted = {each.external_port for each in self.wishes if each.open} - {HELD}
        unsure = {each.external_port for each in self.wishes if each.unsure}
        return (
            f"{self.commands} commands done, {len(unsure)} cut off; {len(ours)} open, "
            f"{len(ours - wanted - unsure)} too many, {len(wanted - ours - unsure)} missing"
        )

    async def forget_doubts(self) -> None:
        """Take what is there after a restart for what is wanted, where a command was cut off.

        A port that Home Assistant had not saved yet is gone, and one whose removal it had not is
        there again.
        """
        known = {wish.external_port: wish for wish in self.wishes}
        self.wishes = []
        for port, subentry in (await self._subentries()).items():
            wish = known.get(port) or Wish(subentry, port, unsure=True)
            if wish.unsure:
                wish.open = await self._shown(subentry) == "on"
            wish.subentry, wish.busy, wish.unsure = subentry, False, False
            self.wishes.append(wish)
        if HELD not in {wish.external_port for wish in self.wishes}:
            await self.add(HELD)
        while len(self.wishes) <= _PORTS:
            await self.add()

    async def _touch_on(self) -> None:
        try:
            while True:
                free = [each for each in self.wishes if not each.busy and each.subentry]
                wish = self.random.choice(free)
                wish.busy = wish.unsure = True
                if self.random.random() < _REPLACED and wish.external_port != HELD:
                    await self._replace(wish)
                else:
                    await self._turn(wish)
                wish.busy = wish.unsure = False
                self.commands += 1
        except Exception:
            # What it was told while it was being killed it does not answer in any certain way.
            if not self._over:
                raise

    async def _replace(self, wish: Wish) -> None:
        """Remove a port, open or not, and add another one."""
        await self.homeport.remove(wish.subentry)
        self.wishes.remove(wish)
        await self.add()

    async def _turn(self, wish: Wish) -> None:
        """Open what is closed, for a time or without end; close what is open."""
        wanted = not wish.open
        try:
            if wanted and self.random.random() < _FOR_A_TIME:
                await self.server.call_service(
                    "homeport.open_port",
                    entity_id=await self.homeport.entity("open", wish.subentry),
                    duration={"hours": 1},
                )
            else:
                await self.homeport.switch(wish.subentry, on=wanted)
        except ApiError as err:
            # Another device has the port; it is wanted all the same.
            if err.details.get("translation_key") != "foreign_mapping":
                raise
        wish.open = wanted

    async def _wrong(self) -> str:
        """Say what is not as it should be; nothing if all is."""
        table = await asyncio.to_thread(rules, self.lab, self.location)
        if lost := FOREIGN - {replace(rule, lease=0) for rule in table}:
            return f"rules of others are gone: {lost}"
        ours = {rule.external_port for rule in table} - {each.external_port for each in FOREIGN}
        there = await self._subentries()
        if leaked := ours - there.keys():
            return f"open, and nobody has them: {leaked}"
        for wish in self.wishes:
            port = wish.external_port
            if port in there and port != HELD and not wish.unsure and wish.open != (port in ours):
                return f"port {port} is open: {port in ours}, wanted: {wish.open}"
        for port, subentry in there.items():
            shown = await self._shown(subentry)
            if port != HELD and shown != ("on" if port in ours else "off"):
                return f"port {port} is open: {port in ours}, shown: {shown}"
        return ""

    async def _subentries(self) -> dict[int, str]:
        """Return the ids of the ports that Home Assistant has, by external port."""
        return {
            int(each["title"].removeprefix("Port ")): each["subentry_id"]
            for each in await self.server.subentries(self.homeport.entry_id)
        }

    async def _shown(self, subentry: str) -> str:
        switch = await self.homeport.entity("open", subentry)
        state = self.server.states.get(switch)
        return state["state"] if state else "missing"


def add_foreign(host: Host, location: str, rule: Rule) -> None:
    """Let another program add a rule."""
    host.run(
        *("upnpc", "-u", location, "-e", rule.description, "-a", rule.client),
        *(str(rule.internal_port), str(rule.external_port), "TCP", "0"),
    )
