"""A countdown: converts room time to a viewer's local clock, by the reading with the shortest round trip."""

_NS_PER_MS = 1_000_000
_DRIFT_PPM = 100  # how fast two clocks may drift apart: a reading ages until a newer, longer one is better


class Countdown:
    """
    Room time on a local clock: ``room = server_ms + (local - local_then) * speed`` (docs/protocol.md).

    Local instants are nanoseconds, room instants milliseconds. The welcome gives a first, rough reading.
    """

    __slots__ = ("_asked_ms", "_asked_ns", "_local_ns", "_rtt_ns", "_server_ms", "speed")

    def __init__(self, server_ms: int, now_ns: int, speed: int) -> None:
        self.speed = max(1, speed)
        self._server_ms = server_ms
        self._local_ns = now_ns
        self._rtt_ns: int | None = None
        self._asked_ms = -1
        self._asked_ns = 0

    def local_ns(self, room_ms: int) -> int:
        """Return the local instant at which room time is *room_ms*."""
        return self._local_ns + (room_ms - self._server_ms) * _NS_PER_MS // self.speed

    def room_ms(self, local_ns: int) -> int:
        """Return the room time at a local instant, in whole milliseconds that have passed."""
        return self._server_ms + (local_ns - self._local_ns) * self.speed // _NS_PER_MS

    def ask(self, now_ns: int) -> int:
        """Begin a reading; return the ``client_ms`` of the ping that takes it."""
        self._asked_ns = now_ns
        self._asked_ms = now_ns // _NS_PER_MS
        return self._asked_ms

    def answered(self, client_ms: int, server_ms: int, now_ns: int) -> int | None:
        """End a reading with the values of the pong. Returns the round trip if the reading was the best, else None."""
        if client_ms != self._asked_ms:
            return None
        self._asked_ms = -1
        rtt_ns = now_ns - self._asked_ns
        age_ns = now_ns - self._local_ns
        if self._rtt_ns is not None and rtt_ns > self._rtt_ns + age_ns * _DRIFT_PPM // 1_000_000:
            return None
        self._rtt_ns = rtt_ns
        self._server_ms = server_ms
        self._local_ns = now_ns - rtt_ns // 2
        return rtt_ns
