"""
An asset: a viewer's claimed share, from the grab until it is used in a payment or goes back.

Its money belongs to the creator, or for a platform packet to the platform, until the order that it paid for is final.
Nobody can withdraw it or give it to another viewer (ALL-ELG-1): there is no such transition.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from server.core.ids import PLATFORM, CreatorId, ViewerId, claim_id_of
from server.core.orders.validity import NEVER_MS
from server.core.packets.packet import Packet
from server.core.refusal import Refused, RuleId
from server.core.rulebooks.rulebook import PayAfterExpiry, Rulebook


class AssetState(StrEnum):
    """The state of an asset (section 10 of the rules)."""

    AVAILABLE = "available"
    LOCKED = "locked"
    REDEEMED = "redeemed"
    EXPIRED_RETURNED = "expired_returned"


class AssetStep(StrEnum):
    """The transitions of an asset."""

    LOCK = "lock"  # an order is submitted
    REDEEM = "redeem"  # it is paid (DY-CLM-3, KS-USE-3)
    RELEASE = "release"  # it is cancelled, unpaid (DY-CAN-1)
    GIVE_BACK = "give_back"  # it is refunded in full (DY-CAN-3)
    EXPIRE = "expire"  # its validity is over (DY-REV-3, DY-CAN-2, DY-CAN-4)


TRANSITIONS: dict[tuple[AssetState, AssetStep], AssetState] = {
    (AssetState.AVAILABLE, AssetStep.LOCK): AssetState.LOCKED,
    (AssetState.LOCKED, AssetStep.REDEEM): AssetState.REDEEMED,
    (AssetState.LOCKED, AssetStep.RELEASE): AssetState.AVAILABLE,
    (AssetState.REDEEMED, AssetStep.GIVE_BACK): AssetState.AVAILABLE,
    (AssetState.AVAILABLE, AssetStep.EXPIRE): AssetState.EXPIRED_RETURNED,
    (AssetState.LOCKED, AssetStep.EXPIRE): AssetState.EXPIRED_RETURNED,
    (AssetState.REDEEMED, AssetStep.EXPIRE): AssetState.EXPIRED_RETURNED,
}
"""All transitions. The sweeper expires only available assets; an order holds the others (AMB-26)."""


@dataclass(frozen=True, slots=True)
class Asset:
    """
    One share of one packet, owned by one viewer: its face in fen, its use validity half-open in room ms.

    ``creator_id`` is None for a platform packet. ``product_ids`` are the only goods it may be used on, or None for
    all (KS-CRE-2). ``order_id`` is set exactly while an order has locked or redeemed it. ``platform`` is the packet's
    (AMB-44), or "" in an order of an earlier version, which did not record it.
    """

    asset_id: str
    viewer_id: ViewerId
    creator_id: CreatorId | None
    face_fen: int
    use_start_at_ms: int
    use_end_at_ms: int
    product_ids: frozenset[str] | None = None
    state: AssetState = AssetState.AVAILABLE
    order_id: str | None = None
    platform: str = ""

    def __post_init__(self) -> None:
        assert self.face_fen > 0
        assert self.use_start_at_ms < self.use_end_at_ms
        assert (self.order_id is not None) == (self.state in (AssetState.LOCKED, AssetState.REDEEMED))

    def expired_at(self, now_ms: int) -> bool:
        """Return whether its validity is over at room time *now_ms*."""
        return now_ms >= self.use_end_at_ms

    def stepped(self, step: AssetStep, order_id: str | None = None) -> "Asset":
        """Return the asset after a step of the table; any other violates an invariant. Only a lock names an order."""
        assert (order_id is not None) == (step is AssetStep.LOCK)
        state = TRANSITIONS[self.state, step]
        held = order_id or (self.order_id if step is AssetStep.REDEEM else None)
        return replace(self, state=state, order_id=held)


_STORED_AS = {"expired": AssetState.EXPIRED_RETURNED, "final": AssetState.REDEEMED}


def asset_of(
    packet: Packet, *, index: int, amount_fen: int, viewer_id: ViewerId, claimed_at_ms: int, stored: str | None = None
) -> Asset:
    """
    Return share *index* of *packet*, claimed at room time *claimed_at_ms*, as an asset.

    *stored* is its state in the store: ``locked:<order>``, ``redeemed:<order>``, ``final:<order>`` (redeemed, and the
    order is finished), ``expired``, or None while it is available. A packet without an end of validity never expires
    (DY-CRE-3); a platform packet has no creator.
    """
    if packet.use_for_ms is not None:
        use_start_at_ms, use_end_at_ms = claimed_at_ms, claimed_at_ms + packet.use_for_ms
    else:
        use_start_at_ms = packet.use_start_at_ms or 0
        use_end_at_ms = NEVER_MS if packet.use_end_at_ms is None else packet.use_end_at_ms
    word, _, order_id = (stored or "available").partition(":")
    return Asset(
        asset_id=claim_id_of(packet.packet_id, index),
        viewer_id=viewer_id,
        creator_id=None if packet.creator_id == PLATFORM else packet.creator_id,
        face_fen=amount_fen,
        use_start_at_ms=use_start_at_ms,
        use_end_at_ms=use_end_at_ms,
        product_ids=None if packet.product_ids is None else frozenset(packet.product_ids),
        state=_STORED_AS.get(word) or AssetState(word),
        order_id=order_id or None,
        platform=packet.platform,
    )


def not_yours() -> Refused:
    """Return the refusal of a packet that the viewer does not hold, the same on every platform (ALL-ELG-1)."""
    return Refused("not_yours", "names a packet of another viewer", field="asset_ids", rule=RuleId("ALL-ELG-1"))


def lock(asset: Asset, order_id: str, now_ms: int, rulebook: Rulebook) -> Asset:
    """
    Return the asset locked by an order (DY-USE-2); the same order may lock it again.

    Raises Refused: ``not_available`` if another order holds it or it is gone, ``not_yet_valid``, ``expired``.
    """
    if asset.state is AssetState.LOCKED and asset.order_id == order_id:
        return asset
    if asset.state is not AssetState.AVAILABLE:
        raise Refused("not_available", f"this packet is {asset.state}", field="asset_ids")
    if now_ms < asset.use_start_at_ms:
        raise Refused("not_yet_valid", "its validity has not begun", field="asset_ids", rule=rulebook.rule("DY-USE-2"))
    if asset.expired_at(now_ms):
        raise Refused("expired", "its validity is over", field="asset_ids", rule=rulebook.rule("DY-USE-2"))
    return asset.stepped(AssetStep.LOCK, order_id)


def redeem(asset: Asset, now_ms: int, rulebook: Rulebook) -> Asset:
    """Return a locked asset as redeemed. Raises Refused ``expired`` if it is too late (DY-USE-7, AMB-32)."""
    if asset.expired_at(now_ms) and rulebook.pay_after_expiry is PayAfterExpiry.REFUSE:
        raise Refused(
            "expired",
            f"packet {asset.asset_id} expired; cancel the order",
            field="order_id",
            rule=rulebook.rule("DY-USE-7"),
        )
    return asset.stepped(AssetStep.REDEEM)


def let_go(asset: Asset, now_ms: int) -> Asset:
    """Release an order's asset to its viewer, or to the funder if it expired (DY-CAN-1 to DY-CAN-4)."""
    if asset.expired_at(now_ms):
        return asset.stepped(AssetStep.EXPIRE)
    return asset.stepped(AssetStep.RELEASE if asset.state is AssetState.LOCKED else AssetStep.GIVE_BACK)


def sweep(asset: Asset, now_ms: int) -> Asset:
    """Return the asset after a sweep: expired if it was not used in time (DY-REV-3, AMB-26)."""
    if asset.state is AssetState.AVAILABLE and asset.expired_at(now_ms):
        return asset.stepped(AssetStep.EXPIRE)
    return asset
