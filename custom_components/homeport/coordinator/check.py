"""Looking at one port from outside, over one family: asking everybody, and what follows."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
import time
from typing import Final

from homeassistant.util import dt as dt_util
from yarl import URL

from ..host import service_seen
from ..host.listening import Transport as HostTransport
from ..outside import (
    Answer,
    CannotListen,
    IPAddress,
    IsOutside,
    NonceListener,
    OutsideError,
    Prober,
    ProbeTransport,
    Question,
    StunProber,
    listen,
)
from ..outside.certificate import ShownCertificate
from ..ports import (
    Diagnosis,
    NotProbed,
    OwnUrl,
    PortFacts,
    ServiceSeen,
    Step,
    diagnose,
)
from .own_url import look_at_certificate, look_at_name, what_is_known
from .probers import Aim, ProberBusy, Probers

PATIENCE: Final = 20.0
"""Seconds that a check waits for its turn at a prober; one that takes longer joins the queue."""

type Problem = NotProbed | OutsideError


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is looked at.

    - `facts`: what is known before anybody is asked
    - `address`: where the internet meets it; None where that is not known
    - `at_home`: the target's address in the LAN; None where that is not known
    - `aim`: what has to be known to choose a prober
    - `raise_obstacle`: raises NotProbed or OtherAddress where, as things are by then, the answer of
      a prober would say nothing of this port, or it would knock at another home's
    - `is_outside`: what says whether an address is somebody's outside
    - `url`: Home Assistant's external URL, where it is about this port
    """

    facts: PortFacts
    address: IPAddress | None
    at_home: IPAddress | None
    aim: Aim
    raise_obstacle: Callable[[], None]
    is_outside: IsOutside
    url: URL | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """What looking at a port has come to.

    - `facts`, `diagnosis`: what was found, and what follows
    - `checked`: when somebody outside has answered last; None where nobody has
    - `problem`: why nobody has
    - `certificate`: what the port shows for the name in Home Assistant's external URL
    """

    facts: PortFacts
    diagnosis: Diagnosis
    checked: datetime | None = None
    problem: Problem | None = None
    certificate: ShownCertificate | None = None

    @property
    def probed(self) -> IPAddress | None:
        """Return the address at which the prober knocked."""
        return self.facts.probed

    def again(self, facts: PortFacts) -> Check:
        """Return what follows from other facts."""
        return replace(self, facts=facts, diagnosis=diagnose(facts))


@dataclass(slots=True)
class _Times:
    """How long each step took, in seconds."""

    seconds: dict[Step, float] = field(default_factory=dict)

    async def of[ResultT](self, step: Step, work: Awaitable[ResultT]) -> ResultT:
        begin = time.monotonic()
        try:
            return await work
        finally:
            self.seconds[step] = time.monotonic() - begin


async def check(subject: Subject, probers: Probers) -> Check:
    """Look at a port at home and from outside. Raises nothing."""
    times, facts = _Times(), subject.facts
    service = times.of(Step.SERVICE, service_at_home(subject))
    # Whether our own listener can stand in has to be known before anybody knocks.
    if facts.own_target:
        facts = replace(facts, service=await service)
        knock = await _outside(subject, facts, probers, times)
    else:
        seen, knock = await asyncio.gather(service, _outside(subject, facts, probers, times))
        facts = replace(facts, service=seen)
    url, certificate = await _own_url(subject, times)
    facts = replace(
        facts,
        probed=subject.address if knock.answer else None,
        answer=knock.answer,
        tells_why=knock.tells_why,
        listener=knock.listener,
        listener_met=knock.met,
        outside_failed=_failure(knock.problem),
        waits=isinstance(knock.problem, ProberBusy),
        own_url=url,
        seconds=times.seconds,
    )
    checked = dt_util.utcnow() if knock.answer else None
    return Check(facts, diagnose(facts), checked, knock.problem, certificate)


@dataclass(frozen=True, slots=True)
class _Knock:
    answer: Answer | None = None
    tells_why: bool = False
    listener: bool = False
    met: bool = False
    problem: Problem | None = None


def _failure(problem: Problem | None) -> str | None:
    """Return the name of why a prober gave no answer; None where it was not even asked."""
    asked = isinstance(problem, OutsideError) and not isinstance(problem, ProberBusy)
    return problem.translation_key if problem and asked else None


async def service_at_home(subject: Subject) -> ServiceSeen | None:
    """Return what the LAN shows of a port's service; None where that is not known."""
    facts = subject.facts
    if subject.at_home is None:
        return None
    transport = HostTransport(facts.transport)
    seen = await service_seen(transport, subject.at_home, facts.internal_port, own=facts.own_target)
    return ServiceSeen(seen) if seen else None


async def _own_url(
    subject: Subject, times: _Times
) -> tuple[OwnUrl | None, ShownCertificate | None]:
    url, facts = subject.url, subject.facts
    if url is None:
        return None, None
    ours = {subject.address} if subject.address else set()
    name = await times.of(Step.NAME, look_at_name(url, facts.family, ours)) if ours else None
    seen, shown = None, None
    if subject.at_home is not None:
        looking = look_at_certificate(url, subject.at_home, facts.internal_port)
        seen, shown = await times.of(Step.CERTIFICATE, looking)
    return what_is_known(url, name, seen), shown


async def _outside(subject: Subject, facts: PortFacts, probers: Probers, times: _Times) -> _Knock:
    try:
        subject.raise_obstacle()
        return await times.of(Step.OUTSIDE, _knock(subject, facts, probers))
    except (NotProbed, OutsideError) as err:
        return _Knock(problem=err)


async def _knock(subject: Subject, facts: PortFacts, probers: Probers) -> _Knock:
    """Have somebody outside knock, at a listener of ours where the port is free.

    Raises NotProbed, OutsideError.
    """
    address, aim = subject.address, subject.aim
    if address is None:
        raise NotProbed("no_public_address")
    question = Question(aim.transport, address, facts.external_port, aim.source)
    free = facts.own_target and facts.service is ServiceSeen.DOWN and subject.at_home is not None
    if free and aim.transport is ProbeTransport.UDP and not probers.able(aim):
        prove = partial(_prove, subject, replace(question, source=subject.at_home))
        return await probers.prove_udp(aim, prove, patience=PATIENCE)
    at_home = subject.at_home if free else None
    return await probers.ask(aim, partial(_ask, subject, question, at_home), patience=PATIENCE)


async def _prove(subject: Subject, question: Question, prober: StunProber) -> _Knock:
    """Have a STUN server knock at a socket of ours, now that its turn has come."""
    subject.raise_obstacle()
    answer = await prober.prove(question, subject.facts.internal_port)
    return _Knock(answer, listener=True, met=answer.nonce_seen)


async def _ask(
    subject: Subject, question: Question, at_home: IPAddress | None, prober: Prober
) -> _Knock:
    """Ask a prober whose turn has come, with a listener `at_home` where that is given."""
    subject.raise_obstacle()
    async with AsyncExitStack() as stack:
        listener: NonceListener | None = None
        if at_home is not None:
            port, is_outside = subject.facts.internal_port, subject.is_outside
            # One that has just begun to listen is looked at as it is.
            with suppress(CannotListen):
                listener = await stack.enter_async_context(
                    listen(question.transport, at_home, port, is_outside)
                )
        if listener:
            question = replace(question, nonce=listener.nonce)
        answer = await prober.check(question)
        met = listener is not None and await listener.met_as(answer)
    return _Knock(answer, prober.abilities.tells_why, listener is not None, met)
