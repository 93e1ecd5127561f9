"""What a router does that others do not, and what must come of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.igd.fake import FakeIgd
from tests.fakes.igd.table import Entry
from tests.fakes.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a client gets out of a router, step by step; the defaults are what one wants.

    The steps: connect; read the WAN; open 18123; read that back; open 18125, or any of 18200 and
    18201; read the table; close both and see that they are gone; hear an event. A step that fails
    is the name of its error, with the UPnP code if there is one.
    """

    service: str = "WANIPConnection:1"
    wan: str = "connected 11.22.33.44"
    opened: str = "18123 for 3600 s"
    read: str = "ours, 3600 s"
    anywhere: str = "18125"
    listed: str = "2"
    closed: str = "gone"
    events: str = "heard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A router with a quirk.

    - `does`: the quirk, and where it is known from
    - `options`: of FakeIgd; `faults`, `answers`, `rewrite`: see there; `held`: its table
    - `description`: takes the good description; returns a bad one
    - `scpd`, `events`: what is answered instead
    - `lease`, `client`, `internal_port`: what is asked of it
    """

    name: str
    does: str
    options: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    answers: Mapping[str, Reply] = field(default_factory=dict)
    rewrite: Callable[[str, str], str] | None = None
    held: tuple[Entry, ...] = ()
    description: Callable[[str], Reply] | None = None
    scpd: Reply | None = None
    events: Reply | None = None
    lease: int = 3600
    client: str = "127.0.0.1"
    internal_port: int = 8123
    must: Outcome = Outcome()

    def prepare(self, igd: FakeIgd) -> None:
        """Give a router that was started with `options` its quirk."""
        igd.faults.update(self.faults)
        igd.answers.update(self.answers)
        igd.rewrite = self.rewrite
        igd.table.update({entry.key: entry for entry in self.held})
        igd.scpd = self.scpd
        igd.events = self.events
        if self.description:
            igd.description = self.description(igd.description_xml())


def xml(body: str | bytes, status: int = 200) -> Reply:
    """Return XML as an answer."""
    return Reply(status=status, body=body, content_type="text/xml")


def replaced(old: str, new: str, count: int = -1) -> Callable[[str], Reply]:
    """Return what puts one text in the place of another in a description."""
    return lambda good: xml(good.replace(old, new, count))


def rewritten(action: str, old: str, new: str) -> Callable[[str, str], str]:
    """Return what puts one text in the place of another in the answers to an action."""
    return lambda asked, body: body.replace(old, new) if asked == action else body


def nothing_but(service: str) -> Outcome:
    """Return what comes of a router that cannot be connected to, for this reason."""
    return Outcome(
        service=service,
        **dict.fromkeys(("wan", "opened", "read", "anywhere", "listed", "closed", "events"), "-"),
    )


def no_opening(refusal: str, **others: str) -> Outcome:
    """Return what comes of a router that opens nothing, for this reason."""
    refused = dict.fromkeys(("opened", "anywhere"), refusal)
    return Outcome(**({"read": "none", "listed": "0", "closed": "-"} | refused | others))
