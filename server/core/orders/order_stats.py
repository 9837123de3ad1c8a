"""Effects of orders with red packets, as running totals of a creator and of each packet (KS-MON-1)."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from server.core.ids import ClaimId, CreatorId, PacketId, creator_of, packet_of_claim
from server.core.money.posting import OrderKind
from server.core.orders.asset import Asset, AssetState
from server.core.orders.discount import RED_PACKETS
from server.core.orders.order import Order, PacketUse
from server.core.orders.settlement import Settlement


@dataclass(frozen=True, slots=True)
class OrderStats:
    """The additions of an order's step to the totals of one creator and of each of its packets."""

    total: Mapping[str, int] = field(default_factory=dict)
    by_packet: Mapping[PacketId, Mapping[str, int]] = field(default_factory=dict)


def order_stats_of(
    kind: OrderKind,
    before: Order,
    after: Order,
    creator_id: CreatorId,
    settled: Settlement | None = None,
    *,
    estimates: Mapping[str, int] | None = None,
    given_back: Set[str] = frozenset(),
) -> OrderStats:
    """
    Return the additions of an order's step to the totals of *creator_id*; none if the order uses none of its packets.

    ``gmv_fen`` is the goods' price before red packets, ``redeemed_fen`` the used part of the packets' faces. The order
    counts whole for each packet in it, so packets' totals may sum to more than their creator's. *estimates* is the
    change of the expected commission (``packet_stats.estimate_gains``), *given_back* are the packets that the step of a
    refund gives back: they leave the cost, and the price that they paid leaves the GMV (AMB-51).
    """
    uses: dict[PacketId, list[PacketUse]] = {}
    for use in after.packets:
        packet_id = packet_of_claim(ClaimId(use.asset_id))
        if creator_of(packet_id) == creator_id:
            uses.setdefault(packet_id, []).append(use)
    if not uses:
        return OrderStats()
    whole = {**_of_order(kind, before, after, settled, given_back), **(estimates or {})}
    return OrderStats(
        whole | _of_packets(kind, [use for each in uses.values() for use in each], given_back),
        {packet_id: whole | _of_packets(kind, each, given_back) for packet_id, each in uses.items()},
    )


def given_back(before: Iterable[Asset], after: Iterable[Asset]) -> frozenset[str]:
    """Return the ids of the packets that had paid before a step and have not after it."""
    paid = {asset.asset_id for asset in before if asset.state is AssetState.REDEEMED}
    return frozenset(paid - {asset.asset_id for asset in after if asset.state is AssetState.REDEEMED})


def _of_order(
    kind: OrderKind, before: Order, after: Order, settled: Settlement | None, given_back: Set[str]
) -> dict[str, int]:
    match kind:
        case OrderKind.PAY:
            quote = after.quote
            gmv_fen = quote.goods_paid_fen + quote.deducted_fen(*RED_PACKETS)
            return {"attributed_orders": 1, "gmv_fen": gmv_fen, "goods_paid_fen": quote.goods_paid_fen}
        case OrderKind.REFUND:
            fresh = after.refunds[len(before.refunds) :]
            refunded = {"refund_fen": sum(sum(refund.by_line.values()) for refund in fresh)}
            back_fen = sum(use.used_fen for use in after.packets if use.asset_id in given_back)
            return refunded | ({"packets_back_fen": back_fen} if back_fen else {})
        case OrderKind.FINISH:
            return {"commission_fen": settled.commission_fen if settled else 0}
    return {}


def _of_packets(kind: OrderKind, uses: list[PacketUse], given_back: Set[str]) -> dict[str, int]:
    if kind is OrderKind.PAY:
        return {"redeemed": len(uses), "redeemed_fen": sum(use.used_fen for use in uses)}
    back_fen = sum(use.used_fen for use in uses if use.asset_id in given_back)
    return {"cost_back_fen": back_fen} if back_fen else {}
