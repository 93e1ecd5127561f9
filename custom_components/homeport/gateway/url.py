"""URLs as somebody on the network has written them."""

from yarl import URL


def read_url(text: str) -> URL:
    """Return the URL that a text is. Raises ValueError where it is none."""
    try:
        return URL(text)
    except IndexError as err:  # what yarl 1.25 does with the authority "[]@"
        raise ValueError("not a URL") from err
