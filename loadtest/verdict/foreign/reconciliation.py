"""Reconciliation of a foreign service's books with receipts: nothing invented (A4), nothing acknowledged lost (A5)."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from loadtest.record.foreign_books import ForeignClaim
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.violation import Findings
from loadtest.verdict.foreign.case import ForeignCase, HeldShare, ViewerTap
from server.core.ids import ViewerId


def check_books(findings: Findings, case: ForeignCase) -> None:
    """Check A4 and A5 against the books of the service; without them nothing can be said."""
    if case.claims is None:
        return
    owned: defaultdict[ViewerId, list[ForeignClaim]] = defaultdict(list)
    for claim in case.claims:
        owned[claim.viewer_id].append(claim)
    for viewer, shares in case.held.items():
        _check_held(findings, case, shares, owned.get(viewer, []))
    _check_asked(findings, case, owned)


def _check_held(
    findings: Findings, case: ForeignCase, shares: Sequence[HeldShare], claims: Sequence[ForeignClaim]
) -> None:
    """Find the claim to each share that a viewer was told of: by its name, else any that does not contradict it."""
    homeless, left = list(shares), list(claims)
    for fits in (_same_name, _same_amount, _no_other_name):
        homeless, left = _paired(findings, case, homeless, left, fits)
    for at, share in enumerate(homeless):
        if at < len(left):
            text = f"{share} stands in the books as {_words(left[at])}"
            findings.add("A4", case.packet_id, "differs", text, share.line(), evidence_of("claim", left[at]))
        else:
            text = f"{share.viewer} was told that it got {share}, but the books do not have it"
            findings.add(
                "A5", case.packet_id, "lost", text, share.line(), *(evidence_of("claim", c) for c in claims[:1])
            )


def _paired(
    findings: Findings,
    case: ForeignCase,
    shares: list[HeldShare],
    claims: list[ForeignClaim],
    fits: Callable[[HeldShare, ForeignClaim], bool],
) -> tuple[list[HeldShare], list[ForeignClaim]]:
    """Pair what fits, check the amounts of each pair, and return what is left of both sides."""
    homeless: list[HeldShare] = []
    for share in shares:
        at = next((at for at, claim in enumerate(claims) if fits(share, claim)), None)
        if at is None:
            homeless.append(share)
            continue
        claim = claims.pop(at)
        if None not in (share.amount_fen, claim.amount_fen) and share.amount_fen != claim.amount_fen:
            text = f"{share} stands in the books as {_words(claim)}"
            findings.add("A4", case.packet_id, "differs", text, share.line(), evidence_of("claim", claim))
    return homeless, claims


def _same_name(share: HeldShare, claim: ForeignClaim) -> bool:
    by_claim = share.claim_id is not None and share.claim_id == claim.claim_id
    return by_claim or (share.index is not None and share.index == claim.index and _no_other_name(share, claim))


def _same_amount(share: HeldShare, claim: ForeignClaim) -> bool:
    return share.amount_fen is not None and share.amount_fen == claim.amount_fen and _no_other_name(share, claim)


def _no_other_name(share: HeldShare, claim: ForeignClaim) -> bool:
    pairs = ((share.claim_id, claim.claim_id), (share.index, claim.index))
    return all(None in pair or pair[0] == pair[1] for pair in pairs)


def _check_asked(findings: Findings, case: ForeignCase, owned: dict[ViewerId, list[ForeignClaim]]) -> None:
    """Check that each claim belongs to a viewer who tapped, and was not refused each time."""
    asked: set[ViewerTap] = set(case.unknown_taps)
    asked.update((grab.viewer, grab.request_id) for share in case.shares for grab in share.receipts)
    for viewer, claims in owned.items():
        may_have_won = viewer in case.held or viewer in case.unknown
        for claim in claims:
            if may_have_won and (claim.request_id is None or (viewer, claim.request_id) in asked):
                continue
            refused = case.refused.get(viewer)
            if may_have_won:
                text = f"{viewer} has {_words(claim)} by the books, by a request {claim.request_id} that did not win it"
            elif refused is None:
                text = f"{viewer} has {_words(claim)} by the books, but never tapped for it"
            else:
                text = f"{viewer} has {_words(claim)} by the books, but was refused ({refused.status}) each time"
            shown = () if refused is None else (evidence_of("grab", refused),)
            findings.add("A4", case.packet_id, "not asked", text, evidence_of("claim", claim), *shown)


def _words(claim: ForeignClaim) -> str:
    names = {"claim": claim.claim_id, "index": claim.index}
    told = [f"{name} {value}" for name, value in names.items() if value is not None]
    told += [] if claim.amount_fen is None else [f"{claim.amount_fen} fen"]
    return f"a share ({', '.join(told)})" if told else "a share"
