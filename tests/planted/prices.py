"""Prices, refunds and payers that are wrong alike in order, books and journal (A10)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from server.core.money.money import largest_remainder
from server.core.orders import discount, order, pricing, settlement
from server.core.orders.discount import Discount, DiscountKind, Funder, Stage
from server.core.orders.order import Place
from server.core.orders.settlement import PER_WHOLE, Settlement
from tests.planted.plant import Plant, of

PATCHED: tuple[tuple[Any, str], ...] = (
    (pricing._Sheet, "wanted"),
    (settlement, "settle"),
    (pricing, "largest_remainder"),
    (order, "_cash"),
)
"""All attributes that a bug below may replace; ``discount.NATURE`` is changed in place."""


def short_platform_coupon() -> None:
    """Let every platform coupon deduct 1 fen less than it is worth."""
    wanted = pricing._Sheet.wanted

    def planted(self: pricing._Sheet, discount: Discount, prices: Sequence[int]) -> int:
        fen = wanted(self, discount, prices)
        return fen - 1 if discount.kind is DiscountKind.PLATFORM_COUPON and fen > 0 else fen

    pricing._Sheet.wanted = planted  # type: ignore[method-assign]


def commission_rounded_up() -> None:
    """Round every commission up."""
    settle = settlement.settle

    def planted(quote: Any, rates: Any, rulebook: Any, **more: Any) -> Settlement:
        right = settle(quote, rates, rulebook, **more)
        up = -(-right.base_fen * rates.commission // PER_WHOLE)
        return replace(right, commission_fen=up, merchant_net_fen=right.merchant_net_fen - up + right.commission_fen)

    settlement.settle = planted


def first_line_first() -> None:
    """Take each deduction from the first line that has something left, and only then from the next."""

    def planted(total_fen: int, weights: Sequence[int]) -> list[int]:
        parts: list[int] = []
        for weight in weights:
            parts.append(min(weight, total_fen - sum(parts)))
        return parts

    pricing.largest_remainder = planted  # type: ignore[attr-defined]


def odd_fen_to_the_later_line() -> None:
    """Give the odd fen of a deduction over equal lines to the later one (AMB-42 gives it to the earlier)."""

    def planted(total_fen: int, weights: Sequence[int]) -> list[int]:
        return largest_remainder(total_fen, weights[::-1])[::-1]

    pricing.largest_remainder = planted  # type: ignore[attr-defined]


def refund_a_fen_more() -> None:
    """Pay back 1 fen more than a refund says."""
    cash = order._cash

    def planted(key: str, debit: Place, credit: Place, amount_fen: int, now_ms: int) -> Any:
        more = credit is Place.BUYER and amount_fen > 0
        return cash(key, debit, credit, amount_fen + more, now_ms)

    order._cash = planted


def merchant_pays_the_platforms_coupon() -> None:
    """Let the merchant bear what the platform funds."""
    discount.NATURE[DiscountKind.PLATFORM_COUPON] = Stage.PLATFORM, Funder.MERCHANT


PLANTS = [
    Plant("a platform coupon is 1 fen short in every order", of("A10"), short_platform_coupon, "shop"),
    Plant("commission is rounded up", of("A10"), commission_rounded_up, "shop"),
    Plant("a deduction is taken from the first line first", of("A10"), first_line_first, "shop"),
    Plant("a refund pays back 1 fen more than it says", of("A10"), refund_a_fen_more, "shop"),
    Plant("the merchant pays the platform's coupon", of("A10"), merchant_pays_the_platforms_coupon, "shop"),
]
