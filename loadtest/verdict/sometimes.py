"""Sometimes: counts events that must have happened for a pass to mean something, from history, books and sales."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from client_sim.buyer import Deed, Habit
from loadtest.record.books import Books, ClockRecord
from loadtest.record.history import GrabRecord, History
from loadtest.record.sales import SaleRecord, Sales
from loadtest.verdict.interventions import raced_steps
from server.core.ids import PLATFORM, ClaimId, PacketId, RequestId, ViewerId, packet_of_claim
from server.core.orders.order import OrderState
from server.core.packets.claim import ClaimStatus
from server.core.packets.packet import PacketState
from server.core.rooms.feed import FactKind


def counted(
    names: Iterable[str],
    books: Books,
    history: History,
    happenings: Sequence[Mapping[str, Any]] = (),
    sales: Sales | None = None,
) -> dict[str, int]:
    """
    Return how often each of *names* (of ``NAMES``) happened.

    *happenings* are what creators did (``run.json``), *sales* what buyers were told, if there was a shop.
    """

    def count(name: str) -> int:
        if name == RACED:
            return raced_steps(books, history, happenings)
        if name in _PAID_OUT:
            return _PAID_OUT[name](books, happenings)
        if name in _SOLD:
            return _SOLD[name](sales or Sales())
        return _COUNTS[name](books, history)

    return {name: count(name) for name in names}


def counted_of_foreign(names: Iterable[str], share_counts: Mapping[PacketId, int], history: History) -> dict[str, int]:
    """
    Return how often each of *names* happened in a run against a foreign service, whose packets have so many shares.

    Events that only our own books or shop can show count 0 there.
    """
    nothing = Books(ClockRecord(0, 0, 1))

    def count(name: str) -> int:
        if name == RACE:
            return _races(history, share_counts)
        return _COUNTS[name](nothing, history) if name in _COUNTS else 0

    return {name: count(name) for name in names}


def _sold_out_seen(_: Books, history: History) -> int:
    """Packets of which viewers were told that nothing is left."""
    told = {fact.packet for fact in history.facts if fact.type == FactKind.SOLD_OUT}
    return len(told | {grab.packet for grab in history.grabs if grab.status == ClaimStatus.EXHAUSTED})


def _of_status(status: ClaimStatus) -> Callable[[Books, History], int]:
    def count(_: Books, history: History) -> int:
        return sum(1 for grab in history.grabs if grab.status == status)

    return count


def _race_for_last_share(books: Books, history: History) -> int:
    return _races(history, {packet_id: packet.share_count for packet_id, packet in books.packets.items()})


def _races(history: History, share_counts: Mapping[PacketId, int]) -> int:
    """Return of how many packets one viewer got the last share while another's tap, which got none, was under way."""
    by_packet: defaultdict[PacketId, list[GrabRecord]] = defaultdict(list)
    for grab in history.grabs:
        by_packet[grab.packet].append(grab)
    return sum(1 for packet_id, grabs in by_packet.items() if _raced(grabs, share_counts[packet_id]))


def _raced(grabs: list[GrabRecord], share_count: int) -> bool:
    granted = [grab for grab in grabs if grab.status == ClaimStatus.GRANTED]
    if any(grab.index is not None for grab in granted):
        won = next((grab for grab in granted if grab.index == share_count - 1), None)
    else:  # a foreign service need not number its shares: the last answer is that of the last share, or a close one
        won = max(granted, key=lambda grab: grab.t_reply or 0) if len(granted) >= share_count else None
    if won is None or won.t_reply is None:
        return False
    return any(
        grab.status == ClaimStatus.EXHAUSTED
        and grab.viewer != won.viewer
        and grab.t_reply is not None
        and grab.t_sent < won.t_reply
        and won.t_sent < grab.t_reply
        for grab in grabs
    )


def _retry_after_disconnect(_: Books, history: History) -> int:
    """Taps that were made again, with the same request id, over another connection, and answered there."""
    conns: defaultdict[tuple[ViewerId, RequestId], set[str | int]] = defaultdict(set)
    answered: set[tuple[ViewerId, RequestId]] = set()
    for grab in history.grabs:
        conns[grab.viewer, grab.request_id].add(grab.conn)
        if grab.t_reply is not None:
            answered.add((grab.viewer, grab.request_id))
    return sum(1 for tap, used in conns.items() if len(used) > 1 and tap in answered)


def _resumed(_: Books, history: History) -> int:
    """Connections that went on where an earlier one had stopped."""
    first: dict[str, int] = {}
    seats = [(str(conn.conn).partition(".")[0], conn) for conn in history.conns if conn.t_welcome is not None]
    for seat, conn in seats:
        first[seat] = min(first.get(seat, conn.t_open), conn.t_open)
    return sum(1 for seat, conn in seats if conn.t_open > first[seat] and conn.resync is False)


def _swept_with_escrow(books: Books, _: History) -> int:
    """Packets that were settled with shares left, which went back."""
    return sum(1 for each in books.packets.values() if each.state is PacketState.SETTLED and each.returned_fen > 0)


def _voided(books: Books, _: History) -> int:
    """Packets that were voided after their launch, with all their money returned."""
    return sum(1 for each in books.packets.values() if each.state is PacketState.VOIDED and each.room_id is not None)


def _overlap(books: Books, _: History) -> int:
    """Pairs of packets that were open in one room at the same time."""
    windows: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for each in books.packets.values():
        if each.state is PacketState.VOIDED or each.room_id is None:
            continue
        if each.grab_at_ms is not None and each.claim_end_at_ms is not None:
            windows[each.room_id].append((each.grab_at_ms, each.claim_end_at_ms))
    pairs = 0
    for of_room in windows.values():
        of_room.sort()
        pairs += sum(1 for i, (_, end) in enumerate(of_room) for start, _ in of_room[i + 1 :] if start < end)
    return pairs


def _packet_expired(books: Books, _: History) -> int:
    """Shares that nobody used in time."""
    return sum(packet.expired or 0 for packet in books.packets.values())


RACE = "race_for_last_share"  # needs to know which share is the last one
_COUNTS: dict[str, Callable[[Books, History], int]] = {
    "sold_out_seen": _sold_out_seen,
    "repeat_seen": _of_status(ClaimStatus.REPEATED),
    RACE: _race_for_last_share,
    "retry_after_disconnect": _retry_after_disconnect,
    "resumed": _resumed,
    "tap_before_opening": _of_status(ClaimStatus.TOO_EARLY),
    "tap_after_closing": _of_status(ClaimStatus.TOO_LATE),
    "swept_with_escrow": _swept_with_escrow,
    "voided": _voided,
    "overlap": _overlap,
    "packet_expired": _packet_expired,
}


def _orders(which: Callable[[SaleRecord], bool]) -> Callable[[Sales], int]:
    return lambda sales: sum(1 for order in sales.sales if which(order))


_SOLD: dict[str, Callable[[Sales], int]] = {
    "order_paid": _orders(lambda order: order.paid_at_ms is not None),
    "order_cancelled": lambda sales: len(
        {answer.order_id for answer in sales.answers if answer.deed is Deed.CANCEL and answer.state == "cancelled"}
    ),
    "refunded_fully": _orders(lambda order: order.state is OrderState.REFUNDED),
    "refunded_in_part": _orders(
        lambda order: order.state is OrderState.FINAL and 0 < order.kept_fen < order.payable_fen
    ),
    "platform_packet_used": _orders(
        lambda order: (
            order.paid_at_ms is not None
            and order.creator_id != PLATFORM
            and any(packet_of_claim(ClaimId(asset_id)).startswith(f"{PLATFORM}.") for asset_id, _, _ in order.packets)
        )
    ),
    "abandoned_order_cancelled": _orders(
        lambda order: order.habit is Habit.ABANDON and order.state is OrderState.CANCELLED
    ),
    "trail_shown": lambda sales: len({answer.order_id for answer in sales.answers if answer.shown}),
}


def _withdrawals(state: str) -> Callable[[Books, Sequence[Mapping[str, Any]]], int]:
    return lambda books, _: sum(1 for each in books.withdrawals.values() if each.state == state)


def _failed_twice(_: Books, happenings: Sequence[Mapping[str, Any]]) -> int:
    """Withdrawals of which the payment provider reported twice that they had failed."""
    reports = Counter(each.get("payout_id") for each in happenings if each.get("action") == "report failed")
    return sum(1 for times in reports.values() if times > 1)


_PAID_OUT: dict[str, Callable[[Books, Sequence[Mapping[str, Any]]], int]] = {
    "withdrawal_paid": _withdrawals("paid"),
    "withdrawal_failed": _withdrawals("failed"),
    "withdrawal_failed_twice": _failed_twice,
    "invoice_issued": lambda books, _: sum(1 for each in books.invoices if each.state == "issued"),
}
RACED = "raced"  # counts creators' steps, so it needs to know what was refused: no book has that
NAMES = (*_COUNTS, *_SOLD, *_PAID_OUT, RACED)
