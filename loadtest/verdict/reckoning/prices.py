"""
Prices: the deductions of an order, line by line, worked out once more (rules, section 14).

First the flash prices. Then shop and platform discounts, each from the same prices, and taken one after another from
what is left of their lines (AMB-52). Last the funds, one after another, red packets with the earliest end first. A
deduction is spread over its lines by what is left of them. Where a later packet finds too little on its lines, earlier
ones move to other lines of theirs, and none takes less for it: the sum of packets is then what the narrowest cut lets
through, and any spread of it will do.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import chain, combinations, groupby
from typing import NamedTuple

from loadtest.record.book_orders import BookedPurchase, BookedRulebook, OrderedDiscount
from loadtest.verdict.reckoning.portions import half_up, portions
from loadtest.verdict.reckoning.usable import OrderCase, OwnedPacket, lines_for

PACKET_KINDS = frozenset({"creator_packet", "platform_packet"})
PACKETS_MAX, LINES_MAX, DISCOUNTS_MAX, REFUNDS_MAX = 12, 1_000, 50, 100
"""No server allows more in one order, and what is worked out here stays small."""

_NEVER_MS = 1 << 62


class NotReckonable(Exception):  # noqa: N818 - no fault of the order
    """The order cannot be worked out: an overridden order of funds leaves more than one price possible."""


class ImpossibleOrder(Exception):  # noqa: N818 - a fault of the order
    """No rulebook allows such an order, or such a spread of its packets over its lines; the text says why."""


class OwnPrice(NamedTuple):
    """The price as it ought to be: kind and amounts by line of each deduction, and what is left to pay of each line."""

    deductions: Mapping[str, tuple[str, tuple[int, ...]]]
    paid_by_line: tuple[int, ...]

    def taken_fen(self, *kinds: str) -> int:
        """Return the sum of all deductions of these kinds."""
        return sum(sum(by_line) for kind, by_line in self.deductions.values() if kind in kinds)

    def of(self, discount_id: str) -> int:
        """Return the sum of one deduction, 0 if there is none."""
        return sum(self.deductions.get(discount_id, ("", ()))[1])


def own_price(case: OrderCase) -> OwnPrice:
    """Return the price of an order. Raises NotReckonable; ImpossibleOrder if there can be none like it."""
    _, purchase, packets, rulebook = case
    parts = (packets, PACKETS_MAX), (purchase.lines, LINES_MAX), (purchase.discounts, DISCOUNTS_MAX)
    if any(len(part) > most for part, most in (*parts, (purchase.refunds, REFUNDS_MAX))):
        raise ImpossibleOrder("it has more packets, lines, discounts or refunds than any order")
    sheet = _OwnSheet(purchase)
    sheet.take_flash_prices()
    _take_shop_and_platform(sheet, purchase, rulebook)
    after_packets = False
    for are_packets, kinds in groupby(rulebook.fund_order, PACKET_KINDS.__contains__):
        if not are_packets:
            for each in _of_kinds(purchase.discounts, kinds):
                sheet.take(each.discount_id, each.kind, each.amount_fen or 0, sheet.lines_of(each))
            continue
        order = {kind: place for place, kind in enumerate(kinds)}
        of_these = [each for each in packets if each.kind in order]
        of_these.sort(key=lambda each: (order[each.kind], _end_ms(each), each.asset_id))
        sheet.take_packets([(each, lines_for(each, case)) for each in of_these], movable=not after_packets)
        after_packets = True
    return OwnPrice(sheet.deductions, tuple(sheet.left))


def most_fen(packets: Iterable[tuple[int, Sequence[int]]], left: Sequence[int]) -> int:
    """
    Return the most that packets, each a face and its lines, can take of what is *left* of the lines.

    Whichever packets one picks: they take no more than their lines hold, the others no more than their faces.
    """
    faces: dict[frozenset[int], int] = {}
    for face_fen, lines in packets:
        faces[frozenset(lines)] = faces.get(frozenset(lines), 0) + face_fen
    whole_fen = sum(faces.values())
    picks = chain.from_iterable(combinations(faces, count) for count in range(len(faces) + 1))
    return min(
        whole_fen - sum(faces[each] for each in pick) + sum(left[at] for at in frozenset[int]().union(*pick))
        for pick in picks
    )


def _end_ms(packet: OwnedPacket) -> int:
    return _NEVER_MS if packet.use_end_at_ms is None else packet.use_end_at_ms


def _of_kinds(discounts: Sequence[OrderedDiscount], kinds: Iterable[str]) -> list[OrderedDiscount]:
    return [each for kind in kinds for each in discounts if each.kind == kind]


def _take_shop_and_platform(sheet: "_OwnSheet", purchase: BookedPurchase, rulebook: BookedRulebook) -> None:
    """Take the parallel discounts; of shop coupons and streamers' packets only the largest counts (KS-STK-2)."""
    parallel = _of_kinds(purchase.discounts, rulebook.parallel_order)
    prices = tuple(sheet.left)
    wanted = {each.discount_id: sheet.wanted_fen(each, prices) for each in parallel}
    rivals = [each for kind in rulebook.best_of_shop for each in parallel if each.kind == kind]
    rivals.sort(key=lambda each: (-wanted[each.discount_id], rulebook.best_of_shop.index(each.kind), each.discount_id))
    beaten = {each.discount_id for each in rivals[1:]}
    for each in parallel:
        if each.discount_id not in beaten:
            sheet.take(each.discount_id, each.kind, wanted[each.discount_id], sheet.lines_of(each))


class _OwnSheet:
    """The prices of an order as far as they are worked out."""

    def __init__(self, purchase: BookedPurchase) -> None:
        self._purchase = purchase
        self.left = [line.list_price_fen * line.quantity for line in purchase.lines]
        self.deductions: dict[str, tuple[str, tuple[int, ...]]] = {}

    def lines_of(self, discount: OrderedDiscount) -> tuple[int, ...]:
        """Return the positions of the lines to which a discount applies."""
        scope = None if discount.line_ids is None else set(discount.line_ids)
        lines = enumerate(self._purchase.lines)
        return tuple(at for at, line in lines if scope is None or line.line_id in scope)

    def wanted_fen(self, discount: OrderedDiscount, prices: Sequence[int]) -> int:
        """Return a discount's amount at these prices, 0 below its thresholds (KS-PRC-2, AMB-42)."""
        lines = self.lines_of(discount)
        price_fen = sum(prices[at] for at in lines)
        pieces = sum(self._purchase.lines[at].quantity for at in lines)
        if price_fen < discount.threshold_fen or pieces < discount.threshold_count:
            return 0
        if discount.amount_fen is not None:
            return min(discount.amount_fen, price_fen)
        return price_fen - half_up(Fraction(price_fen * (discount.pay_permille or 0), 1000))

    def take_flash_prices(self) -> None:
        """Reduce every line whose flash price is below its list price (KS-PRC-1)."""
        for at, line in enumerate(self._purchase.lines):
            if line.flash_price_fen is not None and line.flash_price_fen < line.list_price_fen:
                less_fen = (line.list_price_fen - line.flash_price_fen) * line.quantity
                self._note(f"flash:{line.line_id}", "flash_price", {at: less_fen})

    def take(self, discount_id: str, kind: str, wanted_fen: int, lines: Sequence[int]) -> int:
        """Take as much of an amount as is left of these lines, and return it."""
        weights = [self.left[at] for at in lines]
        taken_fen = min(wanted_fen, sum(weights))
        if taken_fen > 0:
            self._note(discount_id, kind, dict(zip(lines, portions(taken_fen, weights), strict=True)))
        return taken_fen

    def take_packets(self, packets: Sequence[tuple[OwnedPacket, tuple[int, ...]]], *, movable: bool) -> None:
        """
        Take these packets one after another.

        If one needs earlier ones to move, the books' own spread is taken, once it is found to be a possible one.
        """
        before = tuple(self.left)
        due_fen: dict[str, int] = {}
        moved = False
        for number, (packet, lines) in enumerate(packets, 1):
            pairs = [(each.face_fen, of_it) for each, of_it in packets[:number]]
            due_fen[packet.asset_id] = most_fen(pairs, before) - sum(due_fen.values())
            if not moved:
                taken_fen = self.take(packet.asset_id, packet.kind, packet.face_fen, lines)
                moved = taken_fen < due_fen[packet.asset_id]
                if taken_fen < packet.face_fen and not movable:
                    raise NotReckonable("packets of two stages share its lines")
        if moved:
            self._take_as_booked(packets, before, due_fen)

    def _take_as_booked(
        self,
        packets: Sequence[tuple[OwnedPacket, tuple[int, ...]]],
        before: tuple[int, ...],
        due_fen: Mapping[str, int],
    ) -> None:
        booked = {each.discount_id: each.by_line for each in self._purchase.deductions}
        self.left[:] = before
        for packet, lines in packets:
            by_line = booked.get(packet.asset_id, ())
            sound = len(by_line) == len(before) and all(fen >= 0 for fen in by_line)
            if not sound or sum(by_line) != due_fen[packet.asset_id]:
                text = f"{packet.asset_id} should take {due_fen[packet.asset_id]} fen, but takes {sum(by_line)}"
                raise ImpossibleOrder(text)
            if any(fen for at, fen in enumerate(by_line) if at not in lines):
                raise ImpossibleOrder(f"{packet.asset_id} takes from a line on which it may not be used")
            self._note(packet.asset_id, packet.kind, dict(enumerate(by_line)))
        if min(self.left) < 0:
            raise ImpossibleOrder("its packets take more of a line than is left of it")

    def _note(self, discount_id: str, kind: str, by_line: Mapping[int, int]) -> None:
        for at, fen in by_line.items():
            self.left[at] -= fen
        self.deductions[discount_id] = kind, tuple(by_line.get(at, 0) for at in range(len(self.left)))
