"""What automations are told of the line."""

from collections.abc import Callable
from dataclasses import dataclass

from ..line import LineReport

IPV4_CHANGED = "ipv4_changed"
IPV6_CHANGED = "ipv6_changed"
IPV6_PREFIX_CHANGED = "ipv6_prefix_changed"
LINE_CHANGED = "line_changed"


@dataclass(frozen=True, slots=True)
class AddressEvent:
    """A change of one of the above kinds; `old` is what was known last, also before a restart."""

    kind: str
    old: str | None
    new: str | None


_VALUES: dict[str, Callable[[LineReport], object]] = {
    IPV4_CHANGED: lambda line: line.confirmed_ipv4 or line.public_ipv4,
    IPV6_PREFIX_CHANGED: lambda line: line.ipv6_prefix,
    IPV6_CHANGED: lambda line: line.public_ipv6,
    LINE_CHANGED: lambda line: line.mode if line.confidence.is_sure else None,
}


def changes(seen: dict[str, str], line: LineReport) -> list[AddressEvent]:
    """Return what a report brings that is new, and note it in `seen`, by kind of event.

    What is not known any more is no change: it may come back as it was.
    """
    found = []
    for kind, value_of in _VALUES.items():
        value = value_of(line)
        if value is None or (old := seen.get(kind)) == str(value):
            continue
        seen[kind] = str(value)
        if old is not None:
            found.append(AddressEvent(kind, old, str(value)))
    return found
