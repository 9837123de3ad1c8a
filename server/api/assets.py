"""Assets: a viewer's claimed shares, used or not (the page 快手小店-券和福利, KS-CLM-3)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from server.api.access import allowed_to
from server.api.app_state import WithState
from server.api.errors import problems
from server.core.credential import Role
from server.core.ids import PLATFORM, ViewerId, checked_creator_id, checked_id
from server.core.orders.asset import AssetState
from server.core.orders.validity import NEVER_MS
from server.store.assets import Held

router = APIRouter(prefix="/api/viewers", tags=["assets"], dependencies=[allowed_to(Role.ADMIN, Role.VIEWER)])

CREATORS_MAX = 20  # per request; each is read packet by packet


class AssetShown(BaseModel):
    """
    A viewer's claimed share: face in fen, use validity half-open in room ms, null if it has no end.

    ``order_id`` is the order that has locked or redeemed it; ``product_ids`` the only goods it may be used on, or null.
    """

    asset_id: str
    packet_id: str
    packet_name: str
    creator_id: str
    platform: str
    state: AssetState
    usable: bool
    face_fen: int
    claimed_at_ms: int | None
    use_start_at_ms: int
    use_end_at_ms: int | None
    product_ids: list[str] | None
    order_id: str | None


@router.get("/{viewer_id}/assets", responses=problems(422, 503))
async def list_assets(
    viewer_id: str,
    state: WithState,
    creator_id: Annotated[list[str], Query(min_length=1, max_length=CREATORS_MAX)],
    *,
    platform_packets: bool = True,
) -> list[AssetShown]:
    """List a viewer's claimed shares of these creators' and the platform's packets, oldest first (KS-CLM-3)."""
    asked = [checked_creator_id(each) for each in creator_id]
    creators = [*asked, PLATFORM] if platform_packets else asked
    held = await state.assets.of_viewer(ViewerId(checked_id("viewer_id", viewer_id)), creators)
    now_ms = state.clock.room_ms()
    return [asset_shown(each, now_ms) for each in held]


def asset_shown(held: Held, now_ms: int) -> AssetShown:
    """Return a held share as the API shows it at room time *now_ms*."""
    asset, packet = held.asset, held.packet
    return AssetShown(
        asset_id=asset.asset_id,
        packet_id=packet.packet_id,
        packet_name=packet.name,
        creator_id=packet.creator_id,
        platform=packet.platform,
        state=asset.state,
        usable=asset.state is AssetState.AVAILABLE and asset.use_start_at_ms <= now_ms < asset.use_end_at_ms,
        face_fen=asset.face_fen,
        claimed_at_ms=held.claimed_at_ms,
        use_start_at_ms=asset.use_start_at_ms,
        use_end_at_ms=None if asset.use_end_at_ms >= NEVER_MS else asset.use_end_at_ms,
        product_ids=None if asset.product_ids is None else sorted(asset.product_ids),
        order_id=asset.order_id,
    )
