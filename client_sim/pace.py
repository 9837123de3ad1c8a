"""A pace: no more than so many requests a second, however many people want to tap at once."""

_NS_PER_S = 1_000_000_000


class Pace:
    """Slots in time, one after the other; an unused one is lost, so that no burst makes up for a quiet second."""

    __slots__ = ("_every_ns", "_next_ns")

    def __init__(self, per_second: float) -> None:
        assert per_second > 0
        self._every_ns = round(_NS_PER_S / per_second)
        self._next_ns = 0

    def slot(self, now_ns: int) -> int:
        """Take the next free slot and return when it is, *now_ns* at the earliest."""
        at_ns = max(now_ns, self._next_ns)
        self._next_ns = at_ns + self._every_ns
        return at_ns
