"""MAP-E by known rules: an address that follows from IPv6, or that is in a rule's block."""

from .address import AddressKind
from .carriers import ReverseKind
from .facts import Facts
from .mape import MapERule, find_rule_by_ipv4
from .mode_global import second_exit, unexpected_address
from .portset import Outcome, PortSet, infer
from .report import LineMode, Openable, Reason, Remedy
from .verdict import Verdict, certain, likely, possible


def map_e(facts: Facts) -> Verdict | None:
    """Compare what MAP-E makes of the IPv6 addresses with what is seen."""
    if facts.evidence.gateway_pending:
        return None  # it may have an address of its own beside
    if facts.match:
        if facts.wan_kind is AddressKind.GLOBAL and facts.wan != facts.echo:
            return second_exit(facts, Reason.COMPUTED_MATCHES)
        return _computed(facts, facts.match.port_set)
    return _not_seen_outside(facts) or _rule_for_address(facts) or _home_gateway(facts)


def _computed(facts: Facts, port_set: PortSet) -> Verdict:
    """Judge the ports where the computed address is the one that is seen.

    That by chance is one in four thousand million.
    """
    reasons = [Reason.COMPUTED_MATCHES]
    stun = facts.evidence.stun4 if facts.stun else None
    if facts.evidence.home_gateway and facts.evidence.home_gateway.on:
        reasons.append(Reason.HOME_GATEWAY_TERMINATES)
    if stun and any(mapped not in port_set for _, mapped in stun.ports):
        return likely(LineMode.MAP_E, *reasons, Reason.PORTS_OUTSIDE_COMPUTED_SET)
    if facts.wan_kind is AddressKind.PRIVATE:
        reasons.append(Reason.WAN_PRIVATE)
    return certain(LineMode.MAP_E, *reasons, openable=_openable(facts), port_set=port_set)


def _not_seen_outside(facts: Facts) -> Verdict | None:
    """Take the word of the gateway, or of STUN, where no echo tells."""
    if facts.echo is not None:
        return None
    for result in facts.computed:
        if facts.wan == result.ipv4:
            return likely(
                LineMode.MAP_E,
                Reason.COMPUTED_MATCHES,
                openable=Openable.PORT_SET,
                port_set=result.port_set,
            )
        if facts.stun == result.ipv4:
            remedies = (Remedy.ALLOW_ECHO,)
            return possible(LineMode.MAP_E, Reason.COMPUTED_MATCHES, remedies=remedies)
    return None


def _rule_for_address(facts: Facts) -> Verdict | None:
    """Find the rule by the public address, where there is no IPv6 address to compute from."""
    if facts.computed or facts.name_kind is ReverseKind.FIXED:
        return None
    rule = _rule_of(facts)
    stun = facts.evidence.stun4 if facts.stun else None
    if rule is None or stun is None:
        return None
    found = infer(stun.ports, ((rule.offset, rule.psid_length),))
    if found.outcome is not Outcome.ONE_SET:
        return None
    reasons = Reason.RULE_FOR_ADDRESS, Reason.PORTS_IN_ONE_SET
    if facts.gateway is None or (facts.wan_kind is AddressKind.GLOBAL and facts.wan != facts.echo):
        return possible(LineMode.MAP_E, *reasons, remedies=(Remedy.SWITCH_UPNP_ON,))
    return likely(LineMode.MAP_E, *reasons, openable=_openable(facts), port_set=found.port_set)


def _rule_of(facts: Facts) -> MapERule | None:
    """Return the rule whose IPv4 block has the public address; the user's own first."""
    own = facts.evidence.own_rule
    if facts.echo is None:
        return None
    return own if own and facts.echo in own.ipv4 else find_rule_by_ipv4(facts.echo)


def _home_gateway(facts: Facts) -> Verdict | None:
    """Take the word of an NTT home gateway that it ends the tunnel itself."""
    home_gateway = facts.evidence.home_gateway
    if not home_gateway or not home_gateway.on or facts.wan_kind is AddressKind.GLOBAL:
        return None
    if facts.echo is None and facts.computed:
        return likely(
            LineMode.MAP_E,
            Reason.HOME_GATEWAY_TERMINATES,
            openable=_openable(facts),
            port_set=facts.computed[0].port_set,
        )
    return possible(LineMode.MAP_E, Reason.HOME_GATEWAY_TERMINATES, *unexpected_address(facts))


def _openable(facts: Facts) -> Openable:
    """Say whether the router before ours, which has the port set, must be told as well."""
    private = facts.wan_kind is AddressKind.PRIVATE
    return Openable.AFTER_SECOND_ROUTER if private else Openable.PORT_SET
