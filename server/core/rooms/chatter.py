"""Comments, likes and viewer counts of a room: collected, bounded, and published when they change."""

from collections.abc import Sequence
from typing import NamedTuple

from server.core.ids import ViewerId
from server.core.rooms import messages

COMMENTS_OF_WINDOW_MAX = 50  # nobody reads 250 a second; at their longest one message of them is 18 KiB
AUDIENCE_EVERY_MS = 5_000  # real; the audience is published this often even if nothing has changed


class Said(NamedTuple):
    """A comment and its author."""

    viewer_id: ViewerId
    text: str


class Window(NamedTuple):
    """
    The comments of one window: those to publish here, and those made here, for the other processes.

    ``dropped`` counts those that arrived in this window and are not published here.
    """

    published: list[Said]
    own: list[Said]
    dropped: int


class Chatter:
    """One room's comments of the open window, its likes since they were last taken, and its last published audience."""

    __slots__ = ("_dropped", "_likes", "_own", "_received", "_told", "_told_ms")

    def __init__(self) -> None:
        self._own: list[Said] = []
        self._received: list[Said] = []
        self._dropped = 0
        self._likes = 0
        self._told: tuple[int, int] | None = None
        self._told_ms = 0

    def say(self, viewer_id: ViewerId, text: str) -> bool:
        """Take a comment of a viewer of this process; return whether there was room for it in this window."""
        if len(self._own) < COMMENTS_OF_WINDOW_MAX:
            self._own.append(Said(viewer_id, text))
            return True
        self._dropped += 1
        return False

    def receive(self, comments: Sequence[Said]) -> None:
        """Take comments from another process."""
        kept = comments[: COMMENTS_OF_WINDOW_MAX - len(self._received)]
        self._received += kept
        self._dropped += len(comments) - len(kept)

    def close_window(self) -> Window:
        """
        Return the comments of this window and start the next.

        At most COMMENTS_OF_WINDOW_MAX are published. If there are more, half of the places go to other processes'
        comments, because all processes of a room share it.
        """
        own, received = self._own, self._received
        elsewhere = received[: max(COMMENTS_OF_WINDOW_MAX - len(own), COMMENTS_OF_WINDOW_MAX // 2)]
        published = elsewhere + own[: COMMENTS_OF_WINDOW_MAX - len(elsewhere)]
        dropped = self._dropped + len(own) + len(received) - len(published)
        self._own, self._received, self._dropped = [], [], 0
        assert len(published) <= COMMENTS_OF_WINDOW_MAX
        return Window(published, own, dropped)

    def like(self, count: int) -> None:
        """Take likes."""
        self._likes += count

    @property
    def liked(self) -> bool:
        """Return whether there are likes that were not taken."""
        return self._likes > 0

    def take_likes(self) -> int:
        """Return the likes since the last call, to be added to the room's total."""
        likes, self._likes = self._likes, 0
        return likes

    def count(self, viewers: int, likes: int, now_ms: int) -> bytes | None:
        """
        Return the ``audience`` message for these numbers if they changed or were not published lately, else None.

        *now_ms* is real, from any clock that does not go back.
        """
        if (viewers, likes) == self._told and now_ms - self._told_ms < AUDIENCE_EVERY_MS:
            return None
        self._told, self._told_ms = (viewers, likes), now_ms
        return messages.audience(viewers, likes)
