"""What stops a port at home: its service, the device it leads to, Home Assistant's own URL."""

from typing import Final

from ..gateway import Transport
from .diagnosis import (
    NOT_NEEDED,
    PASSED,
    UNKNOWN,
    Advice,
    BlockedBy,
    CertificateSeen,
    Finding,
    NameSeen,
    PortFacts,
    ServiceSeen,
    failed,
)

_SERVICE: Final = {
    None: UNKNOWN,
    ServiceSeen.LISTENING: PASSED,
    ServiceSeen.LOOPBACK_ONLY: failed(BlockedBy.BOUND_TO_LOOPBACK),
    ServiceSeen.DOWN: failed(BlockedBy.SERVICE_DOWN),
    ServiceSeen.HOST_ABSENT: UNKNOWN,
    ServiceSeen.HOST_REJECTS: failed(BlockedBy.HOST_FIREWALL),
}
_IS_THERE: Final = frozenset(
    {ServiceSeen.LISTENING, ServiceSeen.LOOPBACK_ONLY, ServiceSeen.DOWN, ServiceSeen.HOST_REJECTS}
)
_NAMES: Final = {
    None: UNKNOWN,
    NameSeen.HOME: PASSED,
    NameSeen.ELSEWHERE: failed(NameSeen.ELSEWHERE, Advice.NAME_ELSEWHERE),
    NameSeen.MISSING: failed(NameSeen.MISSING, Advice.NAME_MISSING),
}
_CERTIFICATES: Final = {
    None: UNKNOWN,
    CertificateSeen.VALID: PASSED,
    CertificateSeen.OTHER_NAME: failed(CertificateSeen.OTHER_NAME, Advice.CERTIFICATE_OTHER_NAME),
    CertificateSeen.UNTRUSTED: failed(CertificateSeen.UNTRUSTED, Advice.CERTIFICATE_UNTRUSTED),
    CertificateSeen.EXPIRED: failed(CertificateSeen.EXPIRED, Advice.CERTIFICATE_EXPIRED),
    CertificateSeen.NONE: failed(CertificateSeen.NONE, Advice.CERTIFICATE_NONE),
}


def service(facts: PortFacts) -> Finding:
    """Say whether the service listens where others than its own host can connect."""
    if facts.listener:
        # It could only be there since nothing of the user's listens at this address.
        if facts.service is ServiceSeen.LOOPBACK_ONLY:
            return failed(BlockedBy.BOUND_TO_LOOPBACK)
        return failed(BlockedBy.SERVICE_DOWN, Advice.START_SERVICE if _met(facts) else None)
    if facts.service is ServiceSeen.SILENT:
        # A host that is there answers a SYN, if only with a reset (RFC 9293 section 3.5.2), unless
        # it filters. UDP services are silent towards whom they do not understand.
        tcp = facts.transport is Transport.TCP
        return failed(BlockedBy.HOST_FIREWALL) if tcp else UNKNOWN
    return _SERVICE[facts.service]


def target(facts: PortFacts) -> Finding:
    """Say whether the device is there, at the address that the opening leads to."""
    if facts.family == 6 and facts.unstable_address:
        return failed(BlockedBy.UNSTABLE_ADDRESS)
    if not facts.target_known:
        advice = Advice.FIND_TARGET if facts.family == 4 else Advice.FIND_IPV6
        return failed(BlockedBy.HOST_ABSENT, advice)
    if facts.target_moved:
        return failed(BlockedBy.HOST_MOVED)
    if facts.own_target:
        return PASSED
    if facts.service is ServiceSeen.HOST_ABSENT:
        return failed(BlockedBy.HOST_ABSENT)
    there = is_there(facts) and facts.target_moved is False
    return PASSED if there else UNKNOWN


def is_there(facts: PortFacts) -> bool:
    """Say whether the target has answered at home."""
    # Of a datagram that nobody answers it is not known whether it arrived.
    silent = facts.service is ServiceSeen.SILENT and facts.transport is Transport.TCP
    return facts.own_target or silent or facts.service in _IS_THERE


def name(facts: PortFacts) -> Finding:
    """Say whether the name in Home Assistant's external URL leads home."""
    return _NAMES[facts.own_url.name] if facts.own_url else NOT_NEEDED


def certificate(facts: PortFacts) -> Finding:
    """Say whether browsers believe the certificate that is shown for it."""
    if facts.own_url is None or not facts.own_url.https:
        return NOT_NEEDED
    return _CERTIFICATES[facts.own_url.certificate]


def _met(facts: PortFacts) -> bool:
    return facts.listener_met or bool(facts.answer and facts.answer.nonce_seen)
