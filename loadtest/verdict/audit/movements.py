"""
Movements (A10): between which kinds of accounts each kind of entry may move money, and what is wrong with one alone.

The tables are derived from the rules independently, and not taken from the code under test.
"""

from collections.abc import Iterator

from loadtest.record.journal import JournalRecord
from loadtest.verdict.audit.reversals import DELAYABLE

MOVEMENTS: dict[str, tuple[str, str]] = {
    "recharge": ("psp", "funds"),
    "fund": ("funds", "escrow"),
    "claim": ("escrow", "assets"),
    "sweep": ("escrow", "funds"),
    "void": ("escrow", "funds"),
    "withdraw": ("funds", "withdrawing"),
    "withdraw_paid": ("withdrawing", "payout"),
    "withdraw_failed": ("withdrawing", "funds"),
    "coupon_fund": ("funds", "coupons"),
    "coupon_return": ("coupons", "funds"),
    "edit": ("funds", "escrow"),
    "trim": ("escrow", "funds"),
    "end": ("escrow", "funds"),
    "expire": ("assets", "funds"),
    "reverse": ("reversing", "funds"),
}
"""From which kind of account to which kind each movement goes (section 3 of the rules); see DELAYABLE too."""

_LOCK = frozenset({("assets", "locked")})
_BACK = frozenset({("locked", "assets"), ("locked", "reversing")})
_UNDONE = frozenset({("redeemed", "assets"), ("redeemed", "reversing")})
STEPS: dict[str, frozenset[tuple[str, str]]] = {
    "submit": _LOCK,
    "hold": _LOCK,
    "pay": frozenset({("buyer", "clearing"), ("locked", "redeemed")}),
    "cancel": _BACK,
    "refund": _UNDONE | {("clearing", "buyer"), ("clearing", "merchant"), ("merchant", "clearing")},
    "finish": frozenset(
        {
            ("clearing", "merchant"),
            ("redeemed", "merchant"),
            ("redeemed", "reversing"),
            ("subsidy", "merchant"),
            ("merchant", "commission"),
            ("merchant", "service"),
        }
    ),
    "follow": _BACK | _UNDONE | {("locked", "redeemed"), ("redeemed", "merchant")},
}
"""The same for each step of an order, which may move several amounts (sections 9, 10 and 15 of the rules)."""

OUTSIDE = ("psp:", "buyer:", "subsidy:", "merchant:")
"""Accounts of the world outside: negative by what has come in from it."""

MAY_BE_NOTHING = frozenset({"sweep", "void", "end"})
"""Movements of what is left, which may be nothing."""


def faults_of(entry: JournalRecord) -> Iterator[tuple[str, str]]:
    """Yield the faults of one entry on its own: a word and a sentence each."""
    if entry.movement in STEPS:
        yield from _faults_of_step(entry)
        return
    if entry.movement not in MOVEMENTS:
        yield "movement", f"{entry.movement} is no movement of money"
        return
    if entry.postings is not None:
        yield "movement", f"a {entry.movement} has postings, which only orders have"
    owners: dict[str, str | None] = {"psp": None, "payout": None, "escrow": entry.packet_id, "assets": entry.packet_id}
    owners |= dict.fromkeys(("funds", "withdrawing", "reversing"), entry.creator_id)
    delayed = entry.movement in DELAYABLE and entry.credit.startswith("reversing:")
    debit, credit = MOVEMENTS[entry.movement]
    for account, wanted in ((entry.debit, debit), (entry.credit, "reversing" if delayed else credit)):
        kind, _, owner = account.partition(":")
        if wanted == "coupons":
            owners["coupons"] = owner if owner.partition(".")[0] == entry.creator_id else f"{entry.creator_id}.<budget>"
        if kind != wanted or (owners[wanted] is not None and owner != owners[wanted]):
            expected = f"{wanted}:{owners[wanted] or '<channel>'}"
            yield "account", f"a {entry.movement} names {account} where {expected} belongs"
    if entry.amount_fen < 0 or (entry.amount_fen == 0 and entry.movement not in MAY_BE_NOTHING):
        yield "amount", f"a {entry.movement} moves {entry.amount_fen} fen"
    if entry.fee_fen is not None and (entry.fee_fen < 0 or (entry.fee_fen and entry.movement != "recharge")):
        yield "fee", f"a {entry.movement} has a fee of {entry.fee_fen} fen"
    if entry.movement == "claim":
        sum_fen = sum(claim.amount_fen for claim in entry.claims or ())
        if sum_fen != entry.amount_fen:
            yield "batch", f"a batch moves {entry.amount_fen} fen, but its claims sum to {sum_fen}"


def _faults_of_step(entry: JournalRecord) -> Iterator[tuple[str, str]]:
    """Yield the faults of an order's step: it names its order, follows its table, moves only its creator's money."""
    if not entry.order_id:
        yield "order", f"a {entry.movement} names no order"
    if not entry.postings:
        yield "amount", f"a {entry.movement} moves nothing"
        return
    sum_fen = sum(posting.amount_fen for posting in entry.postings)
    if sum_fen != entry.amount_fen:
        yield "sum", f"a {entry.movement} says {entry.amount_fen} fen, but its postings sum to {sum_fen}"
    for posting in entry.postings:
        (debit, _, from_whom), (credit, _, to_whom) = posting.debit.partition(":"), posting.credit.partition(":")
        if (debit, credit) not in STEPS[entry.movement] or posting.amount_fen <= 0:
            yield (
                "account",
                f"a {entry.movement} moves {posting.amount_fen} fen from {posting.debit} to {posting.credit}",
            )
        for kind, owner in ((debit, from_whom), (credit, to_whom)):
            if not _may_own(kind, owner, entry):
                yield "account", f"a {entry.movement} of {entry.creator_id}'s journal names {kind}:{owner}"


def _may_own(kind: str, owner: str, entry: JournalRecord) -> bool:
    match kind:
        case "assets" | "locked" | "redeemed":
            return owner.partition(".")[0] == entry.creator_id
        case "reversing" | "commission":
            return owner == entry.creator_id
        case "clearing":
            return owner == entry.order_id
    return True
