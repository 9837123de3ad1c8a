"""Issuance: no more is given than a packet holds (A1), and no less where viewers were told that it is empty (A2)."""

from loadtest.record.books import PacketRecord
from loadtest.record.history import FactRecord
from loadtest.record.shape import Line, evidence_of
from loadtest.verdict.audit.case import PacketCase, PacketReceipts
from loadtest.verdict.audit.violation import Findings
from loadtest.verdict.measures import superfluous
from server.core.rooms.feed import FactKind

SUPERFLUOUS_SHOWN = 3


def check_counters(findings: Findings, packet: PacketRecord, when: str) -> None:
    """Check A1 by the packet's own counters: given, remaining and returned make up the whole, at every cut."""
    count = packet.given + packet.remaining + packet.returned
    fen = packet.given_fen + packet.remaining_fen + packet.returned_fen
    if count != packet.share_count or fen != packet.total_fen:
        text = (
            f"{when}, given {packet.given} + remaining {packet.remaining} + returned {packet.returned} shares "
            f"({packet.given_fen} + {packet.remaining_fen} + {packet.returned_fen} = {fen} fen) are not "
            f"the {packet.share_count} shares of {packet.total_fen} fen"
        )
        findings.add("A1", packet.packet_id, "counters", text, _counters(packet))
    if min(packet.given, packet.remaining, packet.returned, packet.remaining_fen, packet.returned_fen) < 0:
        findings.add("A1", packet.packet_id, "negative", f"{when}, a counter is below zero", _counters(packet))


def check_issuance(findings: Findings, case: PacketCase) -> None:
    """Check A1: the claims themselves, not only the counters, fit into the packet."""
    packet = case.packet
    if packet is None:
        return
    _check_told(findings, case, packet)
    check_counters(findings, packet, "at the end" if case.final else "in the middle of the run")
    count, fen = len(case.claims), case.claimed_fen
    if max(count, len(case.given)) > packet.share_count:
        text = (
            f"{count} claims of {fen} fen{' at the end' * case.final}, {len(case.given)} in the journal, "
            f"but the packet has {packet.share_count} shares of {packet.total_fen} fen"
        )
        findings.add("A1", case.packet_id, "claims", text, _counters(packet), *_superfluous(case, packet))
    elif fen + packet.remaining_fen + packet.returned_fen != packet.total_fen:
        whole = fen + packet.remaining_fen + packet.returned_fen
        text = (
            f"{count} claims sum to {fen} fen; with {packet.remaining_fen} remaining and {packet.returned_fen} "
            f"returned that is {whole}, not {packet.total_fen}"
        )
        findings.add("A1", case.packet_id, "sum", text, _counters(packet))


def _check_told(findings: Findings, case: PacketCase, packet: PacketRecord) -> None:
    """Check that the shares that viewers were told of fit into the packet, whatever the books say."""
    told = [] if case.receipts is None else list(case.receipts.learned.values())
    told_fen = sum(grab.amount_fen or 0 for grab in told)
    if len(told) <= packet.share_count and told_fen <= packet.total_fen:
        return
    last = max(told, key=lambda grab: grab.t_reply or 0)
    text = (
        f"{len(told)} viewers were told of shares of {told_fen} fen, but the packet has {packet.share_count} shares "
        f"of {packet.total_fen} fen"
    )
    findings.add("A1", case.packet_id, "told", text, _counters(packet), evidence_of("grab", last))


def check_drain(findings: Findings, case: PacketCase) -> None:
    """Check A2: whoever said that nothing is left was right."""
    packet = case.packet
    if packet is None or case.receipts is None:
        return
    told = _sold_out(case.facts)
    shown = None if told is None else evidence_of("fact", told)
    if shown is None:
        shown = _refusal(case, case.receipts)
    if shown is None:
        return
    count, fen, unclaimed = len(case.claims), case.claimed_fen, packet.remaining + packet.returned
    if count < packet.share_count or fen < packet.total_fen or unclaimed > 0:
        text = (
            f"viewers were told that nothing is left, but {count} of {packet.share_count} shares and {fen} of "
            f"{packet.total_fen} fen were claimed, and {unclaimed} shares were left at the end"
        )
        findings.add("A2", case.packet_id, "drain", text, shown, _counters(packet))


def _sold_out(facts: list[FactRecord]) -> FactRecord | None:
    """Return a ``sold_out`` that no ``reopened`` followed (it held for all of the last edition)."""
    last: FactRecord | None = None
    for fact in facts:
        if fact.type in {FactKind.SOLD_OUT, FactKind.REOPENED} and (last is None or fact.seq >= last.seq):
            last = fact
    return last if last is not None and last.type == FactKind.SOLD_OUT else None


def _refusal(case: PacketCase, receipts: PacketReceipts) -> Line | None:
    """Return an ``exhausted`` that was asked for inside the window, as far as the audience can know it."""
    over_at = min(
        (fact.t_first for fact in case.facts if fact.type in {FactKind.CLOSED, FactKind.VOIDED}), default=None
    )
    refused = receipts.exhausted
    if refused is None or (over_at is not None and refused.t_sent >= over_at):
        return None
    return evidence_of("grab", refused)


def _superfluous(case: PacketCase, packet: PacketRecord) -> list[Line]:
    """Return the first claims after the packet was full, in the order in which the journal has them."""
    if len(case.given) > packet.share_count:
        return [given.line() for given in case.given[packet.share_count :][:SUPERFLUOUS_SHOWN]]
    return [evidence_of("claim", claim) for claim in superfluous(packet, case.claims)[:SUPERFLUOUS_SHOWN]]


def _counters(packet: PacketRecord) -> Line:
    fields = "packet_id share_count total_fen given given_fen remaining remaining_fen returned returned_fen state"
    whole = evidence_of("packet", packet)
    return {"kind": "packet", **{name: whole[name] for name in fields.split()}}
