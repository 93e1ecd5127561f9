"""Carries out what the updater's state machine decides: timers, attempts, storing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
import inspect
import random
import time as clock

from .provider import DdnsError, Provider, Target, Unavailable
from .updater import Answered, Event, Failed, Forced, State, Tick, Wait, Wanted, transition

# Wall clocks are set, the loop's is not: look again at least this often while waiting.
_LOOK_AGAIN = 300.0


class Updater:
    """Keeps one hostname at its provider up to date; one attempt at a time, in one task.

    It begins with the first `want` or `force`. All methods belong in the event loop.
    """

    def __init__(
        self,
        provider_factory: Callable[[], Awaitable[Provider]],
        hostname: str,
        state: State,
        *,
        save: Callable[[State], Awaitable[None] | None],
        on_change: Callable[[State], None],
        time: Callable[[], float] = clock.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Take the state to go on from (see State.from_dict, State.for_fingerprint).

        `provider_factory` is called before the first attempt. `save` must have stored the state
        when it returns: it is called before and after each attempt.
        """
        self._factory = provider_factory
        self._hostname = hostname
        self._state = replace(state, sending=None)
        self._save = save
        self._on_change = on_change
        self._time = time
        self._jitter = jitter
        self._provider: Provider | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._error: DdnsError | None = None
        self._stopped = False

    @property
    def state(self) -> State:
        """The state now."""
        return self._state

    def want(self, target: Target) -> None:
        """Take the addresses as they are now; what is unknown leaves its record alone."""
        self._handle(Wanted(target))

    async def force(self) -> State:
        """Send now, or join the attempt under way; return the state after the answer.

        Raises the DdnsError of the attempt, and Unavailable when there is nothing to send.
        """
        self._handle(Forced())
        if self._task is not None:
            await asyncio.wait({self._task})
        elif not self._stopped:
            raise Unavailable("no address is known", translation_key="no_address")
        if self._error is not None:
            raise self._error
        return self._state

    async def stop(self) -> None:
        """End the timer and an attempt under way; nothing is sent after that."""
        self._stopped = True
        self._error = Unavailable("stopped")
        self._cancel_timer()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self._state = replace(self._state, sending=None)

    def _handle(self, event: Event) -> None:
        """Take an event, and begin to send if it asks for that."""
        if self._stopped:
            return
        self._step(event)
        if self._state.sending is not None and self._task is None:
            self._task = asyncio.get_running_loop().create_task(
                self._send(), name=f"homeport ddns {self._hostname}"
            )

    def _step(self, event: Event) -> None:
        """Move the state on, and the timer with it."""
        before, now = self._state, self._time()
        self._state, action = transition(before, event, now, self._jitter)
        self._cancel_timer()
        if isinstance(action, Wait):
            self._timer = asyncio.get_running_loop().call_later(
                min(action.until - now, _LOOK_AGAIN), self._handle, Tick()
            )
        if self._state != before:
            self._on_change(self._state)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _send(self) -> None:
        """Send, and again as long as the state asks for it: a newer target may have come in."""
        try:
            while (target := self._state.sending) is not None:
                await self._store()
                self._step(await self._attempt(target))
                await self._store()
        finally:
            self._task = None
            if self._state.sending is not None and not self._stopped:
                # A fault in a provider, which asyncio logs with this task: not one to hammer with.
                self._error = Unavailable("internal error")
                self._step(Failed(self._error))

    async def _attempt(self, target: Target) -> Answered | Failed:
        try:
            if self._provider is None:
                self._provider = await self._factory()
            answer = await self._provider.update(self._hostname, target)
        except DdnsError as err:
            self._error = err
            return Failed(err)
        self._error = None
        return Answered(answer, target)

    async def _store(self) -> None:
        saving = self._save(self._state)
        if inspect.isawaitable(saving):
            await saving
