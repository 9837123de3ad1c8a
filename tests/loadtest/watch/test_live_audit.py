"""The badge: green by rules of the audit, red with the two receipts that prove it, amber while it is being decided."""

from typing import Any

import pytest

from loadtest.record.books import Books, books_from
from loadtest.record.history import GrabRecord
from loadtest.watch.live_audit import Badge, Light, LiveAudit
from server.core.ids import PacketId
from tests.loadtest.in_memory import history_from
from tests.loadtest.written_run import T0_NS, WrittenRun, a_run

AHEAD_MS = 7_000
LATE_NS = T0_NS + 10**15
NS_PER_MS = 1_000_000


def live(run: WrittenRun) -> tuple[LiveAudit, Books]:
    """Return an audit that has heard the receipts of a run, and the books of that run as a cut in the middle."""
    audit = LiveAudit(AHEAD_MS)
    audit.hear(history_from(run.history).grabs)
    return audit, cut_of(run.books)


def cut_of(lines: list[dict[str, Any]]) -> Books:
    kept = [line for line in lines if line["kind"] not in {"claim", "left", "end"}]
    return books_from([*kept, {"kind": "end", "final": False}])


def test_a_correct_run_is_green() -> None:
    """Every rule that a cut can show holds, and the badge says by how many receipts and when."""
    audit, books = live(a_run())
    badge = audit.check(books, LATE_NS)
    assert (badge.light, badge.why, badge.over, badge.under, badge.lost) == (Light.GREEN, "", 0, 0, 0)
    assert badge.receipts > 10
    assert badge.checked_at_ms == LATE_NS // NS_PER_MS + AHEAD_MS
    assert badge.proofs == ()


def test_a_planted_over_issue_is_red_with_the_two_receipts_that_prove_it() -> None:
    """Two viewers were told of one share: both receipts are shown, with packet, viewer, amount and time."""
    run = a_run(flaw="check then act", packets=1, share_count=6, viewers=30)
    audit, books = live(run)
    badge = audit.check(books, LATE_NS)
    assert (badge.light, badge.why) == (Light.RED, "broken")
    assert badge.over > 0
    proof = badge.proofs[0]
    assert (proof.invariant, proof.packet_id, proof.share_count) == ("A1", "c1.p0", 6)
    assert proof.claims is not None
    assert proof.claims > 6
    one, other = proof.witnesses
    assert one.kind == other.kind == "receipt"
    assert one.viewer_id != other.viewer_id
    assert (one.index, one.amount_fen) == (other.index, other.amount_fen)
    told = {line["viewer"]: line["t_reply"] for line in run.of("grab", type="ok", index=one.index)}
    assert one.at_ms == told[one.viewer_id] // NS_PER_MS + AHEAD_MS


def test_without_receipts_the_journal_shows_both_owners() -> None:
    """A server without a watched audience has only books: then the two claims prove it, at the time of their entry."""
    books = cut_of(a_run(flaw="check then act", packets=1, viewers=30).books)
    badge = LiveAudit().check(books, LATE_NS)
    assert badge.light is Light.RED
    one, other = badge.proofs[0].witnesses
    assert (one.kind, one.index) == (other.kind, other.index) == ("claim", other.index)
    assert one.viewer_id != other.viewer_id
    assert one.at_ms is not None


@pytest.mark.parametrize(
    ("flaw", "invariant", "counted"), [("sold out too soon", "A2", "under"), ("reply before write", "A4", "lost")]
)
def test_what_two_sides_say_is_decided_by_a_second_cut(flaw: str, invariant: str, counted: str) -> None:
    """One cut makes it amber, the next one red, and only then it counts."""
    audit, books = live(a_run(flaw=flaw, packets=1))
    first, second = audit.check(books, LATE_NS), audit.check(books, LATE_NS)
    if first.light is not Light.RED:
        assert (first.light, first.why) == (Light.AMBER, "second_cut")
    assert getattr(first, counted) == 0
    assert second.light is Light.RED
    assert getattr(second, counted) >= 1
    assert invariant in {proof.invariant for proof in second.proofs}
    assert invariant not in {proof.invariant for proof in first.proofs}


def test_a_receipt_that_is_younger_than_the_cut_waits_for_the_next() -> None:
    """Books from before a claim do not have it, and nothing is lost by that."""
    run = a_run(packets=1)
    claims = [line for line in run.books if line["kind"] == "journal" and line["movement"] == "claim"]
    first_reply_ns = min(line["t_reply"] for line in run.of("grab", type="ok"))
    books = cut_of([line for line in run.books if line not in claims])
    audit, _ = live(run)
    for _ in range(2):
        badge = audit.check(books, first_reply_ns)
        assert (badge.lost, badge.receipts) == (0, 0)
    assert [audit.check(books, LATE_NS).lost, audit.check(books, LATE_NS).lost > 0] == [0, True]


def test_the_first_refusal_is_kept_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands hear that nothing is left; one of them shows it."""
    run = a_run(packets=1, viewers=60)
    refused = [grab for grab in history_from(run.history).grabs if grab.status == "exhausted"]
    audit = LiveAudit()
    audit.hear(reversed(refused))
    assert len(refused) > 10
    assert audit.check(cut_of(run.books), LATE_NS).receipts == 1


def test_before_any_check_the_badge_is_amber() -> None:
    assert (Badge().light, Badge().why) == (Light.AMBER, "not_checked")


def test_a_grab_without_an_answer_is_no_receipt() -> None:
    run = a_run()
    audit = LiveAudit()
    unknown: list[GrabRecord] = [grab for grab in history_from(run.history).grabs if grab.type == "info"]
    audit.hear(unknown)
    assert unknown
    assert audit.check(cut_of(run.books), LATE_NS).receipts == 0


def test_a_packet_that_was_broken_on_purpose_can_be_forgiven() -> None:
    """A demo shows what naive does and goes on; the other packets are checked as before."""
    run = a_run(flaw="check then act", packets=2, viewers=30)
    audit, books = live(run)
    both = audit.check(books, LATE_NS)
    one = audit.check(books, LATE_NS, forgiven={PacketId("c1.p0")})
    assert {proof.packet_id for proof in both.proofs} == {"c1.p0", "c1.p1"}
    assert {proof.packet_id for proof in one.proofs} == {"c1.p1"}
    assert 0 < one.over < both.over
    assert audit.check(books, LATE_NS, forgiven=set(books.packets)).light is Light.GREEN
