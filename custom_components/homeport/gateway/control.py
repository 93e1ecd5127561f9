"""Telling one service of a gateway what to do."""

from .description import WanService
from .errors import ActionRefused, UpnpCode
from .requester import GuardedRequester
from .soap import action_request, parse_answer


class Control:
    """The actions of one WAN service."""

    def __init__(self, requester: GuardedRequester, service: WanService) -> None:
        """Take what sends the requests, and the service."""
        self.requester = requester
        self.service = service
        self._any_host = ""

    async def call(self, action: str, **arguments: str | int) -> dict[str, str]:
        """Call an action, once, with the arguments in the order of the standard.

        Raises GatewayError.
        """
        request = action_request(
            self.service.control_url, self.service.service_type, action, arguments
        )
        return parse_answer(action, await self.requester.async_http_request(request))

    async def call_for_any(self, action: str, **arguments: str | int) -> dict[str, str]:
        """Call an action on a mapping that any remote host may use. Raises GatewayError.

        An empty NewRemoteHost says so (WANIPConnection:1 section 2.2.16). A gateway that refuses
        that, and wants a wildcard, means another way to write it.
        """
        try:
            return await self.call(action, NewRemoteHost=self._any_host, **arguments)
        except ActionRefused as err:
            if err.code != UpnpCode.REMOTE_HOST_ONLY_WILDCARD or self._any_host:
                raise
        self._any_host = "*"
        return await self.call(action, NewRemoteHost=self._any_host, **arguments)
