"""Issuance of a foreign service: no more than was declared (A1), and no less where viewers heard it is gone (A2)."""

from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.violation import Findings
from loadtest.verdict.foreign.case import ForeignCase


def check_issuance(findings: Findings, case: ForeignCase) -> None:
    """Check A1: the shares that viewers were told of fit into the packet, and so do the claims of the books."""
    _check_told(findings, case)
    packet, claims = case.packet, case.claims or []
    if len(claims) > packet.share_count:
        last, beyond = claims[packet.share_count - 1], claims[packet.share_count]
        text = (
            f"the books have {len(claims)} claims, but {packet.share_count} shares were declared: "
            f"{beyond.viewer_id}'s is one too many after {last.viewer_id}'s"
        )
        shown = (evidence_of("claim", last), evidence_of("claim", beyond))
        findings.add("A1", case.packet_id, "claims", text, case.line(), *shown)
    claimed_fen = sum(claim.amount_fen or 0 for claim in claims)
    if packet.total_fen is not None and claimed_fen > packet.total_fen:
        text = f"the books' claims sum to {claimed_fen} fen, but {packet.total_fen} were declared"
        largest = max(claims, key=lambda claim: claim.amount_fen or 0)
        findings.add("A1", case.packet_id, "claimed", text, case.line(), evidence_of("claim", largest))


def _check_told(findings: Findings, case: ForeignCase) -> None:
    packet, shares = case.packet, case.shares
    if len(shares) > packet.share_count:
        last, beyond = shares[packet.share_count - 1], shares[packet.share_count]
        text = (
            f"viewers were told of {len(shares)} different shares, but {packet.share_count} were declared: "
            f"{beyond} is one too many after {last}"
        )
        findings.add("A1", case.packet_id, "told", text, last.line(), beyond.line(), case.line())
    if packet.total_fen is None:
        return
    sum_fen, before = 0, None
    for share in shares:
        sum_fen += share.amount_fen or 0
        if sum_fen > packet.total_fen:
            text = (
                f"viewers were told of {case.told_fen} fen, but {packet.total_fen} were declared: {share} brings the "
                f"sum to {sum_fen}"
            )
            shown = (share.line(),) if before is None else (before.line(), share.line())
            findings.add("A1", case.packet_id, "money told", text, *shown, case.line())
            return
        before = share


def check_drain(findings: Findings, case: ForeignCase) -> None:
    """Check A2: where a viewer was told that nothing is left, all was given, as far as receipts or books can tell."""
    told, packet = case.told_in_time, case.packet
    if told is None:
        return
    count, most = granted_range(case)
    shown = [evidence_of("grab", told), case.line()]
    if case.shares:
        shown.insert(1, case.shares[-1].line())
    if most < packet.share_count:
        unsure = "" if count == most else f" and at most {most - count} by taps that were not answered"
        by = "by the books" if case.claims is not None else "by all receipts"
        text = (
            f"{told.viewer} was told that nothing is left, but {by} {count} of {packet.share_count} shares were "
            f"granted{unsure}"
        )
        findings.add("A2", case.packet_id, "drain", text, *shown)
        return
    amounts = granted_amounts(case)
    if packet.total_fen is None or count < packet.share_count or None in amounts:
        return
    sum_fen = sum(amount or 0 for amount in amounts)
    if sum_fen < packet.total_fen:
        text = (
            f"{told.viewer} was told that nothing is left, but the {count} shares granted sum to {sum_fen} of "
            f"{packet.total_fen} fen"
        )
        findings.add("A2", case.packet_id, "drain money", text, *shown)


def granted_range(case: ForeignCase) -> tuple[int, int]:
    """Return how many shares were granted for certain, and how many there can have been; books leave no doubt."""
    if case.claims is not None:
        return len(case.claims), len(case.claims)
    return len(case.shares), len(case.shares) + case.possible


def granted_amounts(case: ForeignCase) -> list[int | None]:
    """Return the amount of each share granted for certain, by the books or else by the receipts."""
    if case.claims is not None:
        return [claim.amount_fen for claim in case.claims]
    return [share.amount_fen for share in case.shares]
