"""Why a port can be reached from outside, or cannot. Pure: no I/O, no clock."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ..outside.family import Family
from .diagnose_home import certificate, name, service, target
from .diagnose_line import firewall, line, mapping, port_set, wan_address
from .diagnose_outside import Findings, came_home, candidates, outside
from .diagnosis import (
    UNKNOWN,
    Advice,
    BlockedBy,
    CheckedStep,
    Diagnosis,
    Finding,
    NextStep,
    PortFacts,
    Reachability,
    Step,
    StepState,
)
from .reach import seen_from_outside

type Check = Callable[[PortFacts], Finding]

_BEHIND_NAT: Final = frozenset(
    {
        BlockedBy.SECOND_NAT,
        BlockedBy.LINE_CGNAT,
        BlockedBy.LINE_DS_LITE,
        BlockedBy.LINE_NAT64,
        BlockedBy.LINE_PRIVATE,
    }
)
"""Where the home's router has no public address of its own."""
_CHAINS: Final[Mapping[Family, Mapping[Step, Check]]] = {
    4: {
        Step.SERVICE: service,
        Step.TARGET: target,
        Step.LINE: line,
        Step.PORT_SET: port_set,
        Step.MAPPING: mapping,
        Step.WAN_ADDRESS: wan_address,
    },
    6: {
        Step.SERVICE: service,
        Step.TARGET: target,
        Step.LINE: line,
        Step.FIREWALL: firewall,
    },
}
_OWN: Final[Mapping[Step, Check]] = {Step.NAME: name, Step.CERTIFICATE: certificate}


def diagnose(facts: PortFacts) -> Diagnosis:
    """Follow the chain from the service to the outside; the first step that stops it is named.

    What was seen working counts more than any step before. While a listener of ours stood in for
    the service, the way to it is what was tested: then the service comes last.
    """
    before = {step: check(facts) for step, check in _CHAINS[facts.family].items()}
    seen = seen_from_outside(facts)
    last = outside(facts, seen, before)
    own = {step: check(facts) for step, check in _OWN.items()} if facts.own_url else {}
    blocker = _blocker(facts, seen, before, last)
    blocked_by = blocker.detail if isinstance(blocker.detail, BlockedBy) else None
    if seen is Reachability.REACHABLE and blocked_by is None:
        blocked_by = BlockedBy.NOTHING
    filtered = blocked_by is BlockedBy.FILTERED
    return Diagnosis(
        family=facts.family,
        reachability=seen,
        steps=_shown({**before, Step.OUTSIDE: last, **own}, facts.seconds),
        blocked_by=blocked_by,
        candidates=candidates(facts, before) if filtered else (),
        next_step=_next_step(blocked_by, blocker, own.values()),
    )


def _blocker(
    facts: PortFacts, seen: Reachability | None, before: Findings, last: Finding
) -> Finding:
    """Return the finding that stops the port; one without a detail where that is not known."""
    way = [each for step, each in before.items() if step is not Step.SERVICE or not facts.listener]
    stand_in = [before[Step.SERVICE]] if facts.listener else []
    if seen is Reachability.REACHABLE:
        return stand_in[0] if stand_in else UNKNOWN
    failures = [each for each in way if each.state is StepState.FAILED]
    doubts = [each for each in way if each.state is StepState.UNKNOWN and each.detail]
    if seen is Reachability.POSSIBLE:
        # Something got through: what only may stop it is not to blame.
        return next(iter(failures), last)
    if before[Step.LINE] in doubts and before[Step.LINE].detail in _BEHIND_NAT:
        # A router without a public address refuses for that very reason (miniupnpd 2.3.1 does).
        failures = [each for each in failures if each.advice is not Advice.ROUTER_REFUSES]
    found = [*failures, last] if came_home(facts) else [*failures, *doubts, last]
    return next((each for each in (*found, *stand_in) if each.detail), last)


def _next_step(
    blocked_by: BlockedBy | None, blocker: Finding, own: Iterable[Finding]
) -> NextStep | None:
    """Return what to do: first about what stops the port, then about Home Assistant's own URL."""
    if blocked_by is BlockedBy.NOTHING:
        return next((each.advice for each in own if each.advice), None)
    return blocker.advice or blocked_by


def _shown(findings: Findings, seconds: Mapping[Step, float]) -> tuple[CheckedStep, ...]:
    return tuple(
        CheckedStep(step, each.state, each.detail, seconds.get(step))
        for step, each in findings.items()
    )
