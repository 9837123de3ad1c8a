"""The steps of the order in the small world, as the core decides them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from server.core.ids import CreatorId, OrderId, ViewerId, order_id_of
from server.core.money.posting import OrderKind, StepPart, parts_of
from server.core.orders.asset import Asset, AssetState
from server.core.orders.order import Order, OrderState, Refund, StepOutcome, cancel, finish, pay, refund, submit
from server.core.orders.pricing import Quote
from server.core.orders.purchase import App, Entrance, Line, Purchase
from server.core.orders.settlement import Settlement, settle
from server.core.orders.stacking import best_quote
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook
from tests.core.money.ledger_model import Ledger
from tests.core.small_world.money import Answer, copied, known_with
from tests.core.small_world.world import (
    ANNA,
    CREATOR,
    LINES_FEN,
    MERCHANT,
    RATES,
    SHIPPING_FEN,
    STOLEN,
    Do,
    Step,
    World,
)

PURCHASE = Purchase(
    tuple(
        Line(f"l{i}", f"goods-{i}", fen, creator_id=CREATOR, entrance=Entrance.LIVE_ROOM)
        for i, fen in enumerate(LINES_FEN)
    ),
    App.DOUYIN,
    shipping_fen=SHIPPING_FEN,
)


def submit_order(world: World, step: Step) -> Answer:
    """Order with one's own share, or with a stolen one."""
    viewer = ViewerId(step.key)
    asset = world.asset_of(ANNA if step.number == STOLEN else viewer)
    assert asset is not None
    if world.order is not None:
        return "transfer_conflict" if step.number else "", world
    quote = quote_of(replace(asset, state=AssetState.AVAILABLE, order_id=None), world.setting.rulebook)
    order_id = order_id_of(CREATOR, viewer, submit_id_of(viewer))
    answer, after = _stepped(
        world,
        (asset,),
        submit(order_id, viewer, quote, (asset,), world.now_ms, rulebook=world.setting.rulebook),
        order_id,
    )
    return answer, replace(after, ordered_at_ms=world.now_ms, known=after.known | {viewer})


def pay_order(world: World, step: Step) -> Answer:
    order, assets = _held(world)
    if step.twisted:
        return "transfer_conflict", world
    if step.key in world.known:
        return "", world  # the same payment again, whatever became of the order since (AMB-58)
    return _stepped(world, assets, pay(order, assets, world.now_ms, rulebook=world.setting.rulebook), step.key)


def cancel_order(world: World, step: Step) -> Answer:
    order, assets = _held(world)
    if step.twisted:
        return "transfer_conflict", world
    return _stepped(world, assets, cancel(order, assets, world.now_ms, rulebook=world.setting.rulebook), step.key)


def refund_order(world: World, step: Step) -> Answer:
    order, assets = _held(world)
    asked = refund_of(order, step)
    outcome = refund(order, assets, asked, world.now_ms, rulebook=world.setting.rulebook)
    answer, after = _stepped(world, assets, outcome, f"refund:{order.order_id}:{asked.refund_id}")
    return answer, after if after is world else replace(after, known=after.known | {step.key})


def finish_order(world: World, _: Step) -> Answer:
    order, assets = _held(world)
    outcome = finish(order, assets, world.now_ms, rulebook=world.setting.rulebook)
    return _stepped(world, assets, outcome, f"finish:{order.order_id}", settlement_of(order, world.setting.rulebook))


def catch_up(world: World, step: Step) -> Answer:
    """Let the sweeper do what is due of the order."""
    order, _ = _held(world)
    due_at_ms = world.order_due_at_ms()
    if due_at_ms is None or world.now_ms < due_at_ms:
        return "", world
    if order.state is OrderState.PAID:
        return finish_order(world, step)
    return cancel_order(world, Step(Do.CANCEL, f"unpaid:{order.order_id}"))


def refund_of(order: Order, step: Step) -> Refund:
    """Return what a refund asks for: the first line and half of the shipping, or all that is left."""
    known = next((each for each in order.refunds if each.refund_id == step.key), None)
    paid, refunded = order.paid_by_line, order.refunded_by_line
    if known is None and step.key == "full":
        extras_fen = SHIPPING_FEN - sum(each.extras_fen for each in order.refunds)
        return Refund("full", {line: fen - refunded.get(line, 0) for line, fen in paid.items()}, extras_fen)
    asked = known or Refund("part", {"l0": paid["l0"]}, SHIPPING_FEN // 2)
    return replace(asked, extras_fen=asked.extras_fen - 1) if step.twisted else asked


def settlement_of(order: Order, rulebook: Rulebook) -> Settlement:
    return settle(order.quote, RATES, rulebook, refunded_fen=sum(order.refunded_by_line.values()))


def submit_id_of(viewer_id: ViewerId) -> str:
    return f"s-{viewer_id}"


def order_id_at(home: CreatorId, world: World) -> OrderId:
    """Return the order's id where its home has another name; before there is one, that of anna's."""
    viewer_id = ANNA if world.order is None else world.order.viewer_id
    return order_id_of(home, viewer_id, submit_id_of(viewer_id))


@cache
def quote_of(asset: Asset, rulebook: Rulebook) -> Quote:
    quote, choice = best_quote(PURCHASE, (), (asset,), asset.use_start_at_ms, rulebook)
    assert len(choice.used) == 1
    return quote


def _held(world: World) -> tuple[Order, tuple[Asset, ...]]:
    order = world.order
    if order is None:
        raise Refused("not_found", "no such order")
    used = {packet.asset_id for packet in order.packets}
    return order, tuple(asset for asset in world.assets if asset.asset_id in used)


_KINDS = {
    OrderState.SUBMITTED_UNPAID: OrderKind.SUBMIT,
    OrderState.CANCELLED: OrderKind.CANCEL,
    OrderState.FINAL: OrderKind.FINISH,
    OrderState.REFUNDED: OrderKind.REFUND,
}


def _stepped(
    world: World, before: Sequence[Asset], outcome: StepOutcome, transfer_id: str, settled: Settlement | None = None
) -> Answer:
    """Return the world after an order's step, with its money where the core sends it."""
    order = outcome.order
    if order == world.order:
        assert outcome.assets == tuple(before)
        assert not outcome.movements
        return "", world
    kind = _KINDS.get(order.state) or (OrderKind.REFUND if order.refunds else OrderKind.PAY)
    part = parts_of(
        outcome,
        before,
        kind=kind,
        transfer_id=f"submit:{transfer_id}" if kind is OrderKind.SUBMIT else transfer_id,
        home=CREATOR,
        merchant_id=MERCHANT,
        settled=settled if order.state is OrderState.FINAL else None,
    )[CREATOR]
    changed = {asset.asset_id: asset for asset in outcome.assets}
    return "", replace(
        world,
        ledger=_with_part(world.ledger, part),
        assets=tuple(changed.get(asset.asset_id, asset) for asset in world.assets),
        order=order,
        reversals=(*world.reversals, *part.reversals),
        known=known_with(world, transfer_id),
    )


def _with_part(ledger: Ledger, part: StepPart) -> Ledger:
    after = copied(ledger)
    try:
        after.post_part(part)
    except Refused as refusal:
        raise AssertionError(f"{part.transfer_id}: {refusal.code}") from refusal
    return after
