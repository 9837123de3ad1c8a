"""
An order: submitted, paid, cancelled, refunded, with the effects on its packets.

Every function takes an order and its packets, and returns them after the step, with every movement of money exactly
once. A repeated step returns the same order and moves nothing. Douyin's tables of cancel and refund hold for Kuaishou
by analogy (ALL-REV-1).

A face of a packet is always in one place: with the viewer (``assets``), in an order unpaid (``locked``) or paid
(``redeemed``), with its funder, or, its used part, with the merchant.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from server.core.ids import ViewerId
from server.core.orders.asset import Asset, AssetState, let_go, lock, not_yours, redeem
from server.core.orders.pricing import Quote
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook

REFUNDS_MAX = 100  # of one order; each is recorded, so that it is carried out once


class OrderState(StrEnum):
    """The state of an order; ``refunded`` means that all goods are, in full (section 10 of the rules)."""

    SUBMITTED_UNPAID = "submitted_unpaid"
    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    FINAL = "final"


TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.SUBMITTED_UNPAID: frozenset({OrderState.PAID, OrderState.CANCELLED}),
    OrderState.PAID: frozenset({OrderState.REFUNDED, OrderState.FINAL}),
    OrderState.CANCELLED: frozenset(),
    OrderState.REFUNDED: frozenset(),
    OrderState.FINAL: frozenset(),
}
"""The transitions of an order. ``final`` is a paid one whose refund window has closed (AMB-15)."""


class Place(StrEnum):
    """The places of an order's money."""

    BUYER = "buyer"
    CLEARING = "clearing"  # paid by the buyer, not yet settled
    ASSETS = "assets"
    LOCKED = "locked"
    REDEEMED = "redeemed"
    FUNDER = "funder"
    MERCHANT = "merchant"


PLACE_OF_STATE: dict[AssetState, Place] = {
    AssetState.AVAILABLE: Place.ASSETS,
    AssetState.LOCKED: Place.LOCKED,
    AssetState.REDEEMED: Place.REDEEMED,
    AssetState.EXPIRED_RETURNED: Place.FUNDER,
}
"""The place of an asset's face in each state."""


class Trigger(StrEnum):
    """The cause of a movement (section 9 of the rules)."""

    SUBMIT = "submit"
    PAY = "pay"
    CANCEL = "cancel"
    REFUND = "refund"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Movement:
    """
    An amount in fen that goes from one place to another at room time ``due_at_ms``.

    ``key`` is unique to the movement and the same when its cause is repeated (DY-REV-8). ``asset_id`` is None for the
    buyer's own money.
    """

    key: str
    debit: Place
    credit: Place
    amount_fen: int
    asset_id: str | None
    due_at_ms: int


@dataclass(frozen=True, slots=True)
class Refund:
    """A request for a refund, identified by its id: fen by line id, and of shipping and service fee."""

    refund_id: str
    by_line: Mapping[str, int]
    extras_fen: int = 0


@dataclass(frozen=True, slots=True)
class PacketUse:
    """A packet in an order: its used amount, by line."""

    asset_id: str
    used_fen: int
    line_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Order:
    """One order, with the payments for each line's goods and the refunds so far, in fen."""

    order_id: str
    viewer_id: ViewerId
    quote: Quote
    packets: tuple[PacketUse, ...]
    state: OrderState = OrderState.SUBMITTED_UNPAID
    paid_at_ms: int | None = None
    refunds: tuple[Refund, ...] = ()

    @property
    def paid_by_line(self) -> dict[str, int]:
        """Return the buyer's payment for the goods of each line."""
        lines = self.quote.purchase.lines
        return {line.line_id: fen for line, fen in zip(lines, self.quote.paid_by_line, strict=True)}

    @property
    def refunded_by_line(self) -> dict[str, int]:
        """Return the sum of all refunds of each line that any refund named (AMB-23)."""
        refunded: dict[str, int] = {}
        for refund in self.refunds:
            for line_id, fen in refund.by_line.items():
                refunded[line_id] = refunded.get(line_id, 0) + fen
        return refunded

    @property
    def kept_fen(self) -> int:
        """Return the part of the buyer's payment that was not refunded, shipping and service fee included."""
        return self.quote.payable_fen - sum(sum(each.by_line.values()) + each.extras_fen for each in self.refunds)

    @property
    def full_lines(self) -> frozenset[str]:
        """Return the fully refunded lines; one paid with packets alone must be named in a refund (AMB-21, AMB-22)."""
        refunded = self.refunded_by_line
        return frozenset(line_id for line_id, fen in self.paid_by_line.items() if refunded.get(line_id) == fen)


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """An order and its packets after a step, with the step's movements."""

    order: Order
    assets: tuple[Asset, ...]
    movements: tuple[Movement, ...] = field(default=())


def submit(
    order_id: str, viewer_id: ViewerId, quote: Quote, assets: Sequence[Asset], now_ms: int, *, rulebook: Rulebook
) -> StepOutcome:
    """
    Create an order from a quote and lock its packets; *assets* are exactly those that the quote uses.

    Raises Refused as ``lock`` does, or ``not_yours``; then none is locked.
    """
    deductions = {each.discount_id: each for each in quote.deductions}
    lines = quote.purchase.lines
    packets = tuple(
        PacketUse(
            asset.asset_id,
            deductions[asset.asset_id].amount_fen,
            frozenset(
                line.line_id for line, fen in zip(lines, deductions[asset.asset_id].by_line, strict=True) if fen > 0
            ),
        )
        for asset in assets
    )
    if any(asset.viewer_id != viewer_id for asset in assets):
        raise not_yours()
    locked = tuple(lock(asset, order_id, now_ms, rulebook) for asset in assets)
    order = Order(order_id, viewer_id, quote, packets)
    return StepOutcome(order, locked, tuple(_moved(order, Trigger.SUBMIT, zip(assets, locked, strict=True), now_ms, 0)))


def pay(order: Order, assets: Sequence[Asset], now_ms: int, rulebook: Rulebook) -> StepOutcome:
    """
    Take the buyer's payment and redeem the packets, all or none (DY-USE-7, KS-USE-3).

    Raises Refused: ``expired`` if one expired while the order was unpaid, ``not_payable`` if cancelled or refunded.
    """
    if order.state in (OrderState.PAID, OrderState.FINAL):
        return StepOutcome(order, (*assets,))
    if order.state is not OrderState.SUBMITTED_UNPAID:
        raise Refused("not_payable", f"this order was {order.state}", field="order_id")
    redeemed = tuple(redeem(asset, now_ms, rulebook) for asset in assets)
    paid = replace(order, state=OrderState.PAID, paid_at_ms=now_ms)
    return StepOutcome(
        paid,
        redeemed,
        (
            *_cash(
                f"{Trigger.PAY}:{order.order_id}:cash", Place.BUYER, Place.CLEARING, order.quote.payable_fen, now_ms
            ),
            *_moved(order, Trigger.PAY, zip(assets, redeemed, strict=True), now_ms, 0),
        ),
    )


def cancel(order: Order, assets: Sequence[Asset], now_ms: int, rulebook: Rulebook) -> StepOutcome:
    """
    Cancel an unpaid order: each packet goes back to the viewer, or, if it expired meanwhile, to its own funder.

    A packet that expired while locked goes back here too, because the sweeper skips it (DY-CAN-1, DY-CAN-2,
    DY-CAN-6, DY-REV-4, AMB-24, AMB-26). Raises Refused ``not_cancellable`` for a paid order.
    """
    if order.state is OrderState.CANCELLED:
        return StepOutcome(order, (*assets,))
    if order.state is not OrderState.SUBMITTED_UNPAID:
        raise Refused("not_cancellable", f"this order is {order.state}; ask for a refund", field="order_id")
    free = tuple(let_go(asset, now_ms) for asset in assets)
    steps = zip(assets, free, strict=True)
    movements = tuple(_moved(order, Trigger.CANCEL, steps, now_ms, rulebook.reversal_delay_ms))
    return StepOutcome(replace(order, state=OrderState.CANCELLED), free, movements)


def refund(order: Order, assets: Sequence[Asset], asked: Refund, now_ms: int, rulebook: Rulebook) -> StepOutcome:
    """
    Carry out a successful refund at *now_ms* (DY-REV-9, AMB-38).

    As long as a line is not refunded in full, no packet goes back (DY-REV-7, DY-CAN-5). With the last one each goes to
    the viewer, or, if it has expired by then, to its own funder with its full face (DY-REV-5, DY-REV-6, DY-CAN-3,
    DY-CAN-4, DY-CAN-6, AMB-21 to AMB-23). Where the rulebook says so, a packet goes back as soon as the lines it was
    used on are refunded. Shipping not refunded by then goes to the merchant, and may still be refunded from there, but
    no packet moves again (AMB-48).

    Raises Refused: ``refund_conflict``, ``not_refundable``, ``out_of_range``, ``too_many``.
    """
    known = next((each for each in order.refunds if each.refund_id == asked.refund_id), None)
    if known is not None:
        if known != asked:
            raise Refused("refund_conflict", "stands for another refund already", field="refund_id")
        return StepOutcome(order, (*assets,))
    _check_refund(order, asked, now_ms, rulebook)
    larger = replace(order, refunds=(*order.refunds, asked))
    goods_were_back = order.state is OrderState.REFUNDED
    full = not goods_were_back and larger.full_lines == larger.paid_by_line.keys()
    if full:
        larger = replace(larger, state=OrderState.REFUNDED)
    returned = frozenset[str]() if goods_were_back else _packets_to_return(larger, rulebook)
    after = tuple(
        let_go(asset, now_ms)
        if asset.asset_id in returned and asset.state is AssetState.REDEEMED and asset.order_id == order.order_id
        else asset
        for asset in assets
    )
    back_fen = sum(asked.by_line.values()) + asked.extras_fen
    prefix = f"{Trigger.REFUND}:{order.order_id}"
    cash: list[Movement] = []
    if goods_were_back:
        cash += _cash(f"{prefix}:kept:{asked.refund_id}", Place.MERCHANT, Place.CLEARING, back_fen, now_ms)
    cash += _cash(f"{prefix}:cash:{asked.refund_id}", Place.CLEARING, Place.BUYER, back_fen, now_ms)
    if full:
        cash += _cash(f"{prefix}:kept", Place.CLEARING, Place.MERCHANT, larger.kept_fen, now_ms)
    steps = zip(assets, after, strict=True)
    return StepOutcome(
        larger, after, (*cash, *_moved(order, Trigger.REFUND, steps, now_ms, rulebook.reversal_delay_ms))
    )


def finish(order: Order, assets: Sequence[Asset], now_ms: int, rulebook: Rulebook) -> StepOutcome:
    """
    Close the refund window of a paid order: the unused parts of its packets go to their funders (AMB-15).

    The used parts go to the merchant with the buyer's money, from which ``settlement`` takes its parts. Raises
    Refused ``not_final_yet`` before the window closes, ``not_paid`` for an order that was not paid.
    """
    if order.state in (OrderState.FINAL, OrderState.REFUNDED):
        return StepOutcome(order, (*assets,))
    if order.paid_at_ms is None:
        raise Refused("not_paid", f"this order is {order.state}", field="order_id")
    if now_ms < order.paid_at_ms + rulebook.refund_horizon_ms:
        raise Refused("not_final_yet", "it may still be refunded", field="order_id")
    used = {packet.asset_id: packet.used_fen for packet in order.packets}
    late_ms = now_ms + rulebook.reversal_delay_ms
    movements: list[Movement] = []
    for asset in assets:
        if asset.state is AssetState.REDEEMED and asset.order_id == order.order_id:
            used_fen = used[asset.asset_id]
            for credit, fen, due in (
                (Place.MERCHANT, used_fen, now_ms),
                (Place.FUNDER, asset.face_fen - used_fen, late_ms),
            ):
                if fen > 0:
                    key = f"{Trigger.FINISH}:{order.order_id}:{asset.asset_id}:{credit}"
                    movements.append(Movement(key, Place.REDEEMED, credit, fen, asset.asset_id, due))
    cash = _cash(f"{Trigger.FINISH}:{order.order_id}:cash", Place.CLEARING, Place.MERCHANT, order.kept_fen, now_ms)
    return StepOutcome(replace(order, state=OrderState.FINAL), (*assets,), (*cash, *movements))


def refundable_until_ms(order: Order, rulebook: Rulebook) -> int | None:
    """Return when the refund window of an order closes, or None if it was never paid."""
    return None if order.paid_at_ms is None else order.paid_at_ms + rulebook.refund_horizon_ms


def due_at_ms(order: Order, created_at_ms: int, rulebook: Rulebook) -> int | None:
    """Return when an order ends by itself: an unpaid one is cancelled, a paid one finished; None if it has ended."""
    match order.state:
        case OrderState.SUBMITTED_UNPAID:
            return rulebook.unpaid_until_ms(created_at_ms)
        case OrderState.PAID:
            return refundable_until_ms(order, rulebook)
    return None


def _check_refund(order: Order, asked: Refund, now_ms: int, rulebook: Rulebook) -> None:
    """Refuse a refund of more than was paid, of unknown lines, at the wrong time, or of goods after all of them."""
    if order.state not in (OrderState.PAID, OrderState.REFUNDED):
        raise Refused("not_refundable", f"this order is {order.state}", field="order_id")
    assert order.paid_at_ms is not None
    if order.state is OrderState.REFUNDED:
        if not order.kept_fen:
            raise Refused("not_refundable", "everything paid was refunded", field="order_id")
        if any(asked.by_line.values()) or not asked.extras_fen:
            left = f"of shipping and service fee {order.kept_fen} fen are left"
            raise Refused("not_refundable", f"all goods were refunded; {left}", field="by_line")
    if now_ms >= order.paid_at_ms + rulebook.refund_horizon_ms:
        raise Refused("not_refundable", "its refund window has closed", field="order_id")
    if len(order.refunds) == REFUNDS_MAX:
        raise Refused("too_many", f"an order has at most {REFUNDS_MAX} refunds", field="refund_id")
    if not asked.by_line and asked.extras_fen == 0:
        raise Refused("out_of_range", "must name a line or an amount", field="by_line")
    paid, refunded = order.paid_by_line, order.refunded_by_line
    for line_id, fen in asked.by_line.items():
        left_fen = paid.get(line_id, -1) - refunded.get(line_id, 0)
        if not 0 <= fen <= left_fen:
            raise Refused("out_of_range", f"{line_id}: there are {max(0, left_fen)} fen to refund", field="by_line")
    extras = order.quote.purchase.shipping_fen + order.quote.purchase.service_fee_fen
    if not 0 <= asked.extras_fen <= extras - sum(each.extras_fen for each in order.refunds):
        raise Refused("out_of_range", "more than shipping and service fee", field="extras_fen")


def _packets_to_return(order: Order, rulebook: Rulebook) -> frozenset[str]:
    """Return the packets all of whose lines are refunded (AMB-21)."""
    if order.state is OrderState.REFUNDED:
        return frozenset(packet.asset_id for packet in order.packets)
    if not rulebook.item_level_reversal:
        return frozenset()
    return frozenset(packet.asset_id for packet in order.packets if packet.line_ids <= order.full_lines)


def _moved(
    order: Order, trigger: Trigger, steps: Iterable[tuple[Asset, Asset]], now_ms: int, delay_ms: int
) -> Iterator[Movement]:
    """Yield a movement of the whole face for every asset whose place changed; one to a funder is due later."""
    for old, new in steps:
        debit, credit = PLACE_OF_STATE[old.state], PLACE_OF_STATE[new.state]
        if debit is not credit:
            due_at_ms = now_ms + (delay_ms if credit is Place.FUNDER else 0)
            key = f"{trigger}:{order.order_id}:{old.asset_id}"
            yield Movement(key, debit, credit, old.face_fen, old.asset_id, due_at_ms)


def _cash(key: str, debit: Place, credit: Place, amount_fen: int, now_ms: int) -> Iterator[Movement]:
    """Yield the movement of the buyer's own money, if the amount is not 0."""
    if amount_fen > 0:
        yield Movement(key, debit, credit, amount_fen, None, now_ms)
