"""
Orders: quote, submit, pay, cancel, refund and settlement (sections 10 to 15 of the rules).

A purchase with its prices, discounts and rates comes from the platform's checkout, and so do successful payments and
refunds: administrators report them. Buyers may request quotes, and cancel their own orders. Where guests are admitted
there is no such checkout: buyers submit, pay and refund their own orders.
"""

from dataclasses import asdict
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.api.access import WithCaller, allowed_to
from server.api.app_state import AppState, GivenKey, WithKey, WithState
from server.api.errors import problems
from server.api.purchases import Fen, PurchaseAsked, QuoteShown, quote_shown
from server.commands.cancel_order import cancel_order
from server.commands.pay_order import pay_order
from server.commands.quote_order import quote_order
from server.commands.refund_order import refund_order
from server.commands.submit_order import submit_order
from server.core.credential import Caller, Role
from server.core.ids import OrderId, RoomId, ViewerId, checked_creator_id, checked_id
from server.core.orders.asset import AssetState
from server.core.orders.order import OrderState, Refund
from server.core.orders.settlement import PER_WHOLE, Rates, settle_order
from server.core.orders.submission import Submission
from server.core.refusal import Refused
from server.store.orders.order_record import OrderRecord

router = APIRouter(prefix="/api/orders", tags=["orders"])

_BUYER = [allowed_to(Role.ADMIN, Role.VIEWER)]
_BOTH = [allowed_to(Role.ADMIN, Role.VIEWER, Role.CREATOR)]
_CREATOR = [allowed_to(Role.ADMIN, Role.CREATOR)]

LISTED_MAX = 500
Rate = Annotated[int, Field(ge=0, le=PER_WHOLE, strict=True)]


class NewOrder(PurchaseAsked):
    """
    A purchase to order. ``asset_ids`` are the packets to use, as named by a quote; by default the best ones.

    ``expected_payable_fen`` is the price that the buyer was shown: if the price differs, nothing is ordered. Commission
    and service fee are rates in hundredths of a percent. ``room_id`` is the room in which the order was made.
    """

    merchant_id: str = "shop"
    commission_rate: Rate = 0
    service_fee_rate: Rate = 0
    asset_ids: list[str] | None = None
    expected_payable_fen: Fen | None = None
    room_id: str | None = None

    @model_validator(mode="after")
    def _within_a_whole(self) -> Self:
        if self.commission_rate + self.service_fee_rate > PER_WHOLE:
            raise ValueError("commission_rate: with service_fee_rate it must not pass 10000, the whole price")
        return self


class NewRefund(BaseModel):
    """
    A refund in fen by line id, and of shipping and service fee.

    It is identified by its ``refund_id``, or without one by its ``Idempotency-Key``.
    """

    model_config = ConfigDict(extra="forbid")

    refund_id: str | None = None
    by_line: dict[str, Fen] = {}
    extras_fen: Fen = 0


class UsedPacketShown(BaseModel):
    """A packet in an order: its face, its used amount, and its present state."""

    asset_id: str
    face_fen: int
    used_fen: int
    state: AssetState


class OrderShown(BaseModel):
    """
    An order; instants in room ms. ``kept_fen`` is the part of the buyer's payment that was not refunded.

    ``repeated`` says that the effect of the payment, cancellation or refund was there already.
    """

    order_id: str
    creator_id: str
    viewer_id: str
    merchant_id: str
    platform: str
    state: OrderState
    created_at_ms: int
    paid_at_ms: int | None
    payable_fen: int
    kept_fen: int
    refunded_by_line: dict[str, int]
    packets: list[UsedPacketShown]
    quote: QuoteShown
    repeated: bool


class SettlementShown(BaseModel):
    """
    Each party's amount of an order, in fen (DY-SET-1 to DY-SET-6); ``final`` once none of them can change any more.

    Shipping goes to the merchant in full and is in none of these figures.
    """

    order_id: str
    final: bool
    base_fen: int
    merchant_gross_fen: int
    commission_fen: int
    service_fee_fen: int
    subsidies_fen: int
    merchant_net_fen: int
    creator_net_fen: int
    platform_net_fen: int


@router.post("/quote", responses=problems(400, 413, 422, 503), dependencies=_BUYER)
async def quote(body: PurchaseAsked, state: WithState, caller: WithCaller) -> QuoteShown:
    """Quote a purchase, line by line, with the best of the viewer's packets; nothing is locked."""
    viewer_id = ViewerId(checked_id("viewer_id", body.viewer_id))
    caller.check_owns(viewer_id=viewer_id)
    quoted, choice = await quote_order(state, viewer_id, body.purchase(), body.promised(), body.platform)
    return quote_shown(quoted, choice.exclusions, approximate=choice.approximate)


@router.post("", status_code=201, responses=problems(400, 404, 409, 413, 422, 503), dependencies=_BUYER)
async def submit(body: NewOrder, state: WithState, key: WithKey, caller: WithCaller) -> OrderShown:
    """Submit an order: its packets are locked, all or none, until it is paid or cancelled (DY-CAN-1)."""
    _check_checkout(caller, state, body.viewer_id)
    room_id = None if body.room_id is None else RoomId(checked_id("room_id", body.room_id))
    asked = Submission(
        viewer_id=ViewerId(checked_id("viewer_id", body.viewer_id)),
        purchase=body.purchase(),
        discounts=tuple(body.promised()),
        platform=body.platform,
        rates=Rates(body.commission_rate, body.service_fee_rate),
        merchant_id=checked_id("merchant_id", body.merchant_id),
        transfer_id=f"order:{key}",
        asset_ids=None if body.asset_ids is None else tuple(body.asset_ids),
        expected_payable_fen=body.expected_payable_fen,
    )
    return order_shown(await submit_order(state, asked, room_id))


@router.post("/{order_id}/pay", responses=problems(404, 409, 422, 503), dependencies=_BUYER)
async def pay(order_id: str, state: WithState, key: WithKey, caller: WithCaller) -> OrderShown:
    """
    Pay: the packets are redeemed, and the buyer's trail begins (DY-USE-7, KS-USE-3, LT-a).

    An order that is paid stays so and is ``repeated``; one that was cancelled or refunded is refused (AMB-58).
    """
    await _check_checkout_of(caller, state, _order_id(order_id))
    return order_shown(await pay_order(state, _order_id(order_id), f"payment:{key}"))


@router.post("/{order_id}/cancel", responses=problems(404, 409, 422, 503), dependencies=_BUYER)
async def cancel(order_id: str, state: WithState, key: WithKey, caller: WithCaller) -> OrderShown:
    """
    Cancel an unpaid order: its packets go back to the viewer, or, if expired, to their funders (DY-REV-4).

    An order that is cancelled stays so and is ``repeated`` (AMB-58).
    """
    caller.check_owns(viewer_id=(await state.orders.get(_order_id(order_id))).order.viewer_id)
    return order_shown(await cancel_order(state, _order_id(order_id), f"cancellation:{key}"))


@router.post("/{order_id}/refunds", responses=problems(400, 404, 409, 413, 422, 503), dependencies=_BUYER)
async def refund(order_id: str, body: NewRefund, state: WithState, key: GivenKey, caller: WithCaller) -> OrderShown:
    """
    Refund money; the packets go back only once all goods are refunded in full (DY-REV-5 to DY-REV-7, DY-CAN-5).

    Shipping and service fee may follow until everything paid is back (AMB-48). A repeated ``refund_id`` (without one, a
    repeated ``Idempotency-Key``) changes nothing, and nothing else makes a refund a repeated one (AMB-58). An order has
    at most 100 refunds.
    """
    await _check_checkout_of(caller, state, _order_id(order_id))
    if body.refund_id is not None:
        refund_id = checked_id("refund_id", body.refund_id)
    elif key is not None:
        refund_id = f"key:{key}"  # no refund_id reads so
    else:
        raise Refused(
            "bad_field", "is missing; without it an Idempotency-Key must identify the refund", field="refund_id"
        )
    asked = Refund(refund_id, body.by_line, body.extras_fen)
    return order_shown(await refund_order(state, _order_id(order_id), asked))


@router.get("/{order_id}", responses=problems(404, 422, 503), dependencies=_BOTH)
async def get(order_id: str, state: WithState, caller: WithCaller) -> OrderShown:
    """Show one order to its buyer and its creator."""
    record = await state.orders.get(_order_id(order_id))
    caller.check_owns(viewer_id=record.order.viewer_id, creator_id=record.home)
    return order_shown(record)


@router.get("", responses=problems(422, 503), dependencies=_CREATOR)
async def list_orders(
    creator_id: str,
    state: WithState,
    count: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 100,
    after: str | None = None,
) -> list[OrderShown]:
    """List the orders that are kept with a creator, the latest first, or those before the order *after*."""
    before = None if after is None else _order_id(after)
    records = await state.orders.list(checked_creator_id(creator_id), latest=count, before=before)
    return [order_shown(record) for record in reversed(records)]


@router.get("/{order_id}/settlement", responses=problems(404, 422, 503), dependencies=_CREATOR)
async def settlement(order_id: str, state: WithState, caller: WithCaller) -> SettlementShown:
    """Show an order's settlement; before it is final, as it would be now (DY-SET-1 to DY-SET-6)."""
    record = await state.orders.get(_order_id(order_id))
    caller.check_owns(creator_id=record.home)
    settled = settle_order(record.order, record.deal.rates, state.rulebook(record.deal.platform))
    return SettlementShown(
        order_id=record.order_id,
        final=record.order.state in (OrderState.FINAL, OrderState.REFUNDED),
        merchant_gross_fen=settled.merchant_gross_fen,
        **asdict(settled),
    )


def _check_checkout(caller: Caller, state: AppState, viewer_id: str) -> None:
    """Raise Refused unless the caller is an administrator, or the buyer where buyers check out for themselves."""
    if caller.role is Role.VIEWER and not state.settings.guests:
        raise Refused("not_allowed", "only for admin; viewers check out for themselves on a server with --guests")
    caller.check_owns(viewer_id=viewer_id)


async def _check_checkout_of(caller: Caller, state: AppState, order_id: OrderId) -> None:
    if caller.role is not Role.ADMIN:
        _check_checkout(caller, state, (await state.orders.get(order_id)).order.viewer_id)


def _order_id(text: str) -> OrderId:
    return OrderId(checked_id("order_id", text))


def order_shown(record: OrderRecord) -> OrderShown:
    """Return the response for an order."""
    order, deal = record.order, record.deal
    used = {packet.asset_id: packet.used_fen for packet in order.packets}
    return OrderShown(
        order_id=record.order_id,
        creator_id=record.home,
        viewer_id=order.viewer_id,
        merchant_id=deal.merchant_id,
        platform=deal.platform,
        state=order.state,
        created_at_ms=record.created_at_ms,
        paid_at_ms=order.paid_at_ms,
        payable_fen=order.quote.payable_fen,
        kept_fen=order.kept_fen if order.paid_at_ms is not None else 0,
        refunded_by_line=order.refunded_by_line,
        packets=[
            UsedPacketShown(
                asset_id=asset.asset_id,
                face_fen=asset.face_fen,
                used_fen=used[asset.asset_id],
                state=asset.state,
            )
            for asset in record.assets
        ],
        quote=quote_shown(order.quote, deal.exclusions),
        repeated=record.repeated,
    )
