"""Quote a purchase: its price now with the best of the viewer's packets; nothing is locked."""

import asyncio
from collections.abc import Generator, Sequence
from typing import TypeVar

from server.commands.context import CommandContext
from server.core.ids import PLATFORM, ViewerId
from server.core.orders.discount import Discount
from server.core.orders.pricing import Quote
from server.core.orders.product import check_goods, classified
from server.core.orders.purchase import Purchase
from server.core.orders.stacking import Choice, quoting
from server.core.orders.submission import check_discounts, order_platform
from server.core.rulebooks.rulebook import Rulebook

Result = TypeVar("Result")


async def quote_order(
    at: CommandContext, viewer_id: ViewerId, purchase: Purchase, discounts: Sequence[Discount], platform: str | None
) -> tuple[Quote, Choice]:
    """
    Return the quote, the best packets to use, and the reasons against the others.

    Raises Refused: bad_field for invalid discounts, and as ``rulebook_for``, ``check_goods`` and ``price`` do.
    """
    check_discounts(discounts)
    rulebook = await rulebook_for(at, purchase, platform)
    registered = await at.products.kinds(purchase.product_ids)
    check_goods(purchase, registered, rulebook)
    return await best_now(at, viewer_id, classified(purchase, registered), discounts, rulebook)


async def best_now(
    at: CommandContext, viewer_id: ViewerId, purchase: Purchase, discounts: Sequence[Discount], rulebook: Rulebook
) -> tuple[Quote, Choice]:
    """Return the quote of a purchase whose goods are classified, with the best of the packets that the viewer has."""
    held = await at.assets.of_viewer(viewer_id, [*sorted(purchase.creators), PLATFORM])
    now_ms = await at.orders.now_ms(PLATFORM)
    return await in_turn(at.quoting, quoting(purchase, discounts, [each.asset for each in held], now_ms, rulebook))


async def rulebook_for(at: CommandContext, purchase: Purchase, platform: str | None) -> Rulebook:
    """
    Return the rulebook of an order: of the *platform* that it names, or that of its lines' creators (AMB-44).

    Raises Refused ``bad_field`` if the platform is unknown, or not named and not settled by the lines.
    """
    settled = [] if platform is not None else [await at.wallet.platform(each) for each in sorted(purchase.creators)]
    return at.rulebook(order_platform(platform, settled))


async def in_turn(turn: asyncio.Lock, search: Generator[None, None, Result]) -> Result:
    """
    Return the result of a search for a quote, and let everybody else run in its pauses (AMB-54).

    One search at a time runs in a process, so that between two turns of the loop there is one slice of work at most.
    """
    async with turn:
        while True:
            try:
                next(search)
            except StopIteration as ended:
                result: Result = ended.value
                return result
            await asyncio.sleep(0)
