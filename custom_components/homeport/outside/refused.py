"""Why a prober refuses its user, where the user can mend that."""

from .errors import OutsideError


class ProberRefused(OutsideError):
    """The prober does not look. `translation_key` names the explanation."""

    def __init__(self, translation_key: str) -> None:
        """Take the name of the explanation."""
        super().__init__(translation_key)
        self.translation_key = translation_key
