"""A viewer's pings, comments and hearts: when, and in which mood; and the deterministic jitter of all its actions."""

import zlib

from client_sim.message_cache import CachedMessage
from client_sim.talk import PHRASES, Mood, talk
from server.core.ids import ViewerId
from server.core.packets.claim import ClaimStatus

PINGS_AT_FIRST = 3
PING_SOON_NS = 100_000_000
PING_LATER_NS = 20_000_000_000
TALK_NS = 4_000_000_000  # between two comments or hearts of a commenter, +/- 50%
NEVER_NS = 2**63 - 1
CHINESE = 0.6  # fraction of the viewers who comment in Chinese; the others do in English
_LANGUAGE_SALT = -1

_MOODS = {
    "warmup": Mood.WAITING,
    "open": Mood.CHEERING,
    "sold_out": Mood.SOLD_OUT,
    "reopened": Mood.MORE,
    "voided": Mood.VOIDED,
}
_UNMOVED = {
    Mood.SOLD_OUT: frozenset({Mood.WON}),
    Mood.VOIDED: frozenset(Mood) - {Mood.WAITING},  # a packet that was never announced may be voided, too
}
_LASTING = frozenset({Mood.WATCHING, Mood.WAITING})  # others are said once


def jitter(seed: int, seat_number: int, salt: int) -> float:
    """Return a pseudo-random number in [0, 1), the same in every run, without a generator per viewer."""
    return zlib.crc32(b"%d:%d:%d" % (seed, seat_number, salt)) / 2**32


class SmallTalk:
    """The pings, comments and hearts of one seat in a live room; other targets get none."""

    __slots__ = ("_amount_fen", "_mood", "_next_talk_ns", "_number", "_pings", "_seed", "_talks", "next_ping_ns")

    def __init__(self, seed: int, seat_number: int) -> None:
        self.next_ping_ns = NEVER_NS
        self._seed = seed
        self._number = seat_number
        self._pings = 0
        self._talks = 0
        self._next_talk_ns = NEVER_NS
        self._mood = Mood.WATCHING
        self._amount_fen = 0

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
        comments = PHRASES[self._mood][self._jitter(_LANGUAGE_SALT) >= CHINESE]
        said = talk(self._talks, luck, comments, self._amount_fen)
        if self._talks % 2 and self._mood not in _LASTING:
            self._mood = Mood.WATCHING
        return said

    def saw(self, fact: CachedMessage, viewer_id: ViewerId) -> None:
        """Take the mood of *viewer_id* from a fact of its room; one that has won is not sorry that it sold out."""
        if fact.kind == "result":
            best = fact.body.get("best_luck")
            if best:
                mine = best[0]["viewer_id"] == viewer_id
                self._mood, self._amount_fen = Mood.LUCKIEST if mine else Mood.LUCK, best[0]["amount_fen"]
        elif (mood := _MOODS.get(fact.kind)) and self._mood not in _UNMOVED.get(mood, ()):
            self._mood = mood

    def answered(self, status: ClaimStatus, amount_fen: int) -> None:
        """Take the mood from the receipt of the viewer's own grab."""
        if status == ClaimStatus.GRANTED:
            self._mood, self._amount_fen = Mood.WON, amount_fen
        elif status == ClaimStatus.EXHAUSTED:
            self._mood = Mood.LOST

    def _jitter(self, salt: int) -> float:
        return jitter(self._seed, self._number, salt)
