"""
Reversals (A10): each amount being returned to a creator arrives once, and as it was sent (DY-REV-8).

A delayed movement leaves its key in the store, and a ``reverse`` entry lists the keys that arrive with it.
"""

from collections.abc import Iterable, Iterator

from loadtest.record.journal import JournalRecord
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.violation import Findings

DELAYABLE = frozenset({"sweep", "void", "end", "trim", "expire", "coupon_return"})
"""Movements that go to a creator's funds at once, or after the platform's delay."""


def check_reversals(findings: Findings, entries: Iterable[JournalRecord]) -> None:
    """Check that each reversal of a journal was sent before it arrives, with this amount, and arrives once."""
    sent: dict[str, JournalRecord] = {}
    arrived: dict[str, JournalRecord] = {}
    for entry in entries:
        if entry.movement in DELAYABLE and entry.credit.startswith("reversing:"):
            sent[_key(entry)] = entry
        if entry.movement != "reverse":
            continue
        for kind, text in _faults(entry, sent, arrived):
            findings.add("A10", "", kind, text, evidence_of("journal", entry))


def _faults(
    entry: JournalRecord, sent: dict[str, JournalRecord], arrived: dict[str, JournalRecord]
) -> Iterator[tuple[str, str]]:
    """Yield the faults of one arrival, a word and a sentence each, and add it to *arrived*."""
    sum_fen = 0
    for member in (entry.reversals or "").split(";"):
        key, packet_id, amount = [*member.split("|"), "", ""][:3]
        if not amount.isdecimal():
            yield "reversal", f"a reverse lists {member!r}, which is no reversal"
            continue
        sum_fen += int(amount)
        if key in arrived:
            yield "reversal twice", f"reversal {key} arrives twice"
        arrived[key] = entry
        if key.partition(":")[0] in DELAYABLE:
            cause = sent.get(key)
            if cause is None:
                yield "reversal unexplained", f"reversal {key} arrives, but was never sent"
            elif (cause.packet_id, cause.amount_fen) != (packet_id, int(amount)):
                yield "reversal", f"reversal {key} arrives with {amount} fen, but was sent with {cause.amount_fen}"
    if sum_fen != entry.amount_fen:
        yield "reversal sum", f"a reverse moves {entry.amount_fen} fen, but its reversals sum to {sum_fen}"


def _key(entry: JournalRecord) -> str:
    match entry.movement:
        case "expire" | "coupon_return":
            return entry.transfer_id
        case "trim":
            return f"trim:{entry.packet_id}:{entry.edition}"
    return f"{entry.movement}:{entry.packet_id}"
