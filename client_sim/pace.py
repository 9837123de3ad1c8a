"""A pace: a client-side limit of the requests a second."""

_NS_PER_S = 1_000_000_000


class Pace:
    """Evenly spaced time slots; an unused slot is lost, so that no burst follows a quiet second."""

    __slots__ = ("_every_ns", "_next_ns")

    def __init__(self, per_second: float) -> None:
        assert per_second > 0
        self._every_ns = round(_NS_PER_S / per_second)
        self._next_ns = 0

    def slot(self, now_ns: int) -> int:
        """Take the next free slot and return its time, *now_ns* at the earliest."""
        at_ns = max(now_ns, self._next_ns)
        self._next_ns = at_ns + self._every_ns
        return at_ns
