"""The reconnect policy of both engines: when and to which host a viewer reconnects after a loss or a refusal."""

import zlib
from random import Random

PAUSE_S = (0.1, 2.0)  # before the next attempt: at first, at most; give or take a half
LEFT_IN_ORDER = frozenset({1000, 1001})  # the server closed normally: no failure
_luck = Random()  # jitter of reconnects only


class Reconnect:
    """The connection attempts of one seat: the pause doubles until one succeeds, and each tries the next host."""

    __slots__ = ("_attempts", "_pause_s")

    def __init__(self, seat_number: int) -> None:
        self._pause_s = PAUSE_S[0]
        self._attempts = zlib.crc32(b"%d" % seat_number)

    def next_host(self, hosts: int) -> int:
        """Return which of *hosts* hosts to try: first the seat's own, which spreads a room over all hosts."""
        self._attempts += 1
        return (self._attempts - 1) % hosts

    def welcomed(self) -> None:
        """Reset the pause after a connection that was welcomed."""
        self._pause_s = PAUSE_S[0]

    def next_pause_s(self) -> float:
        """Return how many seconds to wait before the next attempt."""
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, PAUSE_S[1])
        return pause_s * (0.5 + _luck.uniform(0, 1))
