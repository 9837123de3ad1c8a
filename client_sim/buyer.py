"""
Plan what a buyer does with a packet it has won, and when: pure; loadtest/run/shop_driver.py sends it over HTTP.

Everything follows from the random numbers passed in and the instant at which the buyer gets its receipt: its basket,
whether it pays, cancels or asks for a refund, and the merchant's reports.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from server.core.ids import CreatorId, RoomId, ViewerId
from server.core.orders.trail import BEFORE_SHIPPING, TrailStep

# Room time, each drawn between two ends; an order is over within 8 room minutes of the packet's end, or never paid.
ORDER_AFTER_MS = (5_000, 120_000)  # from the receipt
PAY_AFTER_MS = (10_000, 90_000)  # from the order
CANCEL_AFTER_MS = (10_000, 120_000)  # from the order
REFUND_AFTER_MS = (30_000, 180_000)  # from the payment
REPORT_AFTER_MS = (5_000, 30_000)  # from the payment, or from the report before

LINES_MAX = 3  # order lines: a buyer in a live room orders few products
QUANTITY_MAX = 2
WHOLE_PERMILLE = 1000
PART_PERMILLE = (100, 900)  # the part of a line that a partial refund asks for
TWO_STEPS = 0.5  # fraction of the full refunds that come in two steps
EXTRAS = 0.5  # fraction of the full refunds that include shipping and service fee
REPEATED = 0.1  # fraction of the requests that are sent twice
REPORT_MISSING = 0.15
REPORT_TWICE = 0.15


class Habit(StrEnum):
    """The plan of a buyer; one that abandons its order never pays it, one that lets the packet expire never orders."""

    PAY = "pay"
    REFUND_FULLY = "pay_and_refund_fully"
    REFUND_IN_PART = "pay_and_refund_in_part"
    CANCEL = "cancel"
    ABANDON = "abandon"
    EXPIRE = "expire"


class Deed(StrEnum):
    """The kind of request that a buyer or the merchant's tool sends."""

    ORDER = "order"
    PAY = "pay"
    CANCEL = "cancel"
    REFUND = "refund"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Won:
    """
    A packet that a viewer has won. The viewer buys from ``creator_id`` in ``room_id``; with a platform packet that may
    be any creator. ``product_ids`` are the only products it may be used on; None means all.
    """

    viewer_id: ViewerId
    asset_id: str
    creator_id: CreatorId
    room_id: RoomId
    platform: str
    product_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ShopProduct:
    """A product on sale, at a price in fen within a range."""

    product_id: str
    price_min_fen: int
    price_max_fen: int


@dataclass(frozen=True, slots=True)
class BasketLine:
    """A number of pieces of one product; the price of one piece in fen."""

    line_id: str
    product_id: str
    price_fen: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Act:
    """
    A request to send at room instant ``at_ms``. ``name`` is unique among the buyer's acts with one packet: it makes the
    request idempotent.

    ``permille`` is the part of the unrefunded payment that a refund asks for: of each line, or below 1000 of one line
    only; ``extras`` adds shipping and service fee. ``step`` is the step that a report names. A ``repeated`` act is sent
    twice.
    """

    at_ms: int
    deed: Deed
    name: str
    permille: int = 0
    extras: bool = False
    step: TrailStep | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Errand:
    """The plan for one packet: the buyer's habit, its basket, and its acts in order."""

    won: Won
    habit: Habit
    basket: tuple[BasketLine, ...] = ()
    acts: tuple[Act, ...] = field(default=())


def errand(
    won: Won, rng: Random, now_ms: int, *, orders: float, mix: Mapping[Habit, float], products: Sequence[ShopProduct]
) -> Errand:
    """
    Return the plan for a packet whose winner gets its receipt at room instant *now_ms*.

    *orders* is the fraction of winners who order at all; their habits have the weights of *mix*.
    """
    habit = rng.choices(list(mix), list(mix.values()))[0] if rng.random() < orders else Habit.EXPIRE
    if habit is Habit.EXPIRE:
        return Errand(won, habit)
    basket = tuple(_basket(won, products, rng))
    return Errand(won, habit, basket, tuple(sorted(_acts(habit, rng, now_ms), key=lambda act: act.at_ms)))


def refund_of(act: Act, paid_by_line: Mapping[str, int], refunded_by_line: Mapping[str, int]) -> dict[str, int]:
    """
    Return the refund's amounts in fen by line id: of all lines, or a part of the dearest; empty if nothing is left.

    A partial refund leaves at least one fen of the line; a full one names every line not yet refunded in full.
    """
    left = {line_id: fen - refunded_by_line.get(line_id, 0) for line_id, fen in paid_by_line.items()}
    if act.permille == WHOLE_PERMILLE:
        return {line_id: fen for line_id, fen in left.items() if fen > 0 or line_id not in refunded_by_line}
    line_id = max(left, key=lambda each: left[each])
    part_fen = min(left[line_id] * act.permille // WHOLE_PERMILLE, left[line_id] - 1)
    return {line_id: part_fen} if part_fen > 0 else {}


def _basket(won: Won, products: Sequence[ShopProduct], rng: Random) -> Iterator[BasketLine]:
    """Yield one to three different products; if the packet has a scope, the first is within it."""
    first = rng.choice([each for each in products if won.product_ids is None or each.product_id in won.product_ids])
    others = [each for each in products if each is not first]
    chosen = [first, *rng.sample(others, min(len(others), rng.randrange(LINES_MAX)))]
    for number, product in enumerate(chosen, 1):
        price_fen = rng.randint(product.price_min_fen, product.price_max_fen)
        yield BasketLine(str(number), product.product_id, price_fen, rng.randint(1, QUANTITY_MAX))


def _acts(habit: Habit, rng: Random, now_ms: int) -> Iterator[Act]:
    def act(at_ms: int, deed: Deed, permille: int = 0) -> Act:
        name = f"{deed}-{permille}" if permille else deed.value
        extras = permille == WHOLE_PERMILLE and rng.random() < EXTRAS
        return Act(at_ms, deed, name, permille, extras, repeated=rng.random() < REPEATED)

    order_at_ms = now_ms + rng.randint(*ORDER_AFTER_MS)
    yield act(order_at_ms, Deed.ORDER)
    if habit is Habit.CANCEL:
        yield act(order_at_ms + rng.randint(*CANCEL_AFTER_MS), Deed.CANCEL)
    if habit in (Habit.CANCEL, Habit.ABANDON):
        return
    pay_at_ms = order_at_ms + rng.randint(*PAY_AFTER_MS)
    yield act(pay_at_ms, Deed.PAY)
    yield from _reports(rng, pay_at_ms)
    refund_at_ms = pay_at_ms + rng.randint(*REFUND_AFTER_MS)
    if habit is Habit.REFUND_IN_PART or (habit is Habit.REFUND_FULLY and rng.random() < TWO_STEPS):
        yield act(refund_at_ms, Deed.REFUND, rng.randint(*PART_PERMILLE))
        refund_at_ms += rng.randint(*REFUND_AFTER_MS)
    if habit is Habit.REFUND_FULLY:
        yield act(refund_at_ms, Deed.REFUND, WHOLE_PERMILLE)


def _reports(rng: Random, pay_at_ms: int) -> Iterator[Act]:
    """Yield the merchant's reports of the steps after the payment, some missing, some sent twice (LT-2)."""
    at_ms = pay_at_ms
    for step in (*BEFORE_SHIPPING[1:], TrailStep.SHIPPED):
        at_ms += rng.randint(*REPORT_AFTER_MS)
        if rng.random() >= REPORT_MISSING:
            yield Act(at_ms, Deed.REPORT, step.value, step=step, repeated=rng.random() < REPORT_TWICE)
