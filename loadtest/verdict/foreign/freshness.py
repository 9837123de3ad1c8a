"""Freshness: whether the answers speak of shares that a service had given before the run began."""

from collections.abc import Iterator, Sequence

from loadtest.verdict.foreign.case import ForeignCase, HeldShare, replied
from server.core.packets.claim import ClaimStatus

_NOT_FRESH = "the service did not start with fresh data (docs/ci.md)"


def freshness_notes(cases: Sequence[ForeignCase]) -> Iterator[str]:
    """Yield what shows that the service had given shares before; only if all taps of the run are in the history."""
    before = sum(1 for case in cases for shares in case.held.values() if _had_before(case, shares))
    if before:
        viewers = "1 viewer was" if before == 1 else f"{before:,} viewers were"
        yield f"{viewers} told repeated at their first tap: {_NOT_FRESH}"
    for case in cases:
        told = case.exhausted
        if told is not None and not case.shares and not any(at <= replied(told) for at in case.unknown.values()):
            yield f"{case.packet_id} was sold out before anybody had a share: {_NOT_FRESH}"


def _had_before(case: ForeignCase, shares: Sequence[HeldShare]) -> bool:
    """Tell whether a viewer was told of a share that no tap of its own can have won by then."""
    receipts = [grab for share in shares for grab in share.receipts]
    told = min((replied(grab) for grab in receipts if grab.status == ClaimStatus.REPEATED), default=None)
    if told is None:
        return False
    may_have_won = [grab.t_sent for grab in receipts if grab.status == ClaimStatus.GRANTED]
    may_have_won += [case.unknown[shares[0].viewer]] if shares[0].viewer in case.unknown else []
    return all(sent >= told for sent in may_have_won)
