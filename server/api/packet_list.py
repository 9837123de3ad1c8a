"""The list of a creator's packets page by page: every column of the list (DY-CRE-4), by activity or by phase."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from server.api.access import allowed_to
from server.api.app_state import WithState
from server.api.errors import problems
from server.api.packet_shown import PacketShown, row_shown
from server.core.credential import Role
from server.core.ids import PacketId, checked_creator_id, checked_id
from server.core.packets.packet import Activity, Phase

router = APIRouter(prefix="/api/creators", tags=["packets"], dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)])

LIMIT_MAX = 100
LOOKED_THROUGH_MAX = 500  # packets in one page of those that are in a certain state


class PacketsShown(BaseModel):
    """
    A page of a creator's packets, the last created first, ``total`` in all whatever their state.

    ``next`` is the ``after`` of the next page, null on the last. A page of those in one state looks through 500
    packets at most, so that one without any may come before the last.
    """

    packets: list[PacketShown]
    total: int
    next: str | None


@router.get("/{creator_id}/packets", responses=problems(422, 503))
async def list_page(
    creator_id: str,
    state: WithState,
    *,
    activity: Activity | None = None,
    phase: Phase | None = None,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 20,
) -> PacketsShown:
    """List a creator's packets: all, or those of an activity state (pending, active, ended) or of a phase."""
    checked = checked_creator_id(creator_id)
    last = None if after is None else PacketId(checked_id("after", after))
    found: list[PacketShown] = []
    for _ in range(LOOKED_THROUGH_MAX // LIMIT_MAX):
        packet_ids = await state.packets.ids_after(checked, last, LIMIT_MAX)
        for row in await state.effects.rows_of(packet_ids) if packet_ids else []:
            shown = row_shown(state, row.packet, row)
            if activity in (None, shown.activity) and phase in (None, shown.phase):
                found.append(shown)
            last = row.packet.packet_id
            if len(found) == limit:
                break
        if len(found) == limit or len(packet_ids) < LIMIT_MAX:
            break
    more = last is not None and await state.packets.ids_after(checked, last, 1)
    return PacketsShown(packets=found, total=await state.packets.total(checked), next=last if more else None)
