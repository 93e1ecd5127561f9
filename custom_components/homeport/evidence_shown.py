"""The evidence without anything in it that leads to a home: kinds and numbers only."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from .host import HostState
from .line import (
    EchoEvidence,
    Evidence,
    GatewayEvidence,
    HomeGatewayEvidence,
    MtuEvidence,
    NamesEvidence,
    SecondHopEvidence,
    StunEvidence,
    address_kind,
    stability,
)


def shown_evidence(evidence: Evidence) -> dict[str, Any]:
    """Return how each observation ended; None for one that there is not."""
    return {
        "gateway": _shown(_gateway, evidence.gateway),
        "silent_gateway": _shown(_gateway, evidence.silent_gateway),
        "gateway_pending": evidence.gateway_pending,
        "gateway_trusted": evidence.gateway_trusted,
        "host": _shown(_host, evidence.host),
        "echo_pending": evidence.echo_pending,
        "echo4": _shown(_echo, evidence.echo4),
        "echo6": _shown(_echo, evidence.echo6),
        "stun4": _shown(_stun, evidence.stun4),
        "stun6": _shown(_stun, evidence.stun6),
        "mtu": _shown(_mtu, evidence.mtu),
        "names": _shown(_names, evidence.names),
        "system_names": _shown(_names, evidence.system_names),
        "reverse_name": _shown(bool, evidence.reverse_name),
        "second_hop": _shown(_second_hop, evidence.second_hop),
        "home_gateway": _shown(_home_gateway, evidence.home_gateway),
        "proof": evidence.proof is not None,
    }


def _shown[SeenT](show: Callable[[SeenT], Any], seen: SeenT | None) -> Any:
    return None if seen is None else show(seen)


def _gateway(seen: GatewayEvidence) -> dict[str, Any]:
    return {
        "connected": seen.connected,
        "address": address_kind(seen.address),
        "default_router": seen.default_router,
        "ppp": seen.ppp,
    }


def _host(seen: HostState) -> dict[str, Any]:
    """Count addresses by what they are, such as "global stable"."""
    kinds = Counter(
        f"{address_kind(each.ip)} {stability(each.flags)}"
        if each.ip.version == 6
        else f"{address_kind(each.ip)} IPv4"
        for each in seen.addresses
    )
    routes = {"ipv4_route": seen.ipv4_route, "ipv6_route": seen.ipv6_route}
    return {
        "complete": seen.complete,
        "addresses": dict(sorted(kinds.items())),
        **{name: _shown(lambda each: {"tunnel": each.tunnel}, way) for name, way in routes.items()},
        "neighbours": len(seen.neighbours),
        "name_servers": len(seen.name_servers),
    }


def _echo(seen: EchoEvidence[Any]) -> dict[str, Any]:
    return {
        "address": address_kind(seen.address),
        "answered": seen.answered,
        "agreed": seen.agreed,
        "secure": seen.secure,
    }


def _stun(seen: StunEvidence[Any]) -> dict[str, Any]:
    return {
        "address": address_kind(seen.address),
        "answered": seen.answered,
        "ports": len(seen.ports),
        "kept": sum(local == mapped for local, mapped in seen.ports),
    }


def _mtu(seen: MtuEvidence) -> dict[str, Any]:
    return {"ipv4": seen.ipv4, "ipv6": seen.ipv6}


def _names(seen: NamesEvidence) -> dict[str, Any]:
    return {
        "aftr": len(seen.aftr),
        "provisioning": seen.provisioning is not None,
        "nat64": seen.nat64 is not None,
    }


def _second_hop(seen: SecondHopEvidence) -> dict[str, Any]:
    return {
        "hops": [address_kind(hop) for hop in seen.hops],
        "router": seen.router is not None,
        "address": address_kind(seen.address),
    }


def _home_gateway(seen: HomeGatewayEvidence) -> dict[str, Any]:
    return {"on": seen.on}
