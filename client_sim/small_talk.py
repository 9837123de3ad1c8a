"""The timing of a viewer's pings, comments and hearts, and the deterministic jitter of all its actions."""

import zlib

from client_sim.talk import talk

PINGS_AT_FIRST = 3
PING_SOON_NS = 100_000_000
PING_LATER_NS = 20_000_000_000
TALK_NS = 4_000_000_000  # between two comments or hearts of a commenter, +/- 50%
NEVER_NS = 2**63 - 1


def jitter(seed: int, seat_number: int, salt: int) -> float:
    """Return a pseudo-random number in [0, 1), the same in every run, without a generator per viewer."""
    return zlib.crc32(b"%d:%d:%d" % (seed, seat_number, salt)) / 2**32


class SmallTalk:
    """The pings, comments and hearts of one seat in a live room; other targets get none."""

    __slots__ = ("_next_talk_ns", "_number", "_pings", "_seed", "_talks", "next_ping_ns")

    def __init__(self, seed: int, seat_number: int) -> None:
        self.next_ping_ns = NEVER_NS
        self._seed = seed
        self._number = seat_number
        self._pings = 0
        self._talks = 0
        self._next_talk_ns = NEVER_NS

    def begin(self, now_ns: int, *, talks: bool) -> None:
        """Start after the welcome to a live room: the first ping is due at once."""
        self._pings = 0
        self.next_ping_ns = now_ns
        if talks:
            self._next_talk_ns = now_ns + round(TALK_NS * self._jitter(self._talks))

    def next_ns(self) -> int:
        """Return when the next message is due."""
        return min(self.next_ping_ns, self._next_talk_ns)

    def pinged(self, now_ns: int) -> None:
        """Schedule the next ping after one that was sent."""
        self._pings += 1
        pause_ns = PING_SOON_NS if self._pings < PINGS_AT_FIRST else PING_LATER_NS
        self.next_ping_ns = now_ns + round(pause_ns * (0.75 + self._jitter(self._pings) / 2))

    def utterance(self, now_ns: int) -> bytes | None:
        """Return the comment or the hearts due at *now_ns*, or None."""
        if now_ns < self._next_talk_ns:
            return None
        luck = self._jitter(self._talks)
        self._talks += 1
        self._next_talk_ns = now_ns + round(TALK_NS * (0.5 + self._jitter(self._talks)))
        return talk(self._talks, luck)

    def _jitter(self, salt: int) -> float:
        return jitter(self._seed, self._number, salt)
