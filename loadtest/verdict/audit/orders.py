"""
Orders (A10): every order moved exactly the agreed amounts between the right accounts (rules, sections 9, 10, 15).

The agreed amounts are in the order's line of the final books; the movements are in the journals, also the platform's.
They are recomputed here, without the code under test; ``prices`` works out the agreed amounts themselves.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from loadtest.record.book_orders import BookedOrder
from loadtest.record.books import Books
from loadtest.record.journal import JournalRecord
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.prices import price_faults, used_packets
from loadtest.verdict.audit.violation import Findings
from server.core.ids import OrderId
from server.core.orders.asset import AssetState
from server.core.orders.order import OrderState

PER_WHOLE = 10_000  # rates are in hundredths of a percent
_WAITING = frozenset({AssetState.LOCKED, AssetState.REDEEMED})

Flows = Counter[tuple[str, str]]
"""The movements of an order in fen, by the kinds of accounts debited and credited."""


def check_orders(findings: Findings, books: Books) -> None:
    """
    Check every order of final books. Where part of a journal was retired, only complete orders count.

    The sums over all orders are then right as well: each fen of buyer, creator, platform, merchant is in one order.
    """
    if not books.final:
        return
    entries: defaultdict[OrderId, list[JournalRecord]] = defaultdict(list)
    for entry in books.journal.besides_claims:
        if entry.order_id:
            entries[entry.order_id].append(entry)
    for order_id, steps in entries.items():
        if order_id not in books.orders and not _came_to_nothing(steps):
            text = f"the journal has steps of order {order_id}, which the books do not know"
            findings.add("A10", "", f"order {order_id}", text, evidence_of("journal", steps[0]))
    packets = used_packets(books)
    for order in books.orders.values():
        steps = entries.get(order.order_id, [])
        if books.openings and not any(step.movement in ("submit", "hold", "pay") for step in steps):
            continue
        flows = _flows(steps)
        for what, wanted, moved in _compared(order, flows):
            if wanted != moved:
                text = f"order {order.order_id} is {order.state} and {what} should come to {wanted} fen, not {moved}"
                findings.add("A10", "", f"order {what}", text, evidence_of("order", order))
        for kind, text in price_faults(order, books.rulebooks.get(order.platform), packets, steps):
            findings.add("A10", "", f"price {kind}", f"order {order.order_id}: {text}", evidence_of("order", order))


def _came_to_nothing(steps: list[JournalRecord]) -> bool:
    """Tell whether packets were locked for an order that was never created, and were unlocked again."""
    flows = _flows(steps)
    return flows["assets", "locked"] == flows["locked", "assets"] + flows["locked", "reversing"]


def _flows(steps: list[JournalRecord]) -> Flows:
    flows: Flows = Counter()
    for step in steps:
        for move in step.moves:
            flows[move.debit.partition(":")[0], move.credit.partition(":")[0]] += move.amount_fen
    return flows


def _compared(order: BookedOrder, flows: Flows) -> Iterator[tuple[str, int, int]]:
    """Yield the figures to compare: a name, the amount by the order's line, the amount by its movements."""
    paid = order.paid_at_ms is not None
    divided = order.state in (OrderState.FINAL, OrderState.REFUNDED)
    kept_fen = order.payable_fen - order.refunded_fen if paid else 0
    yield "the buyer's payment", order.payable_fen if paid else 0, flows["buyer", "clearing"]
    yield "what was refunded", order.refunded_fen, flows["clearing", "buyer"]
    merchants_fen = flows["clearing", "merchant"] - flows["merchant", "clearing"]  # shipping may come back (AMB-48)
    yield "the buyer's money to the merchant", kept_fen if divided else 0, merchants_fen
    yield from _of_packets(order, flows)
    final = order.state is OrderState.FINAL
    yield "subsidies", sum(order.subsidies.values()) if final else 0, flows["subsidy", "merchant"]
    commission, fees = _shares_of_the_price(order) if final else ({0}, {0})
    moved = flows["merchant", "commission"]
    yield "the commission", moved if moved in commission else max(commission), moved
    moved = flows["merchant", "service"]
    yield "the service fee", moved if moved in fees else max(fees), moved


def _of_packets(order: BookedOrder, flows: Flows) -> Iterator[tuple[str, int, int]]:
    """Yield the same for packets: each face is its viewer's, in the order, the merchant's or being returned."""
    faces_fen = sum(use.face_fen for use in order.packets)
    yield "the faces locked", faces_fen, flows["assets", "locked"]
    final = order.state is OrderState.FINAL
    redeemed = [use for use in order.packets if use.state is AssetState.REDEEMED]
    yield "what packets paid the merchant", sum(use.used_fen for use in redeemed) * final, flows["redeemed", "merchant"]
    back_fen = _faces(order, AssetState.EXPIRED_RETURNED) + sum(use.face_fen - use.used_fen for use in redeemed) * final
    yield "what goes back to funders", back_fen, flows["locked", "reversing"] + flows["redeemed", "reversing"]
    given_fen = flows["locked", "assets"] + flows["redeemed", "assets"]
    yield "what viewers got back", _faces(order, AssetState.AVAILABLE), given_fen
    open_fen = sum(use.face_fen for use in order.packets if use.state in _WAITING) * (not order.over)
    came_fen, left_fen = flows["assets", "locked"], given_fen + back_fen + flows["redeemed", "merchant"]
    yield "the faces that it still holds", open_fen, came_fen - left_fen


def _faces(order: BookedOrder, state: AssetState) -> int:
    return sum(use.face_fen for use in order.packets if use.state is state)


def _shares_of_the_price(order: BookedOrder) -> tuple[set[int], set[int]]:
    """
    Return the possible commissions and service fees, of the price before red packets (DY-SET-1, DY-SET-2).

    A deployment may exclude platform packets from the base (AMB-18) and include shipping in that of the fee (AMB-37).
    """
    kept_fen = order.goods_paid_fen - order.refunded_goods_fen
    own_fen = sum(use.used_fen for use in order.packets if not use.packet_id.startswith("platform."))
    bases = {kept_fen + order.packets_used_fen, kept_fen + own_fen}
    fee_bases = bases | {base + order.shipping_fen for base in bases}
    return (
        {_half_up(base * order.commission_rate) for base in bases},
        {_half_up(base * order.service_fee_rate) for base in fee_bases},
    )


def _half_up(product: int) -> int:
    return (2 * product + PER_WHOLE) // (2 * PER_WHOLE)
