"""A caller on the internet who tries a port until somebody answers."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
import selectors
import socket
from threading import Event
from time import monotonic

from tests.lab import Host

INTERVAL = 0.001
"""Seconds from one attempt to the next, and so how finely the time is known."""
_PATIENCE = 0.1
"""Seconds that an attempt may take. The firewall drops what it does not let pass without a word,
and the kernel would repeat it after a second only."""
_GIVE_UP = 15.0


@contextmanager
def first_byte(host: Host, address: str, port: int) -> Iterator[Future[float]]:
    """Try to connect from `host` until content comes; yields once the first attempt is under way.

    The result is the moment of the first byte on the monotonic clock, or TimeoutError. It has a
    thread of its own, so that nothing it is to observe makes it wait.
    """
    begun, stop = Event(), Event()
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(_call, host, (address, port), begun, stop)
        begun.wait()
        try:
            yield seen
        finally:
            stop.set()


def _call(host: Host, peer: tuple[str, int], begun: Event, stop: Event) -> float:
    attempts: deque[tuple[float, socket.socket]] = deque()
    now = monotonic()
    give_up = now + _GIVE_UP
    with host.inside(), selectors.DefaultSelector() as selector, ExitStack() as stack:
        stack.callback(_close_all, attempts)
        while now < give_up and not stop.is_set():
            while attempts and attempts[0][0] < now - _PATIENCE:
                _, late = attempts.popleft()
                selector.unregister(late)
                late.close()
            sock = socket.socket()
            attempts.append((now, sock))
            sock.setblocking(False)
            sock.connect_ex(peer)
            selector.register(sock, selectors.EVENT_READ)
            begun.set()
            due, now = now + INTERVAL, monotonic()
            while now < due:
                for key, _ in selector.select(due - now):
                    answered = key.fileobj
                    if isinstance(answered, socket.socket) and answered.recv(1):
                        return monotonic()
                now = monotonic()
    raise TimeoutError(f"nothing answers at {peer[0]}:{peer[1]}")


def _close_all(attempts: Iterable[tuple[float, socket.socket]]) -> None:
    for _, sock in attempts:
        sock.close()
