"""Shares that are not those committed to (A8)."""

import sys
from collections.abc import Callable
from dataclasses import replace

from server.core.packets import split
from server.core.packets.packet import Terms
from tests.planted.plant import Plant, in_script, of
from tests.planted.realtime import INDEX


def never_shuffle() -> None:
    """Give the shares in the order in which they were drawn."""
    split._shuffle = lambda shares, below: None


def move_a_fen() -> None:
    """Move a fen from the last share to the first that takes it, so that the sum stays."""
    drawn = split._drawn

    def planted(terms: Terms, below: Callable[[int], int]) -> list[int]:
        shares = drawn(terms, below)
        if shares[-1] > terms.min_share_fen:
            taker = next(at for at, fen in enumerate(shares) if fen < terms.max_share_fen)
            shares[taker] += 1
            shares[-1] -= 1
        return shares

    split._drawn = planted


def commit_to_other_terms() -> None:
    """Commit to a largest share one fen higher, but only in packets of more than a hundred shares."""
    sound = split.commitment

    def planted(terms: Terms, seed: bytes) -> str:
        many = terms.share_count > 100
        return sound(replace(terms, max_share_fen=terms.max_share_fen + 1) if many else terms, seed)

    for module in [module for module in sys.modules.values() if getattr(module, "commitment", None) is sound]:
        module.commitment = planted  # type: ignore[attr-defined]


_TAKEN = "redis.call('XLEN', journal)\n    local since"
_KEPT = "held[i] = index .. ':' .. taken[n] .. ':' .. edition_text"
_LIST_RETURNED = "redis.call('LTRIM', returned, -left, -1)"
_TRIM = "redis.call('LTRIM', shares, 0, -from_shares - 1)"
_LINE = "lines[n] = viewer"
PLANTS = [
    Plant("shares are not shuffled", of("A8"), never_shuffle),
    Plant("a fen moves between the first and the last share", of("A8"), move_a_fen),
    Plant("the larger packet is committed to on other terms", of("A8"), commit_to_other_terms),
    Plant(
        "two shares of a batch change places",
        of("A8"),
        in_script("claim", (_TAKEN, f"if taken[2] then taken[1], taken[2] = taken[2], taken[1] end\n    {_TAKEN}")),
    ),
    Plant("shares are counted from one", of("A8"), in_script("claim", (INDEX, "text_of(given + n)"))),
    Plant(
        "what goes back is listed with the first share last",
        of("A8"),
        in_script(
            "sweep",
            (_LIST_RETURNED, f"{_LIST_RETURNED}\n        redis.call('LMOVE', returned, returned, 'LEFT', 'RIGHT')"),
        ),
    ),
    Plant(
        "shares that an edit added count for the edition before",
        of("A8"),
        in_script("claim", (_KEPT, _KEPT.replace("edition_text", "'1'"))),
        "changes",
    ),
    Plant(
        "an edit takes the first of the shares that are left",
        of("A8"),
        in_script("edit", (_TRIM, "redis.call('LTRIM', shares, from_shares, -1)")),
        "changes",
    ),
    Plant(
        "the journal lists a batch of shares backwards",
        of("A8"),
        in_script("claim", (_LINE, "lines[#winners + 1 - n] = viewer")),
    ),
]
