"""How many shares of a packet were left, by its journal, at every instant of a run."""

from bisect import bisect_right
from itertools import pairwise

from loadtest.verdict.audit.case import DEFAULT_ALLOCATOR, PacketCase
from loadtest.verdict.audit.circumstances import RoomTimes


class SharesLeft:
    """
    The numbers of shares left as a step function: ``left[i]`` from ``at_ns[i]`` on.

    It is *exact* if shares are given and written down in one step. Otherwise they are written in another order than
    given, and any number between two true ones may have been read.
    """

    def __init__(self, at_ns: list[int], left: list[int], *, exact: bool) -> None:
        self.at_ns = at_ns
        self.left = left
        self._exact = exact

    def allows(self, count: int | None, from_ns: int, to_ns: int) -> bool:
        """Tell whether so many shares were left at any instant of a span."""
        true = self.between(from_ns, to_ns)
        return count in true or (not self._exact and count is not None and min(true) <= count <= max(true))

    def between(self, from_ns: int, to_ns: int) -> list[int]:
        """Return the numbers that were true at any instant of a span, in order."""
        first = max(0, bisect_right(self.at_ns, from_ns) - 1)
        return self.left[first : max(first + 1, bisect_right(self.at_ns, to_ns))]


def shares_left(case: PacketCase, times: RoomTimes) -> SharesLeft | None:
    """Return the steps of a packet; None if the start of its journal was retired, or its dates are false (A7)."""
    packet = case.packet
    if packet is None or not packet.issued:
        return None
    exact = packet.allocator == DEFAULT_ALLOCATOR
    if exact and any(after.at_ms < before.at_ms for before, after in pairwise(case.entries)):
        return None
    issued = {each.edition: each.first_index + each.share_count for each in packet.issued}
    whole, given, before_all = next(iter(issued.values())), 0, -(2**62)
    at_ns, left = [before_all], [whole]
    for entry in sorted(case.entries, key=lambda entry: entry.at_ms):
        match entry.movement:
            case "claim":
                given += len(entry.claims or ())
            case "edit" | "trim":
                whole = issued.get(entry.edition or 0, whole)
            case "sweep" | "void" | "end":
                whole = given
            case _:
                continue
        at_ns.append(times.ns(entry.at_ms))
        left.append(max(0, whole - given))
    return SharesLeft(at_ns, left, exact=exact) if given == packet.given else None
