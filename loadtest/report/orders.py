"""The money of orders: from packets, buyers and subsidies to the merchants, and their commissions and fees."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from loadtest.record.books import Books
from loadtest.record.postings import Moved, moves_of
from server.core.ids import CreatorId

BUYERS, PACKETS, SUBSIDIES, MERCHANTS = "paid by buyers", "red packets", "subsidies", "merchants"
REFUNDED, UNSETTLED = "refunded to buyers", "paid, not settled yet"
USED, EXPIRED, RESIDUAL = "used in orders", "expired, back", "not used of a face, back"
SENT_BACK, LET_GO = "refunded too late to use, back", "cancelled too late to use, back"
HELD = "still in viewers' hands"
COMMISSION, SERVICE, NET = "commission of", "service fee", "merchants keep"
_FUNDERS = frozenset({"reversing", "funds"})


@dataclass(frozen=True, slots=True)
class CreatorOrders:
    """
    The totals of the orders kept with a creator: ``orders`` counts the paid ones, the rest is in fen.

    Used and expired amounts are those of the creator's own packets, in any orders.
    """

    creator_id: CreatorId
    orders: int
    paid_fen: int
    refunded_fen: int
    used_fen: int
    expired_fen: int
    subsidies_fen: int
    commission_fen: int
    service_fee_fen: int


def claimed_ends(books: Books, claimed_fen: int) -> dict[str, int]:
    """Return the destinations of the *claimed_fen* that viewers hold or held, in fen."""
    ends: Counter[str] = Counter()
    finished = {(m.entry.creator_id, m.entry.entry_id) for m in moves_of(books) if m.kinds == ("redeemed", "merchant")}
    for move in moves_of(books):
        end = _end(move, finished=(move.entry.creator_id, move.entry.entry_id) in finished)
        if end:
            ends[end] += move.amount_fen
    ends[HELD] = max(0, claimed_fen - sum(ends.values()))
    return {end: fen for end, fen in ends.items() if fen}


def _end(move: Moved, *, finished: bool) -> str:
    debit, credit = move.kinds
    if (debit, credit) == ("redeemed", "merchant"):
        return USED
    if credit not in _FUNDERS:
        return ""
    return {"assets": EXPIRED, "locked": LET_GO, "redeemed": RESIDUAL if finished else SENT_BACK}.get(debit, "")


def merchant_links(books: Books) -> dict[tuple[str, str], int]:
    """Return the flows to and from the merchants, in fen by source and target."""
    links: Counter[tuple[str, str]] = Counter()
    paid = 0
    for move in moves_of(books):
        match move.kinds:
            case ("redeemed", "merchant"):
                links[PACKETS, MERCHANTS] += move.amount_fen
            case ("buyer", "clearing"):
                paid += move.amount_fen
            case ("clearing", "buyer"):
                links[BUYERS, REFUNDED] += move.amount_fen
            case ("clearing", "merchant"):
                links[BUYERS, MERCHANTS] += move.amount_fen
            case ("merchant", "clearing"):
                links[BUYERS, MERCHANTS] -= move.amount_fen
            case ("subsidy", "merchant"):
                links[SUBSIDIES, MERCHANTS] += move.amount_fen
            case ("merchant", "commission"):
                links[MERCHANTS, f"{COMMISSION} {move.credit.partition(':')[2]}"] += move.amount_fen
            case ("merchant", "service"):
                links[MERCHANTS, SERVICE] += move.amount_fen
    links[BUYERS, UNSETTLED] = paid - links[BUYERS, REFUNDED] - links[BUYERS, MERCHANTS]
    received = sum(fen for (_, target), fen in links.items() if target == MERCHANTS)
    links[MERCHANTS, NET] = received - sum(fen for (source, _), fen in links.items() if source == MERCHANTS)
    return {link: fen for link, fen in links.items() if fen > 0}


def orders_of(books: Books) -> list[CreatorOrders]:
    """Return the totals of each creator's orders; creators without orders are left out."""
    sums: defaultdict[CreatorId, Counter[tuple[str, str]]] = defaultdict(Counter)
    orders: defaultdict[CreatorId, set[str]] = defaultdict(set)
    for move in moves_of(books):
        sums[move.entry.creator_id][move.kinds] += move.amount_fen
        if move.entry.movement == "pay":
            orders[move.entry.creator_id].add(move.entry.order_id or "")
    return [
        CreatorOrders(
            creator_id,
            orders=len(orders[creator_id]),
            paid_fen=moved["buyer", "clearing"],
            refunded_fen=moved["clearing", "buyer"],
            used_fen=moved["redeemed", "merchant"],
            expired_fen=moved["assets", "reversing"] + moved["assets", "funds"],
            subsidies_fen=moved["subsidy", "merchant"],
            commission_fen=moved["merchant", "commission"],
            service_fee_fen=moved["merchant", "service"],
        )
        for creator_id, moved in sums.items()
    ]
