"""What a gateway means that does not open a port for another device than the one that asks."""

from ..gateway import ActionRefused, GatewayError, NotPermitted, PcpRefused, PcpResult, UpnpCode


def is_for_others(err: GatewayError) -> bool:
    """Say whether a refusal is for ports of other devices, if this one was of another device.

    Such is the secure mode of miniupnpd (718), and what UPnP Device Protection asks for (606).
    """
    if isinstance(err, PcpRefused):
        return err.code == PcpResult.UNSUPP_OPTION  # THIRD_PARTY: there is no other in use
    not_authorized = isinstance(err, ActionRefused) and err.code == UpnpCode.NOT_AUTHORIZED
    return not_authorized or isinstance(err, NotPermitted)
