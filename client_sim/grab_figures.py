"""The figures of one process's grabs while they happen, each by the definition that the result has for it."""

from collections import Counter

from client_sim.behaviour import ABSENT
from client_sim.observations import SentGrab
from server.core.ids import PacketId, RequestId, ViewerId
from server.core.packets.claim import HOLDS_SHARE, ClaimStatus

_NS_PER_MS = 1_000_000
_ANSWERED = -1  # instead of when a tap was planned: its first answer has been counted


def shown_ms(latency_ms: float) -> float:
    """Return a latency as it is shown, live and in the result: three digits, and no more than tenths of a ms."""
    if latency_ms < 100:
        return round(latency_ms, 1)
    if latency_ms < 1_000:
        return float(round(latency_ms))
    return float(f"{latency_ms:.3g}")


class GrabFigures:
    """
    Counts grabs as loadtest/verdict/measures.py does afterwards.

    ``lost`` are the grabs without an answer of viewers who are absent on purpose, ``unread`` those whose answer says
    nothing that the scenario explains. ``latencies`` has for each latency,
    as it is shown, how many taps were first answered after it; absent viewers are left out.
    """

    def __init__(self) -> None:
        self.offered = 0
        self.answered = 0
        self.lost = 0
        self.unread = 0
        self.granted = 0
        self.latencies: Counter[float] = Counter()
        self.max_ms = 0.0
        self._planned_ns: dict[RequestId, int] = {}
        self._shares: dict[tuple[PacketId, ViewerId], set[str]] = {}
        self._new_shares: list[tuple[PacketId, ViewerId, str]] = []

    def sent(self, grab: SentGrab) -> None:
        """Count a grab that is sent. A tap that is sent again with its id is still one tap."""
        self.offered += 1
        if grab.behaviour not in ABSENT:
            self._planned_ns.setdefault(grab.request_id, grab.t_intended)

    def answered_with(self, grab: SentGrab) -> None:
        """Count an answer, and the share that it tells of."""
        self.answered += 1
        if grab.reply["status"] in HOLDS_SHARE:
            self._tell(grab)
        planned_ns = self._planned_ns.get(grab.request_id, _ANSWERED)
        if planned_ns == _ANSWERED or grab.t_reply is None:
            return
        self._planned_ns[grab.request_id] = _ANSWERED
        latency_ms = (grab.t_reply - planned_ns) / _NS_PER_MS
        self.latencies[shown_ms(latency_ms)] += 1
        self.max_ms = max(self.max_ms, latency_ms)

    def unanswered(self, grab: SentGrab) -> None:
        """Count a grab whose outcome stays unknown."""
        self.lost += grab.behaviour in ABSENT

    def take_new_shares(self) -> list[tuple[PacketId, ViewerId, str]]:
        """Return the shares that viewers were told of since the last call: packet, viewer, and the share's name."""
        new, self._new_shares = self._new_shares, []
        return new

    def _tell(self, grab: SentGrab) -> None:
        """Count a share once, however often its viewer is told of it. One without a name has that of its tap."""
        reply, shares = grab.reply, self._shares.setdefault((grab.packet, grab.viewer), set())
        names = (reply.get("index"), reply.get("claim_id"))
        name = next((str(each) for each in names if each is not None), None)
        if name is None:
            name = grab.request_id if reply["status"] == ClaimStatus.GRANTED or not shares else next(iter(shares))
        if name not in shares:
            shares.add(name)
            self.granted += 1
            self._new_shares.append((grab.packet, grab.viewer, name))
