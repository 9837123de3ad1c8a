"""Use: the lines of an order on which a red packet may be used, and what forbids it (rules, sections 11 to 13)."""

from collections.abc import Iterator
from typing import NamedTuple

from loadtest.record.book_orders import BookedOrder, BookedPurchase, BookedRulebook

PLATFORM = "platform"
"""The creator whose packets are the platform's own."""


class OwnedPacket(NamedTuple):
    """A share as books and journal know it: whose it is, and where and how long it may be used (None: for ever)."""

    asset_id: str
    creator_id: str
    viewer_id: str
    platform: str
    face_fen: int
    product_ids: frozenset[str] | None
    use_end_at_ms: int | None

    @property
    def kind(self) -> str:
        """Return the kind of discount that it is."""
        return "platform_packet" if self.creator_id == PLATFORM else "creator_packet"


class OrderCase(NamedTuple):
    """An order to be worked out: what was bought, with which packets, by which rulebook."""

    order: BookedOrder
    purchase: BookedPurchase
    packets: tuple[OwnedPacket, ...]
    rulebook: BookedRulebook


def lines_for(packet: OwnedPacket, case: OrderCase) -> tuple[int, ...]:
    """
    Return the positions of the lines on which a packet may be used.

    Its scope binds every packet (KS-USE-1). A creator's is used only on goods from that creator's own entrances, and on
    no excluded goods (DY-USE-3, DY-USE-6, AMB-53).
    """
    return tuple(
        at
        for at, line in enumerate(case.purchase.lines)
        if (packet.product_ids is None or line.product_id in packet.product_ids)
        and (
            packet.creator_id == PLATFORM
            or (
                line.creator_id == packet.creator_id
                and line.entrance in case.rulebook.use_entrances
                and line.goods not in case.rulebook.goods_excluded
            )
        )
    )


def forbidden(case: OrderCase) -> Iterator[str]:
    """Yield a sentence for every rule against the use of these packets in this order."""
    order, purchase, packets, rulebook = case
    own = [each for each in packets if each.creator_id != PLATFORM]
    for packet in packets:
        if packet.viewer_id != order.viewer_id:
            yield f"{packet.asset_id} belongs to {packet.viewer_id}"
        if packet.platform != order.platform:  # AMB-44
            yield f"{packet.asset_id} is a packet of {packet.platform}"
        if not lines_for(packet, case):
            yield f"{packet.asset_id} may be used on none of its lines"
    if len(packets) > rulebook.packets_per_order_max:  # DY-STK-2
        yield f"it uses {len(packets)} packets of {rulebook.packets_per_order_max} at most"
    own_max = rulebook.creator_packets_per_order_max
    if own_max is not None and len(own) > own_max:  # KS-STK-3
        yield f"it uses {len(own)} packets of a creator, of {own_max} at most"
    if len({each.creator_id for each in own}) > 1:  # DY-STK-5
        yield "it uses packets of several creators"
    if own and purchase.client not in rulebook.use_clients:  # DY-USE-1
        yield f"creators' packets are not used in the app {purchase.client}"
    sources = {line.creator_id for line in purchase.lines if line.creator_id is not None}
    if own and (purchase.cart_merged or len(sources) > 1) and not rulebook.cart_merge_allowed:  # DY-USE-4, AMB-50
        yield "creators' packets are not used in a merged cart"
    if own and set(purchase.traits) & set(rulebook.orders_excluded):  # DY-USE-6
        yield f"creators' packets are not used in an order that is {' and '.join(purchase.traits)}"
