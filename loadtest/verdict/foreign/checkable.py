"""Checkable: the parts of invariants that the evidence of a foreign run cannot show, and why."""

from collections.abc import Iterator, Sequence

from loadtest.record.history import History
from loadtest.verdict.audit.outcome import Blind, blind_to_answers
from loadtest.verdict.foreign.case import ForeignCase
from loadtest.verdict.foreign.issuance import granted_range

NO_BOOKS = "the service gave no books"
NOTHING_TOLD = "nobody was told of a share"
NO_REFUSAL = "nobody was told that nothing is left"
NOT_SHOWN = {
    "A9": "a foreign service does not number its messages, so that one that is lost or repeated cannot be seen",
    "A10": "a foreign service shows no journal and no wallets that could be recomputed",
    "A13": "a foreign service states no schedule and limits by a clock that could be read",
    "A14": "a foreign service's facts have no times of publication",
}


def foreign_blind_spots(cases: Sequence[ForeignCase], history: History) -> dict[str, Blind]:
    """Return, for each invariant that could not be checked in full, whether it could be at all and what was missing."""
    spots = {invariant: Blind(all=True, why=why) for invariant, why in NOT_SHOWN.items()}
    told, taps = any(case.shares for case in cases), _taps(history)
    if all(case.claims is None for case in cases):
        spots |= dict.fromkeys(("A4", "A5"), Blind(all=True, why=NO_BOOKS))
    elif not told:
        spots["A5"] = Blind(all=True, why=NOTHING_TOLD)
    if not told and not any(case.claims for case in cases):
        spots |= dict.fromkeys(("A1", "A3", "A7", "A8"), Blind(all=True, why=NOTHING_TOLD))
    else:
        spots |= dict(_found(cases, taps))
    spots |= dict(_drain(cases, taps))
    if (blind := blind_to_answers(history)) is not None:
        spots["A12"] = blind
    if not any(_told_again(case) for case in cases):
        spots["A6"] = Blind(all=True, why="nobody was told of a share twice")
    return spots


def _taps(history: History) -> str:
    """Return what to call the taps whose outcome is not known."""
    return "taps without an answer that could be read" if history.unread else "unanswered taps"


def _found(cases: Sequence[ForeignCase], taps: str) -> Iterator[tuple[str, Blind]]:
    """Yield the blind spots of a run in which a share was given."""
    money = _reasons({
        "no total_fen is declared, so that only shares are counted": any(c.packet.total_fen is None for c in cases),
        "shares without an amount count as 0 fen": any(s.amount_fen is None for c in cases for s in c.shares),
        f"{taps} ({sum(len(c.unknown_taps) for c in cases)}) may have won more": any(
            c.unknown_taps and c.claims is None for c in cases
        ),
    })  # fmt: skip
    yield "A1", Blind(all=False, why=money)
    many = [not case.packet.one_per_viewer for case in cases]
    if any(many):
        yield "A3", Blind(all=all(many), why="a packet that is not one_per_viewer gives a viewer as many as it wins")
    unknown = {
        "when a window opens is not known": [case.packet.opens_ns is None for case in cases],
        "when a window closes is not known": [case.packet.closes_ns is None for case in cases],
        NO_REFUSAL: [case.exhausted is None for case in cases],
    }
    why = _reasons({reason: any(lacking) for reason, lacking in unknown.items()})
    yield "A7", Blind(all=all(all(lacking) for lacking in unknown.values()), why=why)
    yield from _shares(cases)


def _shares(cases: Sequence[ForeignCase]) -> Iterator[tuple[str, Blind]]:
    named = any(share.named for case in cases for share in case.shares)
    named |= any(claim.claim_id is not None or claim.index is not None for case in cases for claim in case.claims or ())
    bounded = any((c.packet.min_share_fen, c.packet.max_share_fen) != (None, None) for c in cases)
    why = _reasons({
        "neither receipts nor books name a share by claim id or index": not named,
        "no bounds of a share are declared": not bounded,
    })  # fmt: skip
    yield "A8", Blind(all=not named and not bounded, why=why)


def _drain(cases: Sequence[ForeignCase], taps: str) -> Iterator[tuple[str, Blind]]:
    told = [case for case in cases if case.told_in_time is not None]
    if not told:
        yield "A2", Blind(all=True, why=NO_REFUSAL)
        return
    unsure = [case for case in told if granted_range(case)[0] < case.packet.share_count <= granted_range(case)[1]]
    if unsure:
        count = sum(len(case.unknown_taps) for case in unsure)
        why = f"{taps} ({count}) may have won the shares of which nobody was told"
        yield "A2", Blind(all=len(unsure) == len(told), why=why)


def _told_again(case: ForeignCase) -> bool:
    return any(len(shares) > 1 or len(shares[0].receipts) > 1 for shares in case.held.values())


def _reasons(reasons: dict[str, bool]) -> str:
    return "; ".join(reason for reason, applies in reasons.items() if applies)
