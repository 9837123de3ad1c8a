"""Products: what the platform has registered of goods decides about them, not the word of creator or buyer (KS 1.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from server.core.ids import CreatorId, checked_creator_id, checked_id
from server.core.orders.purchase import GoodsKind, Purchase
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook
from server.core.text import checked_text

TITLE_LENGTH_MAX = 60


@dataclass(frozen=True, slots=True)
class Product:
    """
    A product as the platform has registered it; prices in fen.

    ``creator_id`` is the creator whose live rooms show it, or None; others may sell it as well (KS-CRE-2).
    ``list_price_fen`` is the price to be shown with it; the price of an order is its checkout's.
    """

    product_id: str
    title: str
    goods: GoodsKind = GoodsKind.ORDINARY
    list_price_fen: int | None = None
    creator_id: CreatorId | None = None

    def check(self) -> None:
        """Raise Refused for an id that is none, or a title with nothing to read."""
        checked_id("product_id", self.product_id)
        checked_text("title", self.title, length_max=TITLE_LENGTH_MAX)
        if self.creator_id is not None:
            checked_creator_id(self.creator_id)


def check_goods(purchase: Purchase, registered: Mapping[str, GoodsKind], rulebook: Rulebook) -> None:
    """Raise Refused (``other_goods``) if a line contradicts what its product is *registered* as."""
    for number, line in enumerate(purchase.lines):
        goods = registered.get(line.product_id, line.goods)
        if line.goods not in (None, goods):
            raise Refused(
                "other_goods",
                f"{line.product_id} is registered as {goods}, not as {line.goods}; leave it out or say {goods}",
                field=f"lines.{number}.goods",
                rule=rulebook.rule(rulebook.goods_rule),
            )


def classified(purchase: Purchase, registered: Mapping[str, GoodsKind]) -> Purchase:
    """Return the purchase with the kind of each line's goods: as *registered*, else as it says, else ordinary."""
    lines = tuple(
        replace(line, goods=registered.get(line.product_id, line.goods or GoodsKind.ORDINARY))
        for line in purchase.lines
    )
    return replace(purchase, lines=lines)
