"""My packets (券和福利): all that a viewer has claimed, of whatever creator, and what each may be used for."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from server.api.access import allowed_to
from server.api.app_state import WithState
from server.api.assets import AssetShown, asset_shown
from server.api.errors import problems
from server.core.credential import Role
from server.core.ids import CreatorId, ViewerId, checked_id
from server.core.orders.asset import AssetState
from server.core.packets.packet import GoodsScope
from server.store.assets import BEFORE_ALL, Cursor, Held

router = APIRouter(prefix="/api/viewers", tags=["assets"], dependencies=[allowed_to(Role.ADMIN, Role.VIEWER)])


class WonPacket(AssetShown):
    """
    A viewer's claimed share, and what it may be used for: ``goods`` of its creator, of ``product_ids``, or all.

    The goods' pages must have been opened from one of ``entrances`` (null: any).
    """

    creator_name: str
    goods: GoodsScope
    entrances: list[str] | None


class WonPackets(BaseModel):
    """
    A page of a viewer's packets, the last claimed first; ``next`` is the ``after`` of the next page, null on the last.

    A page looks through 2,000 packets of all creators, so that one without any may come before the last.
    """

    packets: list[WonPacket]
    next: str | None


@router.get("/{viewer_id}/packets", responses=problems(422, 503))
async def list_won(
    viewer_id: str,
    state: WithState,
    after: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_~-]{1,18}:\d{1,9}$")] = None,
    asset_state: Annotated[AssetState | None, Query(alias="state")] = None,
) -> WonPackets:
    """List what a viewer has claimed of all creators and the platform (KS-CLM-3), or only what is in one state."""
    checked = ViewerId(checked_id("viewer_id", viewer_id))
    held, going_on = await state.assets.page(checked, _cursor(after))
    now_ms = state.clock.room_ms()
    return WonPackets(
        packets=[_shown(each, now_ms) for each in held if asset_state in (None, each.asset.state)],
        next=None if going_on is None else f"{going_on.creator_id}:{going_on.packets}",
    )


def _cursor(after: str | None) -> Cursor:
    if after is None:
        return BEFORE_ALL
    creator_id, _, packets = after.partition(":")
    return Cursor(CreatorId(creator_id), int(packets))


def _shown(held: Held, now_ms: int) -> WonPacket:
    packet = held.packet
    return WonPacket(
        **asset_shown(held, now_ms).model_dump(),
        creator_name=packet.creator_name or packet.creator_id,
        goods=packet.goods,
        entrances=None if packet.entrances is None else list(packet.entrances),
    )
