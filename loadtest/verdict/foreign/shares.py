"""Shares of a foreign service (A8): each belongs to one viewer, lies in the packet, and is as large as declared."""

from collections.abc import Sequence
from typing import NamedTuple

from loadtest.record.foreign_books import ForeignClaim
from loadtest.record.shape import Line, evidence_of
from loadtest.verdict.audit.violation import Findings
from loadtest.verdict.foreign.case import ForeignCase, HeldShare
from server.core.ids import ViewerId


class NamedShare(NamedTuple):
    """One share as one side has it: by the receipts or by the books."""

    viewer: ViewerId
    claim_id: str | None
    place: int | None
    amount_fen: int | None
    source: HeldShare | ForeignClaim

    def line(self) -> Line:
        """Return the receipt or the claim as evidence."""
        return self.source.line() if isinstance(self.source, HeldShare) else evidence_of("claim", self.source)


def check_shares(findings: Findings, case: ForeignCase) -> None:
    """
    Check A8 by the receipts and by the books: unique claim ids and indexes, indexes and amounts within their bounds.

    A packet of n shares numbers them from 0 or from 1. Where n shares are claimed that leaves no gap.
    """
    told = [NamedShare(share.viewer, share.claim_id, share.index, share.amount_fen, share) for share in case.shares]
    booked = [
        NamedShare(claim.viewer_id, claim.claim_id, claim.index, claim.amount_fen, claim) for claim in case.claims or ()
    ]
    for side, shares in (("told", told), ("booked", booked)):
        _check_unique(findings, case, side, shares)
        _check_places(findings, case, side, shares)
        _check_amounts(findings, case, side, shares)


def _check_unique(findings: Findings, case: ForeignCase, side: str, shares: Sequence[NamedShare]) -> None:
    owners: dict[tuple[str, str | int], NamedShare] = {}
    for share in shares:
        for kind, name in (("claim", share.claim_id), ("index", share.place)):
            if name is None:
                continue
            owner = owners.setdefault((kind, name), share)
            if owner is not share:
                text = f"{owner.viewer} and {share.viewer} both have {kind} {name}"
                findings.add("A8", case.packet_id, f"{kind} {side}", text, owner.line(), share.line())


def _check_places(findings: Findings, case: ForeignCase, side: str, shares: Sequence[NamedShare]) -> None:
    placed = [(share.place, share) for share in shares if share.place is not None]
    if not placed:
        return
    low, lowest = min(placed, key=lambda one: one[0])
    high, highest = max(placed, key=lambda one: one[0])
    count = case.packet.share_count
    if low < 0 or high > count or (low == 0 and high == count):
        text = (
            f"indexes go from {low} ({lowest.viewer}) to {high} ({highest.viewer}); {count} shares are numbered from "
            f"0 to {count - 1}, or from 1 to {count}"
        )
        findings.add("A8", case.packet_id, f"places {side}", text, lowest.line(), highest.line(), case.line())


def _check_amounts(findings: Findings, case: ForeignCase, side: str, shares: Sequence[NamedShare]) -> None:
    low = case.packet.min_share_fen or 0
    for share in shares:
        if share.amount_fen is None:
            continue
        high = case.packet.max_share_fen
        if share.amount_fen < low or (high is not None and share.amount_fen > high):
            bounds = f"at least {low}" if high is None else f"{low} to {high}"
            text = f"{share.viewer}'s share is {share.amount_fen} fen, but shares were declared to be {bounds}"
            findings.add("A8", case.packet_id, f"amount {side}", text, share.line(), case.line())
