"""Counting who knocks where, in the network itself."""

from dataclasses import dataclass
import json

from tests.lab import Host

_TABLE = """
table inet knocks {{
  {counters}
  chain pass {{
    type filter hook {hook} priority -300; policy accept;
    {rules}
  }}
}}
"""
BEGINS = "tcp flags & (syn | ack) == syn"
"""What begins a connection; of UDP every datagram may."""


@dataclass(frozen=True, slots=True)
class Knocks:
    """The counters of one machine, each of the packets that fit its rules."""

    host: Host

    @classmethod
    def count(cls, host: Host, hook: str = "prerouting", **rules: str | tuple[str, ...]) -> Knocks:
        """Begin to count, by name, what fits one of its rules of nft."""
        counters = "\n  ".join(f"counter {name} {{ }}" for name in rules)
        lines = "\n    ".join(
            f'{rule} counter name "{name}"'
            for name, of in rules.items()
            for rule in ((of,) if isinstance(of, str) else of)
        )
        table = _TABLE.format(counters=counters, hook=hook, rules=lines)
        host.run("nft", "-f", "-", stdin=table)
        return cls(host)

    def so_far(self) -> dict[str, int]:
        """Return how many there were, by name."""
        listed = json.loads(
            self.host.run("nft", "-j", "list", "counters", "table", "inet", "knocks")
        )
        found = [each["counter"] for each in listed["nftables"] if "counter" in each]
        return {each["name"]: each["packets"] for each in found}

    def forget(self) -> None:
        """Begin anew."""
        self.host.run("nft", "reset", "counters", "table", "inet", "knocks")
