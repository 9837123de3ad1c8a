"""What the viewers of a room say and how many they are: gathered, bounded, and told when it is news."""

from collections.abc import Sequence
from typing import NamedTuple

from server.core.ids import ViewerId
from server.core.rooms import messages

COMMENTS_OF_WINDOW_MAX = 50  # nobody reads 250 a second; at their longest one message of them is 18 KiB
AUDIENCE_EVERY_MS = 5_000  # real; the audience is told so often even if nothing has changed


class Said(NamedTuple):
    """A comment and who made it."""

    viewer_id: ViewerId
    text: str


class Window(NamedTuple):
    """
    The comments of one window: what to tell here, and what was said here, for other processes to tell.

    ``dropped`` counts those that came in this window and are not told here.
    """

    told: list[Said]
    own: list[Said]
    dropped: int


class Chatter:
    """One room's comments of the window that is open, its likes since they were last taken, the audience last told."""

    __slots__ = ("_dropped", "_heard", "_likes", "_own", "_told", "_told_ms")

    def __init__(self) -> None:
        self._own: list[Said] = []
        self._heard: list[Said] = []
        self._dropped = 0
        self._likes = 0
        self._told: tuple[int, int] | None = None
        self._told_ms = 0

    def say(self, viewer_id: ViewerId, text: str) -> None:
        """Take a comment of a viewer of this process."""
        if len(self._own) < COMMENTS_OF_WINDOW_MAX:
            self._own.append(Said(viewer_id, text))
        else:
            self._dropped += 1

    def hear(self, comments: Sequence[Said]) -> None:
        """Take what was said to another process."""
        kept = comments[: COMMENTS_OF_WINDOW_MAX - len(self._heard)]
        self._heard += kept
        self._dropped += len(comments) - len(kept)

    def close_window(self) -> Window:
        """
        Return the comments of this window and begin the next.

        At most COMMENTS_OF_WINDOW_MAX are told. If there are more, half of the places are for what other processes
        heard: a room is one room, however many processes serve it.
        """
        own, heard = self._own, self._heard
        elsewhere = heard[: max(COMMENTS_OF_WINDOW_MAX - len(own), COMMENTS_OF_WINDOW_MAX // 2)]
        told = elsewhere + own[: COMMENTS_OF_WINDOW_MAX - len(elsewhere)]
        dropped = self._dropped + len(own) + len(heard) - len(told)
        self._own, self._heard, self._dropped = [], [], 0
        assert len(told) <= COMMENTS_OF_WINDOW_MAX
        return Window(told, own, dropped)

    def like(self, count: int) -> None:
        """Take likes."""
        self._likes += count

    @property
    def liked(self) -> bool:
        """Tell whether there are likes that were not taken."""
        return self._likes > 0

    def take_likes(self) -> int:
        """Return the likes since the last time, to be added to the room's total."""
        likes, self._likes = self._likes, 0
        return likes

    def count(self, viewers: int, likes: int, now_ms: int) -> bytes | None:
        """
        Return the ``audience`` message for these numbers if it is time for one: they changed, or were not told of late.

        *now_ms* is real, from any clock that does not go back.
        """
        if (viewers, likes) == self._told and now_ms - self._told_ms < AUDIENCE_EVERY_MS:
            return None
        self._told, self._told_ms = (viewers, likes), now_ms
        return messages.audience(viewers, likes)
