"""Reconciliation of a foreign service's books with receipts: nothing invented (A4), nothing acknowledged lost (A5)."""

from collections import defaultdict, deque
from collections.abc import Sequence

from loadtest.record.foreign_books import ForeignClaim
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.violation import Findings
from loadtest.verdict.foreign.case import ForeignCase, HeldShare, ViewerTap
from server.core.ids import ViewerId


def check_books(findings: Findings, case: ForeignCase, *, recorded: bool = True) -> None:
    """Check A4 and A5 against the books of the service, if it has some; who asked only if all taps are *recorded*."""
    if case.claims is None:
        return
    owned: defaultdict[ViewerId, list[ForeignClaim]] = defaultdict(list)
    for claim in case.claims:
        owned[claim.viewer_id].append(claim)
    for viewer, shares in case.held.items():
        _check_held(findings, case, shares, owned.get(viewer, []))
    if recorded:
        _check_asked(findings, case, owned)


def _check_held(
    findings: Findings, case: ForeignCase, shares: Sequence[HeldShare], claims: Sequence[ForeignClaim]
) -> None:
    """Find the claim to each share that a viewer was told of: by its name, by its amount, else any that is left."""
    homeless, left = list(shares), list(claims)
    for name in ("claim_id", "index", "amount_fen"):
        homeless, left = _paired(findings, case, homeless, left, name)
    homeless.sort(key=lambda share: not share.named)  # a share with a name goes best with a claim that has none
    left.sort(key=lambda claim: claim.claim_id is not None or claim.index is not None)
    for share, claim in zip(homeless, left, strict=False):
        _check_pair(findings, case, share, claim)
    for share in homeless[len(left) :]:
        text = f"{share.viewer} was told that it got {share}, but the books do not have it"
        beside = (evidence_of("claim", claim) for claim in claims[:1])
        findings.add("A5", case.packet_id, "lost", text, share.line(), *beside)


def _paired(
    findings: Findings, case: ForeignCase, shares: list[HeldShare], claims: list[ForeignClaim], name: str
) -> tuple[list[HeldShare], list[ForeignClaim]]:
    """Pair shares and claims in which the field *name* is the same, and return what is left of both sides."""
    places: defaultdict[str | int, deque[int]] = defaultdict(deque)
    for at, claim in enumerate(claims):
        if (value := getattr(claim, name)) is not None:
            places[value].append(at)
    homeless: list[HeldShare] = []
    used: set[int] = set()
    for share in shares:
        found = places.get(getattr(share, name))
        if found and (name == "claim_id" or _no_other_name(share, claims[found[0]])):
            used.add(found[0])
            _check_pair(findings, case, share, claims[found.popleft()])
        else:
            homeless.append(share)
    return homeless, [claim for at, claim in enumerate(claims) if at not in used]


def _check_pair(findings: Findings, case: ForeignCase, share: HeldShare, claim: ForeignClaim) -> None:
    """Check that a share stands in the books as its viewer was told, as far as both say anything."""
    amounts = (share.amount_fen, claim.amount_fen)
    if not _no_other_name(share, claim) or (None not in amounts and amounts[0] != amounts[1]):
        text = f"{share} stands in the books as {_words(claim)}"
        findings.add("A4", case.packet_id, "differs", text, share.line(), evidence_of("claim", claim))


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
