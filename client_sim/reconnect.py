"""How soon, and where, somebody comes back whose connection was lost or refused: one policy for both engines."""

import zlib
from random import Random

PAUSE_S = (0.1, 2.0)  # before the next attempt: at first, at most; give or take a half
LEFT_IN_ORDER = frozenset({1000, 1001})  # the other side said goodbye: no failure
_luck = Random()  # only spreads reconnects


class Reconnect:
    """The attempts of one seat: each pause twice the last until it was let in, each time the next host."""

    __slots__ = ("_attempts", "_pause_s")

    def __init__(self, seat_number: int) -> None:
        self._pause_s = PAUSE_S[0]
        self._attempts = zlib.crc32(b"%d" % seat_number)

    def next_host(self, hosts: int) -> int:
        """Return which of so many hosts to try: the seat's own at first; a room's seats spread over all of them."""
        self._attempts += 1
        return (self._attempts - 1) % hosts

    def welcomed(self) -> None:
        """Take note that the viewer is in: the next pause is a short one."""
        self._pause_s = PAUSE_S[0]

    def next_pause_s(self) -> float:
        """Return how many seconds to wait before the next attempt."""
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, PAUSE_S[1])
        return pause_s * (0.5 + _luck.uniform(0, 1))
