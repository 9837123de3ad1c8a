"""Results (A14): each names the true best ten and how many shares were given."""

from collections.abc import Sequence
from heapq import nlargest
from itertools import zip_longest

from loadtest.record.hearsay import LuckRecord, ResultRecord
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.case import PacketCase
from loadtest.verdict.audit.violation import Findings

BEST_COUNT = 10


def check_results(findings: Findings, case: PacketCase) -> None:
    """Check A14 over what a packet's results say, against the journal of final books."""
    if not case.final or case.packet is None or case.receipts is None:
        return
    told = [fact for fact in case.facts if fact.result is not None]
    if not told or not len(case.given) == case.packet.given == len(case.claims):
        return  # if the journal and the books disagree, that is the violation
    best = _best(case)
    for fact in told:
        if fact.result is not None and (wrong := _wrong(len(case.given), best, fact.result)):
            text = f"the result says {' and '.join(wrong)}"
            shown = (evidence_of("fact", fact), evidence_of("packet", case.packet))
            findings.add("A14", case.packet_id, "result", text, *shown)


def _best(case: PacketCase) -> list[LuckRecord]:
    """Return the largest shares by the journal, of equal ones the earlier first."""
    least_fen = min(nlargest(BEST_COUNT, (claim.amount_fen for claim, _ in case.given)), default=0)
    large = [claim for claim, _ in case.given if claim.amount_fen >= least_fen]
    large.sort(key=lambda claim: (-claim.amount_fen, claim.index))
    return [LuckRecord(claim.viewer_id, claim.amount_fen, claim.index) for claim in large[:BEST_COUNT]]


def _wrong(count: int, best: Sequence[LuckRecord], told: ResultRecord) -> list[str]:
    """Return what is wrong with a result, when so many shares were given, and these are the best."""
    wrong = []
    if told.granted_count != count:
        wrong.append(f"that {told.granted_count} shares were given, not {count}")
    for place, (named, true) in enumerate(zip_longest(told.best_luck, best), start=1):
        if named != true:
            wrong.append(f"{_luck(named)} in place {place}, not {_luck(true)}")
            break
    return wrong


def _luck(named: LuckRecord | None) -> str:
    return "nobody" if named is None else f"{named.viewer_id} with {named.amount_fen} fen"
