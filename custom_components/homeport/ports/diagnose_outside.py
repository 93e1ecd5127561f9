"""What the outside result says about what stops a port, where all the steps before passed."""

from collections.abc import Mapping
from typing import Final

from ..gateway import Transport
from ..outside.prober import Outcome
from .diagnose_home import is_there
from .diagnosis import (
    NOT_NEEDED,
    PASSED,
    Advice,
    BlockedBy,
    Candidate,
    Finding,
    PortFacts,
    Reachability,
    ServiceSeen,
    Step,
    StepState,
    doubtful,
    failed,
)

type Findings = Mapping[Step, Finding]
"""What the steps before have come to."""

_ASK: Final = Finding(StepState.UNKNOWN, advice=Advice.ASK_OUTSIDE)
_WAIT: Final = Finding(StepState.UNKNOWN, advice=Advice.WAIT_FOR_PROBER)
_PROVE: Final = Finding(StepState.UNKNOWN, advice=Advice.PROVE)
_CHECK_SERVICE: Final = Finding(StepState.FAILED, advice=Advice.CHECK_SERVICE)


def outside(facts: PortFacts, seen: Reachability | None, before: Findings) -> Finding:
    """Say whether the port was seen working, and if not, what that points to."""
    match seen:
        case None if facts.outside_failed:
            return doubtful(BlockedBy.PROBER_FAILED)
        case None:
            stopped = any(each.state is StepState.FAILED for each in before.values())
            if stopped:
                return NOT_NEEDED
            return _WAIT if facts.waits else _ASK
        case Reachability.REACHABLE:
            return PASSED
        case Reachability.POSSIBLE:
            return _PROVE
    return _not_accepted(facts, before)


def came_home(facts: PortFacts) -> bool:
    """Say whether what the prober got back came from home, and from no packet filter before.

    It did where a port that nothing is opened for gives another outcome: there the router drops,
    and a refusal comes from the target, or from the router that cannot find it.
    """
    match facts.answer.outcome if facts.answer else None:
        case Outcome.REFUSED:
            return facts.baseline is Outcome.TIMED_OUT
        case Outcome.UNREACHABLE:
            return facts.tells_why and facts.baseline in {Outcome.TIMED_OUT, Outcome.REFUSED}
    return False


def candidates(facts: PortFacts, before: Findings) -> tuple[Candidate, ...]:
    """Name who may filter, the likeliest first.

    The provider alone is named only where another port of the same target was seen reachable: that
    clears the router, a second one, and a host that trusts only the LAN.
    """
    opened = is_opened(facts, before)
    found = [] if opened else [Candidate.ROUTER_RULE]
    if not (opened and facts.other_port_reachable):
        found.append(Candidate.PACKET_FILTER_ON_ROUTER)
    if not facts.other_port_reachable:
        wan = before.get(Step.WAN_ADDRESS)
        if wan is None or wan.state is not StepState.PASSED:
            found.append(Candidate.SECOND_ROUTER)
        found.append(Candidate.HOST_FIREWALL)
    return (*found, Candidate.PROVIDER)


def is_opened(facts: PortFacts, before: Findings) -> bool:
    """Say whether the router was seen to let it through."""
    opening = Step.FIREWALL if facts.family == 6 else Step.MAPPING
    return before[opening].state is StepState.PASSED


def _not_accepted(facts: PortFacts, before: Findings) -> Finding:
    outcome = facts.answer.outcome if facts.answer else None
    reason_known = outcome is not Outcome.UNREACHABLE or facts.tells_why
    listening = facts.listener or facts.service is ServiceSeen.LISTENING
    if came_home(facts):
        return failed(_at_home(facts, outcome, listening=listening))
    no_route = outcome is Outcome.UNREACHABLE and reason_known
    if no_route and facts.baseline is None and not is_there(facts):
        return failed(BlockedBy.HOST_ABSENT)
    refused = outcome is Outcome.REFUSED or not reason_known
    if refused and facts.service is None and not listening:
        return _CHECK_SERVICE
    if facts.family == 6 and not is_opened(facts, before):
        return failed(BlockedBy.ROUTER_FILTER_V6)
    if facts.transport is Transport.UDP and not facts.listener and outcome is not Outcome.REFUSED:
        # Most services say nothing to a datagram that they do not understand.
        return failed(BlockedBy.SERVICE_SILENT)
    return failed(BlockedBy.FILTERED)


def _at_home(facts: PortFacts, outcome: Outcome | None, *, listening: bool) -> BlockedBy:
    if outcome is Outcome.REFUSED:
        return BlockedBy.HOST_FIREWALL if listening else BlockedBy.SERVICE_DOWN
    return BlockedBy.HOST_FIREWALL if is_there(facts) else BlockedBy.HOST_ABSENT
