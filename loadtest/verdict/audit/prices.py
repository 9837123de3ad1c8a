"""
Prices (A10): every order is worked out again from its lines, packets, discounts and rates, to the fen and the payer.

``loadtest.verdict.reckoning`` does the sums, by docs/rules.md alone. Orders of earlier versions, which do not say what
they were priced from, and those with packets whose records were retired are left to ``orders``.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from loadtest.record.book_orders import BookedOrder, BookedRulebook
from loadtest.record.books import Books, PacketRecord
from loadtest.record.journal import JournalRecord
from loadtest.verdict.audit.followers import went_back_at_ms
from loadtest.verdict.reckoning.payments import Payments, payments_of, subsidies_of
from loadtest.verdict.reckoning.prices import PACKET_KINDS, ImpossibleOrder, NotReckonable, OwnPrice, own_price
from loadtest.verdict.reckoning.returns import Refunded, refund_faults, refunded, state_of
from loadtest.verdict.reckoning.usable import PLATFORM, OrderCase, OwnedPacket, forbidden

Fault = tuple[str, str]
"""A fault of an order: a word, and a sentence."""


def used_packets(books: Books) -> dict[str, OwnedPacket]:
    """Return the shares that orders use, as their packets and the journal's claims have them."""
    wanted = {use.asset_id for order in books.orders.values() for use in order.packets}
    found: dict[str, OwnedPacket] = {}
    if not wanted:
        return found
    for entry in books.journal:
        packet = books.packets.get(entry.packet_id)
        for claim in (entry.claims or ()) if packet is not None else ():
            asset_id = f"{entry.packet_id}:{claim.index}"
            if packet is not None and asset_id in wanted:
                found[asset_id] = OwnedPacket(
                    asset_id,
                    packet.creator_id,
                    claim.viewer_id,
                    packet.platform,
                    claim.amount_fen,
                    None if packet.product_ids is None else frozenset(packet.product_ids),
                    _use_end_ms(packet, entry.at_ms),
                )
    return found


def price_faults(
    order: BookedOrder,
    rulebook: BookedRulebook | None,
    known: Mapping[str, OwnedPacket],
    steps: Sequence[JournalRecord],
) -> Iterator[Fault]:
    """Yield the faults of one order; *steps* are its entries in the journals."""
    purchase = order.purchase
    packets = tuple(known[use.asset_id] for use in order.packets if use.asset_id in known)
    if purchase is None or rulebook is None or len(packets) < len(order.packets):
        return
    case = OrderCase(order, purchase, packets, rulebook)
    try:
        price = own_price(case)
    except NotReckonable:
        return
    except ImpossibleOrder as impossible:
        yield "order", str(impossible)
        return
    for text in forbidden(case):
        yield "use", text
    for kind, what, wanted, found in _compared(case, price):
        if wanted != found:
            yield kind, f"{what} should come to {wanted}, not {found} (fen)"
    back = refunded(case, price)
    for text in refund_faults(case, price, back):
        yield "refund", text
    yield from _paid_out(case, price, back, steps)


def _use_end_ms(packet: PacketRecord, claimed_at_ms: int) -> int | None:
    return packet.use_end_at_ms if packet.use_for_ms is None else claimed_at_ms + packet.use_for_ms


def _compared(case: OrderCase, price: OwnPrice) -> Iterator[tuple[str, str, object, object]]:
    """Yield the figures of the order's line beside our own: a word, a name, ours and the books'."""
    order, purchase, packets, _ = case
    booked = {each.discount_id: (each.kind, each.by_line) for each in purchase.deductions}
    for discount_id in dict.fromkeys([*price.deductions, *booked]):
        kind, ours = price.deductions.get(discount_id, ("", ()))
        of_kind, theirs = booked.get(discount_id, ("", ()))
        yield f"{kind or of_kind}", f"{discount_id} of all lines", sum(ours), sum(theirs)
        yield f"{kind or of_kind} lines", f"{discount_id} line by line", [*ours], [*theirs]
    yield "lines", "the payment for each line", [*price.paid_by_line], [*purchase.paid_by_line]
    goods_fen = sum(price.paid_by_line)
    yield "goods", "the payment for the goods", goods_fen, order.goods_paid_fen
    extras_fen = order.shipping_fen + purchase.service_fee_fen
    yield "payable", "the buyer's payment", goods_fen + extras_fen, order.payable_fen
    yield "packets", "all packets", price.taken_fen(*PACKET_KINDS), order.packets_used_fen
    for use, packet in zip(order.packets, packets, strict=True):
        yield "used", f"the use of {use.asset_id}", price.of(use.asset_id), use.used_fen
        yield "face", f"the face of {use.asset_id}", packet.face_fen, use.face_fen
    for payer, fen in subsidies_of(price).items():
        yield f"{payer} pays", f"the part of the {payer}", fen, order.subsidies.get(payer, 0)


def _paid_out(case: OrderCase, price: OwnPrice, back: Refunded, steps: Sequence[JournalRecord]) -> Iterator[Fault]:
    """Yield where the journals moved otherwise, account by account, and where a packet did not go where it belongs."""
    order, purchase, packets, _ = case
    at_home = {entry.transfer_id: entry.at_ms for entry in steps if entry.creator_id == order.creator_id}
    if order.state == "cancelled":
        cancelled = (entry.at_ms for entry in steps if entry.movement == "cancel")
        instants = [next(cancelled, None)]
    else:
        names = [f"refund:{order.order_id}:{refund.refund_id}" for refund in purchase.refunds]
        instants = [at_home.get(name) for name in names]
    states: dict[str, str] = {}
    for packet in packets:
        its = instants
        if packet.creator_id == PLATFORM != order.creator_id:
            its = [went_back_at_ms(packet.asset_id.rpartition(":")[0], steps)] * len(instants)
        states[packet.asset_id] = state_of(case, packet, back, its)
    for use in order.packets:
        if use.state != states[use.asset_id]:
            yield "packet", f"{use.asset_id} should be {states[use.asset_id]}, but is {use.state}"
    ours = payments_of(case, price, back, states)
    theirs: Payments = Counter()
    for entry in steps:
        for move in entry.moves:
            theirs[move.debit, move.credit] += move.amount_fen
    for accounts in dict.fromkeys([*ours, *theirs]):
        if ours[accounts] != theirs[accounts]:
            debit, credit = accounts
            kinds = f"{debit.partition(':')[0]} {credit.partition(':')[0]}"
            yield kinds, f"{debit} should give {credit} {ours[accounts]} fen, not {theirs[accounts]}"
