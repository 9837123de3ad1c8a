"""Transfers: every movement of money has an id from its caller, and a script's refusal becomes a Refused."""

from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from server.core.packets.operations import CLOSED
from server.core.refusal import NO_RULE, Raced, Refused
from server.core.rulebooks.rulebook import Rulebook
from server.store.connection import Store

TRANSFER_ID_LENGTH_MAX = 120  # an idempotency key and a word before it
# Ids that the scripts generate:
_OURS = ("sweep:", "claim:", "paid:", "failed:", "expire:", "reverse:", "coupon_return:")
_OF_ORDERS = ("submit:", "refund:", "finish:", "unpaid:", "hold:", "follow:", "home:")  # and those made for orders
_RESERVED = _OURS + _OF_ORDERS

_REFUSALS: dict[str, tuple[str, str, str]] = {
    "transfer_conflict": ("this transfer id belongs to another transfer", "transfer_id", ""),
    "too_much": ("the balance would be too large", "amount_fen", ""),
    "insufficient_funds": ("the available funds do not cover the packet's sum", "total_fen", "DY-ACC-6"),
    "packet_taken": ("a packet of this id exists already", "packet_id", ""),
    "raced": ("the same packet is being created by somebody else", "packet_id", ""),
    "incomplete": ("the same packet is being created by somebody else", "packet_id", ""),
    "too_many": ("there are more shares than share_count", "shares", ""),
    "out_of_bounds": ("a share is not within min_share_fen and max_share_fen", "shares", ""),
    "not_found": ("no such packet, or it was retired", "packet_id", ""),
    "below_claimed": ("more shares than that are claimed already", "share_count", "KS-EDT-1"),
    "unchanged": ("the packet has that many shares already", "share_count", "KS-EDT-1"),
    "edit_raced": ("the packet was edited concurrently; try again", "", ""),
    "not_draft": ("only a packet that was neither launched nor voided can be launched", "", "DY-LAU-1"),
    "other_platform": ("the creator belongs to another platform", "platform", ""),
    "launch_raced": ("another packet of this creator was launched concurrently; try again", "", ""),
    "withdraw insufficient_funds": ("must be available", "amount_fen", "DY-ACC-7"),
    "coupons insufficient_funds": ("the available funds do not cover the budget", "amount_fen", "DY-ACC-6"),
    "launch too_late": ("the opening has passed already", "grab_at_ms", "DY-LAU-7"),
    **{outcome: (detail, "", rule) for outcome, (detail, rule) in CLOSED.items()},
}
"""The refusal for each outcome of scripts, or of one script: detail, field and rule."""

_RACED = ("raced", "incomplete", "edit_raced", "launch_raced", "other_platform")


class StoreBroken(Exception):  # noqa: N818 - an answer about the store
    """The store's data are not as its scripts write them; nothing was changed. The text names the keys."""


async def run_sound(store: Store, whose: str, script: str, names: Sequence[str], asked: Sequence[Any]) -> Any:
    """Run a script and return its reply. Raises StoreBroken, naming *whose*, if keys are not as scripts write them."""
    try:
        return await store.run(script, names, asked)
    except ResponseError as error:
        raise StoreBroken(f"{whose}: {error}") from error


def checked_transfer_id(text: str) -> str:
    """Return *text* if it is a valid transfer id of a caller; raise Refused if not."""
    if not 0 < len(text) <= TRANSFER_ID_LENGTH_MAX or not text.isprintable() or text.startswith(_RESERVED):
        raise Refused(
            "bad_id",
            f"must be 1 to {TRANSFER_ID_LENGTH_MAX} printable characters and not begin with {' or '.join(_RESERVED)}",
            field="transfer_id",
        )
    return text


def rule_of(outcome: bytes, *, of: str = "") -> str:
    """Return the source's id of the rule by which a script refuses, or "" if none does."""
    return _worded(outcome, of)[2]


def refusal(outcome: bytes, rulebook: Rulebook | None = None, *, of: str = "") -> Refused:
    """Return the refusal for a script's *outcome* (*of* that script, if it has its own), with *rulebook*'s rule id."""
    word = outcome.decode()
    detail, field, rule = _worded(outcome, of)
    assert rulebook or not rule, "a rule needs the rulebook that names it"
    rule_id = rulebook.rule(rule) if rulebook and rule else NO_RULE
    return (Raced if word in _RACED else Refused)(word, detail, field=field, rule=rule_id)


def _worded(outcome: bytes, of: str) -> tuple[str, str, str]:
    word = outcome.decode()
    return _REFUSALS.get(f"{of} {word}") or _REFUSALS[word]
