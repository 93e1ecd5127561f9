"""Which external ports belong to a home that shares its IPv4 address with others."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_BITS = 16
_LAST_PORT = (1 << _BITS) - 1


@dataclass(frozen=True, slots=True)
class PortSet:
    """A port set by the algorithm of RFC 7597 section 5.1.

    A port is written as `offset` bits A, `psid_length` bits PSID, and the rest; it is in the set if
    its PSID bits are `psid`. A = 0 is left out where there are offset bits at all, which keeps the
    system ports out. Without offset bits the set is one range, and the RFC leaves the system ports
    to the home with the PSID 0. Without PSID bits the address is not shared, and the set is every
    port. Port 0 is reserved (RFC 6335 section 6), and so in no set.

    Raises ValueError for values that make no set, or an empty one.
    """

    offset: int
    psid_length: int
    psid: int

    def __post_init__(self) -> None:
        """Refuse what is none. An offset of 16 bits would leave none for the ports (RFC 7598)."""
        if not 0 <= self.offset < _BITS:
            raise ValueError(f"an offset of {self.offset} bits")
        if not 0 <= self.psid_length <= _BITS - self.offset:
            raise ValueError(f"a PSID of {self.psid_length} bits behind {self.offset} of offset")
        if not 0 <= self.psid < 1 << self.psid_length:
            raise ValueError(f"PSID {self.psid} of {self.psid_length} bits")
        if self.psid_length == _BITS and self.psid == 0:
            raise ValueError("a set of port 0 alone")

    def __contains__(self, port: int) -> bool:
        """Say whether a port is in the set."""
        if not 0 < port <= _LAST_PORT:
            return False
        if self._offset and not port >> (_BITS - self._offset):
            return False
        return (port >> self._block_bits) & ((1 << self.psid_length) - 1) == self.psid

    def __len__(self) -> int:
        """Return the number of ports."""
        if self._offset:
            return ((1 << self._offset) - 1) << self._block_bits
        return (1 << self._block_bits) - (self.psid == 0)

    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Return the first and the last port of each contiguous range, ascending."""
        return tuple(self._block(number) for number in range(self._first, 1 << self._offset))

    def nearest(self, port: int) -> int:
        """Return the port of the set that is nearest to a port; the higher one of two."""
        number = port >> (_BITS - self._offset)
        near = set[int]()
        for each in (number - 1, number, number + 1):
            first, last = self._block(min(max(each, self._first), (1 << self._offset) - 1))
            near.add(min(max(port, first), last))
        return min(near, key=lambda each: (abs(each - port), -each))

    @property
    def _offset(self) -> int:
        return self.offset if self.psid_length else 0

    @property
    def _first(self) -> int:
        """The first value of A that counts."""
        return 1 if self._offset else 0

    @property
    def _block_bits(self) -> int:
        return _BITS - self._offset - self.psid_length

    def _block(self, number: int) -> tuple[int, int]:
        """Return the first and the last port with A = `number`."""
        first = number << (_BITS - self._offset) | self.psid << self._block_bits
        return max(first, 1), first + (1 << self._block_bits) - 1


class Outcome(StrEnum):
    """What mapped ports say about the line."""

    ONE_SET = "one_set"
    """They all are in one port set, and a NAT without one would not have chosen them so."""
    SPREAD = "spread"
    """No port set of any likely shape holds them all."""
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Inference:
    """What follows from mapped ports; `port_set` is there with `ONE_SET` only."""

    outcome: Outcome
    port_set: PortSet | None = None


type Shape = tuple[int, int]
"""The offset and the length of the PSID, in bits."""

SHAPES: tuple[Shape, ...] = ((4, 8), (6, 6), (0, 2))
"""The shapes in use: v6プラス, BIGLOBE and NURO; OCN, and MAP-T in Italy; Free in France."""

_LEAST_SAMPLES = 8
_LEAST_BLOCKS = 3
# Bits. Random ports fall into one set of a shape with a chance of about one in two to this power.
_LEAST_SURPRISE = 20
# A quarter of the range. A carrier's NAT gives a customer a block of this size at most.
_QUARTER = 1 << 14
_NARROWEST_RANGE = 2
# The bits that can belong to a PSID: sets have at least four ports in a row.
_PSID_BITS = 0xFFFC


def infer(ports: Sequence[tuple[int, int]], shapes: Sequence[Shape] = SHAPES) -> Inference:
    """Return what pairs of a local port and the external port that it was mapped to say.

    `shapes` are tried in this order; put the one first that a rule for the address gives. Nothing
    is concluded from fewer than eight different ports, nor from ports that a NAT left as they are,
    nor where a carrier's block of ports would look the same. Ports outside 1-65535 are ignored.
    """
    valid = [(local, mapped) for local, mapped in ports if 0 < mapped <= _LAST_PORT]
    seen = {mapped for _, mapped in valid}
    if min(len(seen), len({local for local, _ in valid})) < _LEAST_SAMPLES:
        return Inference(Outcome.INCONCLUSIVE)
    # A NAT that keeps ports where it can shows by the others what it may use.
    kept = sum(local == mapped for local, mapped in valid)
    if kept * 2 <= len(valid):
        for offset, psid_length in shapes:
            if (found := _set_of(seen, offset, psid_length)) is not None:
                return Inference(Outcome.ONE_SET, found)
    return Inference(Outcome.SPREAD if _spread(seen) else Outcome.INCONCLUSIVE)


def _set_of(ports: set[int], offset: int, psid_length: int) -> PortSet | None:
    """Return the set of a shape that the ports show; None if they are in several, or show less."""
    block_bits = _BITS - offset - psid_length
    psids = {(port >> block_bits) & ((1 << psid_length) - 1) for port in ports}
    if len(psids) > 1 or psid_length * (len(ports) - 1) < _LEAST_SURPRISE:
        return None
    found = PortSet(offset, psid_length, psids.pop())
    shown = _shows_blocks(ports, found) if offset else _shows_range(ports, found)
    return found if shown else None


def _shows_blocks(ports: set[int], found: PortSet) -> bool:
    """Say whether the ports are all over a set of blocks, and in none of a narrower kind.

    Ports that fit one more bit of PSID, before or behind, may be of either set.
    """
    blocks = {port >> (_BITS - found.offset) for port in ports}
    if len(blocks) < _LEAST_BLOCKS or 0 in blocks:
        return False
    constant, behind = _constant_bits(ports), _BITS - found.offset - found.psid_length
    before = 1 << (_BITS - found.offset)
    return not constant & (before | (1 << behind >> 1))


def _shows_range(ports: set[int], found: PortSet) -> bool:
    """Say whether the ports are all over a range that nothing but a port set explains.

    Not the last one: it holds the dynamic ports (RFC 6335 section 6, 49152-65535), which many a NAT
    picks from. Nor one narrower than a quarter: that may be a carrier's block of ports.
    """
    last = found.psid == (1 << found.psid_length) - 1
    if last or found.psid_length > _NARROWEST_RANGE:
        return False
    return (max(ports) - min(ports)) * 4 >= (_LAST_PORT >> found.psid_length) * 3


def _spread(ports: set[int]) -> bool:
    """Say whether the ports can be in no port set, nor in a carrier's block of ports.

    A set has a PSID of at least two bits that are the same in all its ports, wherever they stand;
    of a single bit it is too likely by chance.
    """
    constant = _constant_bits(ports)
    pairs = constant & (constant >> 1) & _PSID_BITS
    return not pairs and max(ports) - min(ports) > _QUARTER


def _constant_bits(ports: set[int]) -> int:
    """Return a mask of the bits that are the same in all ports."""
    ones, zeros = _LAST_PORT, _LAST_PORT
    for port in ports:
        ones &= port
        zeros &= ~port
    return ones | zeros
