"""Receipts of a foreign service: one share per viewer (A3), and always the same one (A6)."""

from loadtest.record.foreign_books import ForeignClaim
from loadtest.record.history import GrabRecord
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.violation import Findings
from loadtest.verdict.foreign.case import ForeignCase, HeldShare, ViewerTap, replied
from server.core.ids import ViewerId


def check_one_each(findings: Findings, case: ForeignCase) -> None:
    """Check A3, unless the packet gives a viewer as many shares as it wins."""
    if not case.packet.one_per_viewer:
        return
    for shares in case.held.values():
        for other in shares[1:]:
            text = f"{other.viewer} was granted two shares: {shares[0]} and {other}"
            if not other.named:
                text += "; the service names no shares, so that each tap it answered with granted counts as one"
            findings.add("A3", case.packet_id, "receipts", text, shares[0].line(), other.line())
        for first, second in [] if shares[0].named else _contradictions(shares[0]):
            text = f"{first.viewer} was told of a share of {first.amount_fen} fen and of one of {second.amount_fen}"
            findings.add("A3", case.packet_id, "amounts", text, evidence_of("grab", first), evidence_of("grab", second))
    owned: dict[ViewerId, ForeignClaim] = {}
    for claim in case.claims or ():
        before = owned.setdefault(claim.viewer_id, claim)
        if before is not claim:
            text = f"{claim.viewer_id} has two shares by the books"
            findings.add(
                "A3", case.packet_id, "claims", text, evidence_of("claim", before), evidence_of("claim", claim)
            )


def check_same_answer(findings: Findings, case: ForeignCase) -> None:
    """
    Check A6: whoever asks again is told of the same share, and one request is never both granted and refused.

    Receipts are compared by what they say of the share; their other bytes, such as a time, are the service's own.
    """
    owner_of_tap: dict[ViewerTap, tuple[HeldShare, GrabRecord]] = {}
    for share in case.shares:
        for first, second in _contradictions(share):
            text = f"{share.viewer} was told {_said(first)} and then {_said(second)} of one share"
            findings.add("A6", case.packet_id, "share", text, evidence_of("grab", first), evidence_of("grab", second))
        for grab in share.receipts:
            tap = (grab.viewer, grab.request_id)
            owner, receipt = owner_of_tap.setdefault(tap, (share, grab))
            if owner is not share:
                text = f"request {grab.request_id} of {grab.viewer} was answered with {owner} and with {share}"
                shown = (evidence_of("grab", receipt), evidence_of("grab", grab))
                findings.add("A6", case.packet_id, "request", text, *shown)
            refused = case.refused_taps.get(tap)
            if refused is not None:
                text = f"request {grab.request_id} of {grab.viewer} was granted and refused for lack of shares"
                shown = (evidence_of("grab", grab), evidence_of("grab", refused))
                findings.add("A6", case.packet_id, "refused", text, *shown)
    if case.packet.one_per_viewer:
        _check_repeats(findings, case)


def _check_repeats(findings: Findings, case: ForeignCase) -> None:
    """Check that an answer ``repeated`` names the share that was granted before."""
    for shares in case.held.values():
        granted = next((share for share in shares if share.granted is not None), None)
        for share in shares:
            if granted is not None and share.granted is None:
                text = f"{share.viewer} was told that it had {share} before, but it was granted {granted}"
                findings.add("A6", case.packet_id, "repeated", text, granted.line(), share.line())


def _contradictions(share: HeldShare) -> list[tuple[GrabRecord, GrabRecord]]:
    """Return the pairs of receipts of one share that do not say the same of it, the first answered one first."""
    pairs = []
    for name in ("amount_fen", "index", "claim_id"):
        first: GrabRecord | None = None
        for grab in share.receipts:
            value = getattr(grab, name)
            if value is None:
                continue
            first = first or grab
            if getattr(first, name) != value:
                pairs.append((first, grab))
    return sorted(pairs, key=lambda pair: replied(pair[1]))


def _said(grab: GrabRecord) -> str:
    names = {"claim": grab.claim_id, "index": grab.index, "fen": grab.amount_fen}
    return ", ".join(f"{name} {value}" for name, value in names.items() if value is not None)
