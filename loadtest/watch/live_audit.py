"""
The live audit: holds the newest cut of the books against the receipts from before it, by the audit's own rules. Pure.

Books and receipts never show quite the same moment. A receipt counts only if it was answered before the cut was asked
for, so that the cut must have its share; and what depends on both sides (A2, A4, A5) is called broken only when two
cuts one after the other show it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from loadtest.record.books import Books
from loadtest.record.history import FactRecord, GrabRecord, Grabs, History
from loadtest.verdict.audit import Violation, audit_cut
from loadtest.verdict.audit.case import PacketCase, cases_of
from loadtest.verdict.measures import superfluous
from loadtest.watch.proof import Proof, TimeOfDay, proof_of
from server.core.ids import PacketId
from server.core.packets.claim import ClaimStatus

TWICE = frozenset({"A2", "A4", "A5"})
"""Invariants that compare both sides: what breaks them must be seen in two cuts."""


class Light(StrEnum):
    """The colour of the badge: checked, being decided, or proved wrong."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Badge:
    """
    The badge: how many shares were given too many, too few and lost, by the newest check.

    ``why`` is a code: what an amber badge waits for, or what a green one lacks. ``checked_at_ms`` is when the cut was
    asked for.
    """

    light: Light = Light.AMBER
    why: str = "not_checked"
    over: int = 0
    under: int = 0
    lost: int = 0
    checked_at_ms: int | None = None
    receipts: int = 0
    proofs: tuple[Proof, ...] = ()


@dataclass(slots=True)
class LiveAudit:
    """The receipts heard so far, and what the last cut made suspect; *ahead_ms* is that of ``TimeOfDay``."""

    ahead_ms: int = 0
    _told: list[GrabRecord] = field(default_factory=list)
    _exhausted: dict[tuple[PacketId, int | None], GrabRecord] = field(default_factory=dict)
    _suspected: frozenset[tuple[str, str]] = frozenset()

    def hear(self, grabs: Iterable[GrabRecord]) -> None:
        """Take note of receipts; of those without a share, only the first that says that nothing is left is kept."""
        for grab in grabs:
            if grab.type == "ok":
                self._told.append(grab)
            elif grab.status == ClaimStatus.EXHAUSTED:
                key = (grab.packet, grab.edition)
                if _replied_ns(grab) <= _replied_ns(self._exhausted.setdefault(key, grab)):
                    self._exhausted[key] = grab

    def check(
        self,
        books: Books,
        asked_ns: int,
        facts: Collection[FactRecord] = (),
        forgiven: Collection[PacketId] = (),
    ) -> Badge:
        """
        Return the badge by a cut that was asked for at *asked_ns* of the history's clock.

        *forgiven* packets were broken on purpose: what is wrong at them is not shown.
        """
        heard = [grab for grab in (*self._told, *self._exhausted.values()) if _replied_ns(grab) < asked_ns]
        known_facts = [fact for fact in facts if fact.t_first < asked_ns]
        cases = list(cases_of(books, History(grabs=Grabs(heard), facts=known_facts)))
        suspected = [each for each in audit_cut(books, cases) if each.packet_id not in forgiven]
        shown = [case for case in cases if case.packet is not None and case.packet_id not in forgiven]
        broken = [each for each in suspected if books.final or each.invariant not in TWICE or self._seen_before(each)]
        self._suspected = frozenset((each.invariant, each.packet_id) for each in suspected)
        times = TimeOfDay(self.ahead_ms, books.clock)
        known = {str(case.packet_id): case for case in cases}
        drained = _cases(known, broken, "A2")
        return Badge(
            **light_of(broken, suspected, "second_cut"),
            over=sum(len(superfluous(case.packet, case.claims)) for case in shown if case.packet is not None),
            under=sum(case.packet.share_count - len(case.claims) for case in drained if case.packet is not None),
            lost=sum(map(_lost, _cases(known, broken, "A4", "A5"))),
            checked_at_ms=times.of_ns(asked_ns),
            receipts=len(heard),
            proofs=tuple(proof_of(each, known.get(each.packet_id), times) for each in broken),
        )

    def _seen_before(self, violation: Violation) -> bool:
        return (violation.invariant, violation.packet_id) in self._suspected


def light_of(broken: list[Violation], suspected: list[Violation], awaited: str, *, checked: str = "") -> dict[str, Any]:
    """Return light and reason: what is only suspected waits for what is *awaited*; *checked* is the reason of green."""
    if broken:
        return {"light": Light.RED, "why": "broken"}
    return {"light": Light.AMBER, "why": awaited} if suspected else {"light": Light.GREEN, "why": checked}


def _replied_ns(grab: GrabRecord) -> int:
    assert grab.t_reply is not None
    return grab.t_reply


def _cases(known: dict[str, PacketCase], broken: list[Violation], *invariants: str) -> list[PacketCase]:
    """Return the packets at which one of these invariants is broken, each once."""
    names = dict.fromkeys(each.packet_id for each in broken if each.invariant in invariants)
    return [known[name] for name in names if name in known]


def _lost(case: PacketCase) -> int:
    """Return how many viewers were told of a share of which the books give them none."""
    return 0 if case.receipts is None else sum(1 for viewer in case.receipts.learned if viewer not in case.owned)
