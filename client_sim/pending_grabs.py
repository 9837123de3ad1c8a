"""The grabs of one viewer that await a receipt, and the last few that have one."""

from client_sim.agenda import Due
from client_sim.observations import SentGrab
from server.core.ids import RequestId

ANSWERED_MAX = 16  # grabs remembered to recognise a second receipt


class PendingGrabs:
    """Grabs by request id, in the order in which they were sent."""

    __slots__ = ("_answered", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[RequestId, tuple[SentGrab, Due]] = {}
        self._answered: dict[RequestId, SentGrab] = {}

    def __bool__(self) -> bool:
        """Tell whether a grab awaits its receipt."""
        return bool(self._waiting)

    def add(self, request_id: RequestId, grab: SentGrab, due: Due) -> None:
        """Add a grab that is being sent."""
        self._waiting[request_id] = (grab, due)

    def take(self, request_id: RequestId) -> tuple[SentGrab, Due] | None:
        """Move a grab from pending to answered; return it with its tap, or None if it is not pending."""
        found = self._waiting.pop(request_id, None)
        if found is not None:
            if len(self._answered) >= ANSWERED_MAX:
                del self._answered[next(iter(self._answered))]
            self._answered[request_id] = found[0]
        return found

    def answered(self, request_id: RequestId) -> SentGrab | None:
        """Return a recently answered grab, or None."""
        return self._answered.get(request_id)

    def sent_before(self, sent_ns: int) -> list[RequestId]:
        """Return the pending grabs that were sent at *sent_ns* or earlier."""
        return [request_id for request_id, (grab, _) in self._waiting.items() if grab.t_sent <= sent_ns]

    def all(self) -> list[RequestId]:
        """Return every pending grab."""
        return list(self._waiting)

    def oldest_sent_ns(self) -> int | None:
        """Return when the oldest pending grab was sent, or None if there is none."""
        return next(iter(self._waiting.values()))[0].t_sent if self._waiting else None
