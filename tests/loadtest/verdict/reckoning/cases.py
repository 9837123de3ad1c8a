"""Orders to be worked out, with as few words as possible."""

from typing import Any

from loadtest.record.book_orders import (
    BookedOrder,
    BookedPurchase,
    BookedRefund,
    BookedRulebook,
    OrderedDiscount,
    OrderedLine,
    UsedPacket,
)
from loadtest.record.books import books_from
from loadtest.verdict.reckoning.usable import OrderCase, OwnedPacket
from server.core.ids import ClaimId, CreatorId, OrderId, ViewerId
from server.core.orders.asset import AssetState
from server.core.orders.order import OrderState
from tests.loadtest.verdict.reckoning.sold import SoldOrders

RULEBOOKS = books_from(SoldOrders().lines).rulebooks
DOUYIN = RULEBOOKS["douyin"]
END_MS = 5_000


def a_line(name: str, fen: int, **more: Any) -> OrderedLine:
    """Return a line of li's, from the live room."""
    return OrderedLine(name, name, fen, 1, None, "ordinary", CreatorId("li"), "live_room")._replace(**more)


def off(kind: str, fen: int, *lines: str, threshold_fen: int = 0, name: str = "") -> OrderedDiscount:
    """Return a discount of so many fen, over some lines or all."""
    return OrderedDiscount(name or kind, kind, fen, None, threshold_fen, 0, lines or None)


def a_packet(name: str, fen: int, *goods: str, of: str = "li", end_ms: int = END_MS) -> OwnedPacket:
    """Return anna's share of a packet of Douyin's, for some goods or all."""
    return OwnedPacket(f"{of}.{name}:0", of, "anna", "douyin", fen, frozenset(goods) if goods else None, end_ms)


def a_case(
    *lines: OrderedLine | int,
    discounts: tuple[OrderedDiscount, ...] = (),
    packets: tuple[OwnedPacket, ...] = (),
    refunds: tuple[BookedRefund, ...] = (),
    rulebook: BookedRulebook = DOUYIN,
    purchase: dict[str, Any] | None = None,
    **more: Any,
) -> OrderCase:
    """Return anna's paid order of these lines, called a, b and so on; its figures in the books are left at 0."""
    named = tuple(
        each if isinstance(each, OrderedLine) else a_line("abcdef"[at], each) for at, each in enumerate(lines)
    )
    bought = BookedPurchase("douyin", False, (), 0, named, discounts, (), (), refunds)._replace(**(purchase or {}))
    used = tuple(UsedPacket(ClaimId(each.asset_id), each.face_fen, 0, AssetState.REDEEMED) for each in packets)
    order = BookedOrder(
        OrderId("li.o1"), CreatorId("li"), ViewerId("anna"), "shop", "douyin", OrderState.PAID, 1, 2,
        0, 0, 0, 0, 0, 2_000, 500, {}, 0, used, bought,
    )._replace(**more)  # fmt: skip
    return OrderCase(order, bought, packets, rulebook)
