"""A violation: one invariant of docs/invariants.md that did not hold, with the fewest records that show it."""

from dataclasses import dataclass, replace

from loadtest.record.shape import Line

INVARIANTS: dict[str, str] = {
    "A1": "no over-issuance",
    "A2": "exact drain, no under-issuance",
    "A3": "one share per viewer",
    "A4": "no phantom",
    "A5": "nothing acknowledged is lost",
    "A6": "idempotent",
    "A7": "real time",
    "A8": "exact shares",
    "A9": "fan-out",
    "A10": "money",
    "A12": "answered",
    "A13": "legal refusals",
    "A14": "facts true and in time",
}
"""Every invariant that gates, in order, with its display name."""


@dataclass(frozen=True, slots=True)
class Violation:
    """``packet_id`` is "" where the violation belongs to a connection or a wallet; ``detail`` then names it."""

    invariant: str
    packet_id: str
    detail: str
    evidence: tuple[Line, ...]


class Findings:
    """
    Collects violations: the first of each kind is shown, the others are counted.

    A broken server may break an invariant thousands of times; one counterexample and a count are enough.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[str, str, str], Violation] = {}
        self._count: dict[tuple[str, str, str], int] = {}

    def add(self, invariant: str, packet_id: str, kind: str, detail: str, *evidence: Line) -> None:
        """Note that *invariant* is broken in the way that *kind* names, at this packet."""
        key = (invariant, packet_id, kind)
        self._first.setdefault(key, Violation(invariant, packet_id, detail, evidence))
        self._count[key] = self._count.get(key, 0) + 1

    def take(self, other: "Findings") -> None:
        """Add what *other* has collected."""
        for key, first in other._first.items():
            self._first.setdefault(key, first)
            self._count[key] = self._count.get(key, 0) + other._count[key]

    def violations(self) -> list[Violation]:
        """Return one violation for each invariant, packet and kind, in the order of the invariants."""
        rank = {invariant: at for at, invariant in enumerate(INVARIANTS)}
        shown = [_with_count(first, self._count[key]) for key, first in self._first.items()]
        return sorted(shown, key=lambda violation: (rank[violation.invariant], violation.packet_id))


def _with_count(first: Violation, count: int) -> Violation:
    if count == 1:
        return first
    return replace(first, detail=f"{first.detail} (the first of {count})")
