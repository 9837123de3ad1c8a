"""Results (A14): each names the true best ten and how many shares were given."""

from heapq import nsmallest
from itertools import zip_longest

from loadtest.record.books import PacketRecord
from loadtest.record.hearsay import LuckRecord, ResultRecord
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.case import PacketCase
from loadtest.verdict.audit.violation import Findings

BEST_COUNT = 10


def check_results(findings: Findings, case: PacketCase) -> None:
    """Check A14 over what a packet's results say, against the journal of final books."""
    if not case.final or case.packet is None or case.receipts is None:
        return
    for fact in case.facts:
        if fact.result is not None and (wrong := _wrong(case, case.packet, fact.result)):
            text = f"the result says {' and '.join(wrong)}"
            shown = (evidence_of("fact", fact), evidence_of("packet", case.packet))
            findings.add("A14", case.packet_id, "result", text, *shown)


def _wrong(case: PacketCase, packet: PacketRecord, told: ResultRecord) -> list[str]:
    """Return what is wrong with a result, by the journal, if the books agree with it: else that is the violation."""
    count = len(case.given)
    if not count == packet.given == len(case.claims):
        return []
    given = (LuckRecord(claim.viewer_id, claim.amount_fen, claim.index) for claim, _ in case.given)
    best = nsmallest(BEST_COUNT, given, key=lambda luck: (-luck.amount_fen, luck.index))
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
