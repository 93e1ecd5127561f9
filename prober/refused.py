"""Why a question is not answered."""


class Refused(Exception):
    """The HTTP `status` and the `code` that say why; `retry_after` in seconds, with 429 only.

    Nothing in it tells who asked.
    """

    def __init__(self, status: int, code: str, retry_after: float = 0.0) -> None:
        """Keep what the answer will say."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.retry_after = retry_after
