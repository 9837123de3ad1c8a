"""
The discount waterfall: the price of an order, line by line, and the funder of every fen deducted.

First the flash price of each line (KS-PRC-1). Then all shop discounts and the platform's, each computed on the same
stage-1 prices independently of the others (KS-PRC-2), and taken one after another in the rulebook's order from what is
left of its lines; where together they exceed the price, the rest is recorded as clamped (AMB-30, AMB-34, AMB-52). Last
the funds, one after another, each from the remainder (KS-PRC-3). Shipping and service fee are never discounted
(KS-PRC-4, DY-USE-5).

A deduction is spread over its lines in proportion to their remaining prices, by largest remainder. If too little is
left for a red packet although an earlier one could use other lines, the earlier one moves there: the total that packets
take does not depend on how the first was spread. The earlier one never takes less because of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from server.core.money.money import FEN_MAX, half_up, largest_remainder
from server.core.orders.discount import NATURE, RED_PACKETS, Discount, DiscountKind, Funder
from server.core.orders.purchase import Purchase
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook


class Unused(StrEnum):
    """The reason why a discount deducts nothing."""

    THRESHOLD = "threshold"
    BEATEN = "beaten"  # KS-STK-2
    NOTHING_LEFT = "nothing_left"


@dataclass(frozen=True, slots=True)
class Deduction:
    """The deduction of one discount: in sum, from each line in order, and the clamped excess."""

    discount_id: str
    kind: DiscountKind
    amount_fen: int
    clamped_fen: int
    by_line: tuple[int, ...]

    @property
    def funder(self) -> Funder:
        """Return the party that bears it (KS-SET-1)."""
        return NATURE[self.kind][1]


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of an order in fen. ``paid_by_line`` is in the order of the purchase's lines."""

    purchase: Purchase
    deductions: tuple[Deduction, ...]
    unused: tuple[tuple[str, Unused], ...]
    paid_by_line: tuple[int, ...]

    @property
    def goods_paid_fen(self) -> int:
        """Return the buyer's payment for the goods alone."""
        return sum(self.paid_by_line)

    @property
    def payable_fen(self) -> int:
        """Return the buyer's total payment, including shipping and service fee (KS-PRC-4)."""
        return self.goods_paid_fen + self.purchase.shipping_fen + self.purchase.service_fee_fen

    def deducted_fen(self, *kinds: DiscountKind) -> int:
        """Return the total deduction of discounts of these kinds."""
        return sum(each.amount_fen for each in self.deductions if each.kind in kinds)

    def by_funder(self) -> Mapping[Funder, int]:
        """Return the amount that each funder bears; the sum is list price minus goods paid (invariant I9)."""
        return {funder: sum(each.amount_fen for each in self.deductions if each.funder is funder) for funder in Funder}


def price(purchase: Purchase, discounts: Sequence[Discount], rulebook: Rulebook) -> Quote:
    """
    Return the quote of a purchase with these discounts, all of which the buyer may use.

    Reductions, coupons and packets all stack (DY-STK-1). Kuaishou's order of computation serves every platform, as
    Douyin states none (AMB-17). Which packets may be combined is decided in ``stacking``. Raises Refused:
    ``too_many_lines``, ``out_of_range``.
    """
    _check_size(purchase, rulebook)
    assert len({each.discount_id for each in discounts}) == len(discounts)
    sheet = _Sheet(purchase)
    sheet.take_item_discounts()
    _take_parallel(sheet, discounts, rulebook)
    for each in _in_order(discounts, rulebook.fund_order):
        assert each.amount_fen is not None
        sheet.take(each, each.amount_fen)
    return sheet.quote()


def _check_size(purchase: Purchase, rulebook: Rulebook) -> None:
    if len(purchase.lines) > rulebook.order_lines_max:
        raise Refused("too_many_lines", f"an order has at most {rulebook.order_lines_max}", field="lines")
    if sum(line.list_fen for line in purchase.lines) + purchase.shipping_fen + purchase.service_fee_fen > FEN_MAX:
        raise Refused("out_of_range", f"an order comes to at most {FEN_MAX} fen", field="lines")


def _in_order(discounts: Sequence[Discount], order: Sequence[DiscountKind]) -> Iterator[Discount]:
    """Yield the discounts of these kinds, kind by kind, in the given order within each."""
    for kind in order:
        yield from (each for each in discounts if each.kind is kind)


def _take_parallel(sheet: "_Sheet", discounts: Sequence[Discount], rulebook: Rulebook) -> None:
    """Apply shop and platform discounts, each computed on the stage-1 prices (KS-PRC-2, KS-STK-1)."""
    parallel = list(_in_order(discounts, rulebook.parallel_order))
    stage_1 = tuple(sheet.left)
    wanted = {each.discount_id: sheet.wanted(each, stage_1) for each in parallel}
    best = _best_of_shop(parallel, wanted, rulebook)
    for each in parallel:
        if wanted[each.discount_id] == 0:
            sheet.unused.append((each.discount_id, Unused.THRESHOLD))
        elif best is not None and each.kind in rulebook.best_of_shop and each is not best:
            sheet.unused.append((each.discount_id, Unused.BEATEN))
        else:
            sheet.take(each, wanted[each.discount_id])


def _best_of_shop(parallel: Sequence[Discount], wanted: Mapping[str, int], rulebook: Rulebook) -> Discount | None:
    """Return the one coupon or streamer packet that counts: the largest on the stage-1 price (KS-STK-2, AMB-34)."""
    rivals = [each for each in parallel if each.kind in rulebook.best_of_shop]
    return min(
        rivals,
        key=lambda each: (-wanted[each.discount_id], rulebook.best_of_shop.index(each.kind), each.discount_id),
        default=None,
    )


class _LineRow:
    """A discount on the sheet: the lines it applies to, and its deduction from each."""

    def __init__(self, discount_id: str, kind: DiscountKind, lines: Sequence[int], by_line: list[int]) -> None:
        self.discount_id = discount_id
        self.kind = kind
        self.lines = lines
        self.by_line = by_line
        self.wanted_fen = sum(by_line)


class _Sheet:
    """A waterfall in progress: the remaining price of each line, and the deductions so far."""

    def __init__(self, purchase: Purchase) -> None:
        self._purchase = purchase
        self._rows: list[_LineRow] = []
        self.left = [line.list_fen for line in purchase.lines]
        self.unused: list[tuple[str, Unused]] = []

    def take_item_discounts(self) -> None:
        """Reduce every line with a flash price to it (KS-PRC-1)."""
        for i, line in enumerate(self._purchase.lines):
            if line.item_discount_fen > 0:
                by_line = [0] * len(self.left)
                by_line[i] = line.item_discount_fen
                self.left[i] -= line.item_discount_fen
                self._rows.append(_LineRow(f"flash:{line.line_id}", DiscountKind.FLASH_PRICE, (i,), by_line))

    def wanted(self, discount: Discount, prices: Sequence[int]) -> int:
        """Return a discount's amount on these prices: 0 below its thresholds, at most their sum."""
        lines = self._lines_of(discount)
        subtotal_fen = sum(prices[i] for i in lines)
        pieces = sum(self._purchase.lines[i].quantity for i in lines)
        if subtotal_fen < discount.threshold_fen or pieces < discount.threshold_count:
            return 0
        if discount.amount_fen is not None:
            return min(discount.amount_fen, subtotal_fen)
        assert discount.pay_permille is not None
        return subtotal_fen - half_up(subtotal_fen * discount.pay_permille, 1000)  # AMB-42

    def take(self, discount: Discount, wanted_fen: int) -> None:
        """Deduct as much of *wanted_fen* as is left on the discount's lines."""
        row = _LineRow(discount.discount_id, discount.kind, self._lines_of(discount), [0] * len(self.left))
        row.wanted_fen = wanted_fen
        weights = [self.left[i] for i in row.lines]
        parts = largest_remainder(min(wanted_fen, sum(weights)), weights)
        for i, part in zip(row.lines, parts, strict=True):
            row.by_line[i] = part
            self.left[i] -= part
        if row.kind in RED_PACKETS:
            while self._move_packets(row):
                pass
        if sum(row.by_line) == 0:
            self.unused.append((row.discount_id, Unused.NOTHING_LEFT))
        else:
            self._rows.append(row)

    def quote(self) -> Quote:
        """Return the quote, with every sum checked (invariant I9)."""
        deductions = tuple(
            Deduction(row.discount_id, row.kind, sum(row.by_line), row.wanted_fen - sum(row.by_line), (*row.by_line,))
            for row in self._rows
        )
        for i, line in enumerate(self._purchase.lines):
            assert self.left[i] >= 0
            assert self.left[i] + sum(each.by_line[i] for each in deductions) == line.list_fen
        assert all(min(each.by_line) >= 0 and each.clamped_fen >= 0 for each in deductions)
        return Quote(self._purchase, deductions, tuple(self.unused), tuple(self.left))

    def _lines_of(self, discount: Discount) -> tuple[int, ...]:
        scope = discount.line_ids
        return tuple(i for i, line in enumerate(self._purchase.lines) if scope is None or line.line_id in scope)

    def _move_packets(self, row: _LineRow) -> bool:
        """
        Let *row* deduct more by moving earlier packets to lines with a remainder; return whether it did.

        A shortest augmenting path from the packet over lines and the packets that hold them (Edmonds, Karp 1972).
        """
        unmet_fen = row.wanted_fen - sum(row.by_line)
        packets = [each for each in self._rows if each.kind in RED_PACKETS]
        if unmet_fen == 0 or not packets:
            return False
        came_by: dict[int, tuple[_LineRow, int | None]] = dict.fromkeys(row.lines, (row, None))
        queue = list(row.lines)
        for i in queue:
            if self.left[i] > 0:
                self._shift(i, came_by, unmet_fen)
                return True
            for holder in packets[:]:
                if holder.by_line[i] > 0:
                    packets.remove(holder)  # each of its lines is reached now
                    for j in holder.lines:
                        if j not in came_by:
                            came_by[j] = (holder, i)
                            queue.append(j)
        return False

    def _shift(self, end: int, came_by: Mapping[int, tuple[_LineRow, int | None]], unmet_fen: int) -> None:
        """Move as much as fits along the path that ends at a line with a remainder."""
        steps: list[tuple[_LineRow, int | None, int]] = []
        to: int | None = end
        while to is not None:
            holder, source = came_by[to]
            steps.append((holder, source, to))
            to = source
        moved_fen = min(
            unmet_fen, self.left[end], *(each.by_line[source] for each, source, _ in steps if source is not None)
        )
        for each, source, target in steps:
            each.by_line[target] += moved_fen
            if source is not None:
                each.by_line[source] -= moved_fen
        self.left[end] -= moved_fen
