"""Why an outside service gave no usable answer."""


class OutsideError(Exception):
    """No answer that can be believed. `translation_key` names the explanation."""

    translation_key = "outside_invalid"


class OutsideUnreachable(OutsideError):
    """No connection, or no answer in time."""

    translation_key = "outside_unreachable"


class OutsideInvalid(OutsideError):
    """An answer that is not what the service is there to give."""

    translation_key = "outside_invalid"


class OtherAddress(OutsideError):
    """The prober tried another address than the one that was meant."""

    translation_key = "outside_other_address"
