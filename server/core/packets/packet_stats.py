"""
Monitoring: the metrics of a packet, or of all a creator's packets, computed from plain counters (KS-MON-1).

The source names the fields of its page only in part; the set and the definitions are ours:

- *Exposed* is each viewer that was sent the warm-up or found the packet in its ``welcome``, once (AMB-51).
- *GMV* is the price before red packets of the goods in paid orders with the packet, less refunds; *cost* is the part of
  the packets' faces that those orders used, and their ratio is the ROI. A full refund takes the order out of the GMV
  and the packets that it gives back out of the cost (AMB-51).
- *GMV increment* is GMV minus the same of the creator's paid orders without packets in a period of the same length
  before the warm-up.
- *Watch seconds* are the mean stay: the viewers' total watch time over the number of viewers that left meanwhile, each
  once. Their *uplift* is the mean stay while the packet was on air over that of the same room's stretch without any
  packet directly before, minus one. A mean needs no equal lengths, so a long packet compares with a short stretch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from server.core.ids import ViewerId
from server.core.money.money import half_up
from server.core.orders.order import Order, OrderState
from server.core.orders.settlement import Rates, estimated_commission, settle
from server.core.packets.claim import ClaimStatus
from server.core.rulebooks.rulebook import Rulebook

_MS_OF_S = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """Counters of rooms and viewers: who saw what, grabs, and room ms watched by all viewers together."""

    exposed: int = 0
    popup_shown: int = 0
    popup_suppressed: int = 0
    widget_clicks: int = 0
    watched_ms: int = 0
    left: int = 0
    watched_before_ms: int = 0
    left_before: int = 0


@dataclass(frozen=True, slots=True)
class Stock:
    """
    Counters of shares and their fen: granted in all; of those locked, redeemed, expired; returned unclaimed.

    Redeemed shares of finished orders are ``final`` and not counted among the others.
    """

    given: int = 0
    given_fen: int = 0
    returned_fen: int = 0
    locked: int = 0
    locked_fen: int = 0
    redeemed: int = 0
    redeemed_fen: int = 0
    final: int = 0
    final_fen: int = 0
    expired_fen: int = 0


@dataclass(frozen=True, slots=True)
class Brought:
    """
    Running totals of orders in fen; an order with two packets counts for each, and once for the creator.

    ``redeemed_fen`` is the used part of faces, ``cost_back_fen`` that of packets given back, and ``packets_back_fen``
    the same of all packets of the orders, whoever funded them. ``estimated_fen`` minus ``estimate_over_fen`` is the
    commission expected of paid orders that are not settled yet, ``commission_fen`` that of settled ones.
    """

    attributed_orders: int = 0
    gmv_fen: int = 0
    redeemed_fen: int = 0
    refund_fen: int = 0
    commission_fen: int = 0
    estimated_fen: int = 0
    estimate_over_fen: int = 0
    packets_back_fen: int = 0
    cost_back_fen: int = 0

    @property
    def kept_gmv_fen(self) -> int:
        """Return the price before red packets of the goods that were not sent back."""
        return self.gmv_fen - self.refund_fen - self.packets_back_fen

    @property
    def cost_fen(self) -> int:
        """Return the used part of the faces of packets that were not given back."""
        return self.redeemed_fen - self.cost_back_fen


_Counters = TypeVar("_Counters", Seen, Stock, Brought)


@dataclass(frozen=True, slots=True)
class Best:
    """One of the best claims: viewer, amount and index."""

    viewer_id: ViewerId
    amount_fen: int
    index: int


@dataclass(frozen=True, slots=True)
class PacketStats:
    """
    Every metric of KS-MON-1: fen, counts, seconds of room time, and ratios, which are None where the divisor is 0.

    ``max_share_fen`` and ``best_luck`` are None where claims were not read, ``gmv_increment_fen`` where there is no
    comparison. ``reversed_amount_fen`` is all money returned or returning to the creator: unclaimed or expired.
    """

    exposed_viewers: int
    popup_shown: int
    popup_suppressed: int
    widget_clicks: int
    grab_attempts: int
    grabs: Mapping[ClaimStatus, int]
    claims: int
    claim_viewers: int
    claim_rate: float | None
    sold_out_seconds: float | None
    claimed_amount_fen: int
    avg_share_fen: int | None
    max_share_fen: int | None
    best_luck: Sequence[Best] | None
    locked: int
    locked_amount_fen: int
    redeemed_count: int
    redeemed_amount_fen: int
    redemption_rate: float | None
    expired_amount_fen: int
    reversed_amount_fen: int
    attributed_orders: int
    gmv_attributed_fen: int
    gmv_increment_fen: int | None
    cost_fen: int
    roi: float | None
    refund_amount_fen: int
    estimated_commission_fen: int
    watch_seconds: float | None
    watch_seconds_without: float | None
    watch_time_uplift: float | None


def packet_stats(
    seen: Seen,
    grabs: Mapping[ClaimStatus, int],
    stock: Stock,
    brought: Brought,
    *,
    sold_out_after_ms: int | None = None,
    best: Sequence[Best] | None = None,
    baseline_fen: int | None = None,
) -> PacketStats:
    """
    Return the metrics of these counters (KS-MON-1). *best* are the best claims, the first one the largest.

    A packet gives a viewer one share, so its claims are its claimants; a creator's are summed, packet by packet.
    """
    watching, before = _mean_stay(seen.watched_ms, seen.left), _mean_stay(seen.watched_before_ms, seen.left_before)
    return PacketStats(
        exposed_viewers=seen.exposed,
        popup_shown=seen.popup_shown,
        popup_suppressed=seen.popup_suppressed,
        widget_clicks=seen.widget_clicks,
        grab_attempts=sum(grabs.values()),
        grabs=grabs,
        claims=stock.given,
        claim_viewers=stock.given,
        claim_rate=_ratio(stock.given, seen.exposed),
        sold_out_seconds=None if sold_out_after_ms is None else sold_out_after_ms / _MS_OF_S,
        claimed_amount_fen=stock.given_fen,
        avg_share_fen=half_up(stock.given_fen, stock.given) if stock.given else None,
        max_share_fen=best[0].amount_fen if best else None,
        best_luck=best,
        locked=stock.locked,
        locked_amount_fen=stock.locked_fen,
        redeemed_count=stock.redeemed + stock.final,
        redeemed_amount_fen=stock.redeemed_fen + stock.final_fen,
        redemption_rate=_ratio(stock.redeemed + stock.final, stock.given),
        expired_amount_fen=stock.expired_fen,
        reversed_amount_fen=stock.returned_fen + stock.expired_fen,
        attributed_orders=brought.attributed_orders,
        gmv_attributed_fen=brought.kept_gmv_fen,
        gmv_increment_fen=None if baseline_fen is None else brought.kept_gmv_fen - baseline_fen,
        cost_fen=brought.cost_fen,
        roi=_ratio(brought.kept_gmv_fen, brought.cost_fen),
        refund_amount_fen=brought.refund_fen,
        estimated_commission_fen=commission_expected(brought),
        watch_seconds=watching,
        watch_seconds_without=before,
        watch_time_uplift=watching / before - 1 if watching is not None and before else None,
    )


def commission_expected(brought: Brought) -> int:
    """Return the packet list's column in fen: settled commission plus the estimate for paid orders (DY-SET-4)."""
    return brought.commission_fen + brought.estimated_fen - brought.estimate_over_fen


def estimate_of(order: Order, rates: Rates, rulebook: Rulebook) -> int:
    """Return the commission expected of a paid, unsettled order in fen; 0 for any other order (DY-SET-4)."""
    if order.state is not OrderState.PAID:
        return 0
    refunded_fen = sum(order.refunded_by_line.values())
    return estimated_commission(settle(order.quote, rates, rulebook, refunded_fen=refunded_fen).base_fen, rates)


def estimate_gains(before: Order, after: Order, rates: Rates, rulebook: Rulebook) -> dict[str, int]:
    """
    Return what a step of an order adds to the estimates among Brought's running totals, which never go down.

    A settled order's commission replaces its estimate; a refund reduces the estimate.
    """
    more_fen = estimate_of(after, rates, rulebook) - estimate_of(before, rates, rulebook)
    if more_fen == 0:
        return {}
    return {"estimated_fen": more_fen} if more_fen > 0 else {"estimate_over_fen": -more_fen}


def summed(kind: type[_Counters], parts: Iterable[_Counters]) -> _Counters:
    """Return the sum of counters of one kind, field by field."""
    totals = dict.fromkeys((field.name for field in fields(kind)), 0)
    for part in parts:
        for name in totals:
            totals[name] += getattr(part, name)
    return kind(**totals)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean_stay(watched_ms: int, left: int) -> float | None:
    return watched_ms / left / _MS_OF_S if left else None
