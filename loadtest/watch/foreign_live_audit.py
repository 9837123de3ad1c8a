"""The live audit of a foreign service: by the receipts alone, for its books are read only at the end. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from loadtest.record.declared import Declarations
from loadtest.record.history import GrabRecord, Grabs, History
from loadtest.verdict.foreign import audit_foreign, foreign_cases
from loadtest.watch.live_audit import Badge, light_of
from loadtest.watch.proof import TimeOfDay, proof_of
from server.core.ids import PacketId

WHEN_ANSWERED = frozenset({"A2", "A7"})
"""Invariants whose breach a grab that is still on its way could explain."""


@dataclass(slots=True)
class ForeignLiveAudit:
    """The receipts heard so far of the *declared* packets; *ahead_ms* is that of ``TimeOfDay``."""

    declared: Declarations
    ahead_ms: int = 0
    _grabs: list[GrabRecord] = field(default_factory=list)

    def hear(self, grabs: Iterable[GrabRecord]) -> None:
        """Take note of grabs and their answers."""
        self._grabs += (grab for grab in grabs if grab.packet in self.declared)

    def check(self, now_ns: int, waiting: int) -> Badge:
        """Return the badge by all receipts so far, when *waiting* grabs have no answer yet."""
        history = History(grabs=Grabs(self._grabs))
        cases = {case.packet_id: case for case in foreign_cases(self.declared, history, None)}
        suspected = audit_foreign(list(cases.values()))
        broken = [each for each in suspected if not waiting or each.invariant not in WHEN_ANSWERED]
        short = {each.packet_id for each in broken if each.invariant == "A2"}
        times = TimeOfDay(self.ahead_ms)
        return Badge(
            **light_of(broken, suspected, "on_their_way", checked="receipts_only"),
            over=sum(max(0, len(case.shares) - case.packet.share_count) for case in cases.values()),
            under=sum(case.packet.share_count - len(case.shares) for name, case in cases.items() if name in short),
            checked_at_ms=times.of_ns(now_ns),
            receipts=len(self._grabs),
            proofs=tuple(
                replace(
                    proof_of(each, None, times),
                    packet_name=each.packet_id,
                    share_count=cases[PacketId(each.packet_id)].packet.share_count,
                    claims=len(cases[PacketId(each.packet_id)].shares),
                )
                for each in broken
            ),
        )
