"""What routers announce is kept for as long as they say, and nothing else is taken for it.

That changes are noticed is tested in the lab, where addresses and routes can be changed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import errno
import socket

import pytest

from custom_components.homeport.host import Watch

from . import kernel

pytestmark = pytest.mark.usefixtures("asking")

OPENING = "custom_components.homeport.host.watch.open_netlink"
FOR_EVER = 0xFFFFFFFF


class Heard:
    """A watch, and the other end of the socket that it listens to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the socket where the kernel's would be."""
        self.calls = 0
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        monkeypatch.setattr(OPENING, lambda _: self._ours)
        self.watch = Watch(self._count)

    def _count(self) -> None:
        self.calls += 1

    async def say(self, *messages: bytes) -> list[str]:
        """Send each in a datagram, wait until all is done, and return the name servers known."""
        for each in messages:
            self._theirs.send(each)
        async with asyncio.timeout(3):
            # Twice without a task: nothing is in the socket, and nothing is being looked into.
            for _ in range(2):
                await asyncio.sleep(0.01)
                while self.watch._task:
                    await asyncio.sleep(0.01)
        return [str(each) for each in self.watch.name_servers]

    def close(self) -> None:
        self._theirs.close()


@asynccontextmanager
async def listening(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Heard]:
    heard = Heard(monkeypatch)
    assert await heard.watch.start()
    try:
        yield heard
    finally:
        await heard.watch.stop()
        heard.close()


def announced(lifetime: int, *servers: str) -> bytes:
    return kernel.options(kernel.rdnss(lifetime, *servers))


async def test_name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch) as heard:
        assert await heard.say(announced(600, "2001:db8::1", "fe80::1")) == [
            "2001:db8::1",
            "fe80::1%lo",  # of the interface by which it was heard
        ]
        assert heard.calls == 1
        await heard.say(announced(600, "2001:db8::1", "fe80::1"))
        assert heard.calls == 1
        assert await heard.say(announced(0, "fe80::1")) == ["2001:db8::1"]
        assert heard.calls == 2
        assert await heard.say(announced(FOR_EVER, "2001:db8::2")) == ["2001:db8::1", "2001:db8::2"]
        assert heard.calls == 3


async def test_name_servers_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch) as heard:
        await heard.say(announced(600, "2001:db8::1"), announced(FOR_EVER, "2001:db8::2"))
        await heard.say(announced(600, "2001:db8::3"), announced(6000, "2001:db8::3"))
        loop = asyncio.get_running_loop()
        now = loop.time()
        monkeypatch.setattr(loop, "time", lambda: now + 601)
        assert [str(each) for each in heard.watch.name_servers] == [
            "2001:db8::2",
            "2001:db8::3",
        ]
        monkeypatch.undo()


async def test_anybody_may_announce_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number is bounded, and the first ones stay."""
    many = [announced(600, *(f"2001:db8::{n}:{m}" for m in range(8))) for n in range(1, 50)]
    async with listening(monkeypatch) as heard:
        known = await heard.say(announced(600, "2001:db8::1"), *many)
        assert len(known) == 16
        assert known[0] == "2001:db8::1"
        assert heard.calls < 10


async def test_no_interface_no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link-local address is worth nothing when its interface has gone."""
    async with listening(monkeypatch) as heard:
        gone = kernel.options(kernel.rdnss(600, "fe80::1", "2001:db8::1"), index=9999)
        assert await heard.say(gone) == ["2001:db8::1"]


@pytest.mark.parametrize(
    "junk",
    [b"junk", b"\xff" * 500, kernel.options(b"\xff" * 40), kernel.address("2001:db8::7")],
    ids=["text", "ones", "options", "address"],
)
async def test_junk_and_news_of_nothing(junk: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a message says is not believed: the kernel is asked, and nothing has changed."""
    async with listening(monkeypatch) as heard:
        assert await heard.say(junk, kernel.link(), junk) == []
        assert heard.calls == 0
        assert await heard.say(announced(600, "2001:db8::1")) == ["2001:db8::1"]


async def test_without_netlink(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(groups: int) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "no such family")

    monkeypatch.setattr(OPENING, missing)
    watch = Watch(lambda: pytest.fail("there is nothing to call for"))
    assert not await watch.start()
    assert watch.name_servers == ()
    await watch.stop()


async def test_netlink_that_hears_but_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(groups: int = 0) -> socket.socket:
        raise OSError(errno.EPERM, "not allowed")

    monkeypatch.setattr("custom_components.homeport.host.state.open_netlink", missing)
    assert not await Watch(lambda: None).start()


async def test_it_stops_while_it_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call comes after it; the fixture sees to it that no task and no socket is left."""
    async with listening(monkeypatch) as heard:
        heard._theirs.send(announced(600, "2001:db8::1"))
        async with asyncio.timeout(1):
            while not heard.watch._task:
                await asyncio.sleep(0)
        await heard.watch.stop()
        await asyncio.sleep(0.1)
        assert heard.calls == 0


async def test_it_may_be_stopped_without_a_start_and_twice() -> None:
    watch = Watch(lambda: None)
    await watch.stop()
    assert await watch.start()
    await watch.stop()
    await watch.stop()
