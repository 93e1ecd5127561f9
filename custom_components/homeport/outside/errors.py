"""Why an outside service gave no usable answer."""

from collections.abc import Iterable

from .family import IPAddress


class OutsideError(Exception):
    """No answer that can be believed. `translation_key` names the explanation."""

    translation_key = "outside_invalid"


class OutsideUnreachable(OutsideError):
    """No connection, or no answer in time."""

    translation_key = "outside_unreachable"


class OutsideInvalid(OutsideError):
    """An answer that is not what the service is there to give."""

    translation_key = "outside_invalid"


class OutsideRefused(OutsideInvalid):
    """The service does not answer this question, or not us.

    - `status`: the HTTP status; `code`: the word for the reason in its answer, or an empty text
    """

    def __init__(self, status: int, code: str = "") -> None:
        """Keep what it has said."""
        super().__init__(f"HTTP {status} {code}".rstrip())
        self.status = status
        self.code = code


class OutsideBusy(OutsideError):
    """The service wants to be asked less often; whoever asks it waits, and tells nobody.

    - `retry_after`: seconds until it may be asked again; None if it does not say
    """

    def __init__(self, retry_after: int | None = None) -> None:
        """Keep when it may be asked again."""
        super().__init__("the service wants to be asked less often")
        self.retry_after = retry_after


class OutsideDisagree(OutsideError):
    """Several services see us at different `addresses`, and no two of them at the same.

    The addresses are not in the text, which may be logged.
    """

    translation_key = "outside_disagree"

    def __init__(self, addresses: Iterable[IPAddress]) -> None:
        """Keep the addresses, in the order in which they were said."""
        super().__init__("the services contradict each other")
        self.addresses = tuple(addresses)


class OtherAddress(OutsideError):
    """The prober tried another address than the one that was meant."""

    translation_key = "outside_other_address"
