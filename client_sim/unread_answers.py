"""Answers of a service that the scenario does not explain, by what was answered, with an excerpt of each kind."""

from client_sim.message_cache import CachedMessage
from client_sim.observations import UnreadAnswer

KINDS_MAX = 20  # of one process; a service that never says the same twice must not fill the history
WHAT_MAX, SAID_MAX = 80, 160
OTHERS = "other answers"


class UnreadAnswers:
    """Tells apart the kinds of unread answers of one process."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def take(self, grab: int, message: CachedMessage) -> UnreadAnswer:
        """Return what is kept of the answer *message* to a grab."""
        body = message.body
        what, mend = shortened(body.get("what") or body["reason"], WHAT_MAX), body.get("mend", "")
        if what in self._known:
            return UnreadAnswer(grab, what, mend, None)
        if len(self._known) >= KINDS_MAX:
            return UnreadAnswer(grab, OTHERS, "", None)
        self._known.add(what)
        return UnreadAnswer(grab, what, mend, shortened(message.payload[: 4 * SAID_MAX], SAID_MAX))


def shortened(text: str | bytes, length: int) -> str:
    """Return the beginning of a text on one line; what cannot be printed is escaped."""
    whole = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    plain = "".join(each if each.isprintable() else _escaped(each) for each in " ".join(whole.split()))
    return plain if len(plain) <= length else f"{plain[:length]}..."


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
