"""Submit an order: priced with a viewer's packets, all of which are locked with it, or none (DY-USE-2, DY-CAN-1)."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from server.commands.context import CommandContext
from server.commands.follow_order import TRIES_MAX, follow_order, hold_part
from server.commands.quote_order import best_now, in_turn, rulebook_for
from server.commands.retry import decided
from server.core.ids import PLATFORM, OrderId, RoomId, home_of, order_id_of
from server.core.money.posting import OrderKind, parts_of
from server.core.orders.order import due_at_ms, submit
from server.core.orders.pricing import Quote
from server.core.orders.product import check_goods, classified
from server.core.orders.purchase import GoodsKind
from server.core.orders.selection import check_named, exact_quote, owned
from server.core.orders.stacking import Choice, quoting
from server.core.orders.submission import Submission, home_for
from server.core.refusal import Raced
from server.core.rulebooks.rulebook import Rulebook
from server.store.orders.commit import OrderStep, decided_until
from server.store.orders.order_record import EXCLUSIONS_MAX, HELD, Deal, OrderRecord, PartRecord, Standing
from server.store.orders.orders import raced_order
from server.store.transfers import checked_transfer_id, refusal


async def submit_order(at: CommandContext, asked: Submission, room_id: RoomId | None = None) -> OrderRecord:
    """
    Submit an order and open its buyer's trail, in the room in which it was made.

    The same viewer with the same transfer id gets the same order. Raises Refused: transfer_conflict if that id belongs
    to another submission, price_changed, not_yours, a ``Reason`` with its rule for a packet that may not be used,
    bad_id, bad_field, raced, and as ``check_goods`` and ``price`` do.
    """
    checked_transfer_id(asked.transfer_id)
    asked.check()
    registered = await at.products.kinds(asked.purchase.product_ids)
    order_id = await _order_id(at, asked, registered)
    async with at.orders.turn(order_id):
        record = await decided(
            partial(_submit, at, order_id, asked, registered), tries=TRIES_MAX, give_up=raced_order()
        )
    await at.trails.open(order_id, asked.viewer_id, room_id)
    return record


async def _order_id(at: CommandContext, asked: Submission, registered: Mapping[str, GoodsKind]) -> OrderId:
    """
    Return the id of the order that a submission makes or has made.

    Its home is the creator whose packets it names, else that of the first line that has one, else the platform. If we
    choose among the packets of several creators, the first choice is kept, so that a retry finds the order.
    """
    home = home_for(asked.purchase, asked.asset_ids or ())
    if asked.asset_ids is None and len(asked.purchase.creators) > 1:
        rulebook = await rulebook_for(at, asked.purchase, asked.platform)
        purchase = classified(asked.purchase, registered)
        _, choice = await best_now(at, asked.viewer_id, purchase, asked.discounts, rulebook)
        best = home_for(asked.purchase, [asset.asset_id for asset, _ in choice.used])
        home = await at.orders.keep_home(order_id_of(home, asked.viewer_id, asked.transfer_id), best)
    return order_id_of(home, asked.viewer_id, asked.transfer_id)


async def _submit(
    at: CommandContext, order_id: OrderId, asked: Submission, registered: Mapping[str, GoodsKind]
) -> OrderRecord:
    """Try to submit an order, or return the one that the same submission made. Raises Raced."""
    home, digest = home_of(order_id), asked.digest()
    here = await at.orders.standing(home, order_id)
    if (known := here.order) is not None:
        if known.deal.asked != digest:
            raise refusal(b"transfer_conflict")
        return known
    rulebook = await rulebook_for(at, asked.purchase, asked.platform)
    there = await at.orders.standing(PLATFORM, order_id) if home != PLATFORM else None
    part = None if there is None else there.part
    if part is None or part.state != HELD:
        part = None
        check_goods(asked.purchase, registered, rulebook)
        priced = replace(asked, purchase=classified(asked.purchase, registered))
        quote, choice = await _chosen(at, order_id, priced, here.now_ms, rulebook)
        used, exclusions = tuple(asset for asset, _ in choice.used), choice.exclusions[:EXCLUSIONS_MAX]
    elif _still_good(part, here, digest):
        quote, used, exclusions = part.deal.quote, part.deal.assets, part.deal.exclusions
    else:
        await follow_order(at, order_id)
        raise raced_order()
    outcome = submit(order_id, asked.viewer_id, quote, used, here.now_ms, rulebook=rulebook)
    packets = outcome.order.packets
    agreed = (asked.discounts, rulebook.platform, asked.rates, asked.merchant_id, digest, exclusions)
    deal = Deal(quote, packets, used, *agreed)
    created_at_ms = here.now_ms if part is None else part.created_at_ms
    record = OrderRecord(outcome.order, outcome.assets, deal, here.version + 1, created_at_ms)
    parts = parts_of(
        outcome,
        deal.assets,
        kind=OrderKind.SUBMIT,
        transfer_id=f"submit:{order_id}",
        home=home,
        merchant_id=deal.merchant_id,
    )
    if there is not None and PLATFORM in parts and part is None:
        await hold_part(at, record, parts[PLATFORM], there.version)
    step = OrderStep(
        parts[home],
        asked.viewer_id,
        record.fields(),
        here.version,
        here.now_ms,
        decided_until(deal.assets, here.now_ms),
        due_at_ms(outcome.order, created_at_ms, rulebook),
        created_at_ms,
        asked=f"submit:{order_id}:{digest}",
    )
    try:
        await at.orders.commit(step)
    except Raced:
        if there is not None and PLATFORM in parts:
            await follow_order(at, order_id)
        raise
    return record


async def _chosen(
    at: CommandContext, order_id: OrderId, asked: Submission, now_ms: int, rulebook: Rulebook
) -> tuple[Quote, Choice]:
    """Return what the order costs at *now_ms* and the choice of packets. Raises Raced if it has locked one already."""
    if asked.asset_ids is None:
        held = await at.assets.of_viewer(asked.viewer_id, [home_of(order_id), PLATFORM])
        assets = [each.asset for each in held]
    else:
        check_named(asked.asset_ids)
        held = await at.assets.named(asked.viewer_id, asked.asset_ids)
        assets = owned(asked.asset_ids, [each.asset for each in held])
    if any(asset.order_id == order_id for asset in assets):
        raise raced_order()  # another process has made it meanwhile
    if asked.asset_ids is None:
        search = quoting(asked.purchase, asked.discounts, assets, now_ms, rulebook)
        quote, choice = await in_turn(at.quoting, search)
    else:
        quote, choice = exact_quote(asked.purchase, asked.discounts, assets, now_ms, rulebook)
    asked.check_price(quote.payable_fen)
    return quote, choice


def _still_good(part: PartRecord, here: Standing, digest: str) -> bool:
    """Return whether a part was made for this submission and its order can still be entered at home."""
    alive = not any(asset.expired_at(here.now_ms) for asset in part.deal.assets)
    return alive and part.home_version == here.version and part.deal.asked == digest
