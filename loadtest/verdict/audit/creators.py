"""Creators (A5): what was acknowledged to them is in the books, as they asked for it."""

from loadtest.record.books import Books, PacketRecord
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.circumstances import Circumstances
from loadtest.verdict.audit.violation import Findings
from server.core.ids import PacketId
from server.core.packets.packet import PacketState


def check_created(findings: Findings, books: Books, run: Circumstances) -> None:
    """Check A5 for creators: a packet that the run's own server has acknowledged is in the books, or was retired."""
    if not run.store_is_known or not books.final:
        return
    retired = {packet_id for opening in books.openings.values() for packet_id in opening.retired}
    for packet_id in run.created:
        if packet_id not in books.packets and packet_id not in retired:
            text = f"packet {packet_id} was created, and by the books there is no such packet"
            findings.add("A5", packet_id, "packet", text)
        elif packet_id in books.packets:
            _check_terms(findings, books.packets[PacketId(packet_id)], run)
    _check_recharges(findings, books, run)


def _check_terms(findings: Findings, packet: PacketRecord, run: Circumstances) -> None:
    """Check that a packet is in the books as its creator asked for it: the rest of them only says that they agree."""
    asked, made = run.asked.get(packet.packet_id), packet.issued[0]
    if asked is None:
        return
    wrong = []
    if (made.share_count, made.total_fen) != (asked.share_count, asked.total_fen):
        terms = f"{asked.share_count} shares of {asked.total_fen} fen"
        wrong.append(("terms", f"was to have {terms}, and was made with {made.share_count} of {made.total_fen}"))
    if asked.edited is not None and packet.share_count != asked.edited:
        wrong.append(("edit", f"was to have {asked.edited} shares after its last edit, and has {packet.share_count}"))
    now = None if packet.state is PacketState.SETTLED and packet.ended_at_ms is None else packet.state
    if asked.over not in (None, now):
        wrong.append(("over", f"was to be {asked.over} by its creator, and is {now or 'settled by the sweeper'}"))
    if None not in (packet.grab_at_ms, packet.claim_end_at_ms, asked.claim_window_ms):
        window_ms = (packet.claim_end_at_ms or 0) - (packet.grab_at_ms or 0)
        if window_ms != asked.claim_window_ms:
            wrong.append(("window", f"was to be open for {asked.claim_window_ms} ms, and its window has {window_ms}"))
    for kind, text in wrong:
        findings.add("A5", packet.packet_id, kind, f"{packet.name} {text}", evidence_of("packet", packet))


def _check_recharges(findings: Findings, books: Books, run: Circumstances) -> None:
    """Check that what each creator paid in reached its wallet, whole or less the fee that the journal states."""
    if books.openings:
        return
    recharges = [entry for entry in books.journal.besides_claims if entry.movement == "recharge"]
    for creator_id, fen in run.recharged.items():
        paid = [entry for entry in recharges if entry.creator_id == creator_id]
        if not any(fen in (entry.amount_fen, entry.amount_fen + (entry.fee_fen or 0)) for entry in paid):
            text = f"{creator_id} paid {fen} fen in, and the journal does not say so"
            findings.add(
                "A5", "", f"recharge {creator_id}", text, *(evidence_of("journal", entry) for entry in paid[:1])
            )
