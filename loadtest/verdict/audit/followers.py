"""
Followers (A10): the platform's packets in a creator's order, which follow its steps in a journal of their own.

One that its order gave back in time may hear of it when its validity is over: then it goes to the platform, whatever
the order says (ARCHITECTURE.md).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from loadtest.record.book_orders import BookedOrder, UsedPacket
from loadtest.record.books import Books
from loadtest.record.journal import JournalRecord
from loadtest.verdict.reckoning.usable import OwnedPacket
from server.core.ids import PLATFORM, OrderId
from server.core.orders.asset import AssetState


def with_late_followers(books: Books, known: Mapping[str, OwnedPacket]) -> Books:
    """Return the books with such packets as their own journal leaves them; *known* are the shares that orders use."""
    steps: dict[OrderId, list[JournalRecord]] = {}
    for entry in books.journal.besides_claims:
        if entry.order_id and entry.creator_id == PLATFORM:
            steps.setdefault(entry.order_id, []).append(entry)
    late: dict[OrderId, BookedOrder] = {}
    for order_id, its in steps.items():
        order = books.orders.get(order_id)
        if order is not None and order.creator_id != PLATFORM:
            packets = tuple(_landed(use, known.get(use.asset_id), its) for use in order.packets)
            if packets != order.packets:
                late[order_id] = order._replace(packets=packets)
    return replace(books, orders={**books.orders, **late}) if late else books


def went_back_at_ms(packet_id: str, steps: Iterable[JournalRecord]) -> int | None:
    """Return when a packet of an order was given back, to its viewer or its funder, by its own journal."""
    for entry in steps:
        for move in entry.moves:
            if move.debit in (f"locked:{packet_id}", f"redeemed:{packet_id}") and move.credit.startswith(
                ("assets:", "reversing:")
            ):
                return entry.at_ms
    return None


def _landed(use: UsedPacket, packet: OwnedPacket | None, steps: Iterable[JournalRecord]) -> UsedPacket:
    if use.state is not AssetState.AVAILABLE or packet is None or packet.creator_id != PLATFORM:
        return use
    at_ms = went_back_at_ms(use.packet_id, steps)
    if at_ms is None or packet.use_end_at_ms is None or at_ms < packet.use_end_at_ms:
        return use
    return use._replace(state=AssetState.EXPIRED_RETURNED)
