"""The timeline of an evening: a creator's packets on screen, and the platform's slots."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from server.api.access import allowed_to
from server.api.app_state import WithState
from server.api.errors import problems
from server.api.previews import Interval, PlatformSlot
from server.core.credential import Role
from server.core.ids import checked_creator_id
from server.core.money.money import FEN_MAX
from server.core.packets.packet import PacketState
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import DAY_MS

router = APIRouter(prefix="/api/creators", tags=["packets"], dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)])

SPAN_MAX_MS = 8 * DAY_MS  # as far as an exact launch may lie ahead, and the evening it is planned on
PACKETS_MAX = 500  # looked at: the last created


class Timeline(BaseModel):
    """
    A creator's packets and the platform's slots from ``from_ms`` until before ``to_ms``, in room ms, by their start.

    At most ``overlap_max`` packets may be on screen at once (null: any number, DY-LAU-9).
    """

    from_ms: int
    to_ms: int
    packets: list[Interval]
    overlap_max: int | None
    slots: list[PlatformSlot]


@router.get("/{creator_id}/timeline", responses=problems(422, 503))
async def timeline(
    creator_id: str,
    state: WithState,
    from_ms: Annotated[int, Query(ge=0, le=FEN_MAX)],
    to_ms: Annotated[int, Query(ge=0, le=FEN_MAX)],
) -> Timeline:
    """Show what is on screen when, of the last 500 packets created."""
    checked = checked_creator_id(creator_id)
    if not from_ms < to_ms <= from_ms + SPAN_MAX_MS:
        raise Refused("bad_field", f"must be after from_ms, by at most {SPAN_MAX_MS} ms", field="to_ms")
    rulebook = await state.rulebook_of_creator(checked)
    launched = [
        Interval.of(packet)
        for packet in await state.packets.latest(checked, PACKETS_MAX)
        if packet.schedule is not None and packet.state is not PacketState.VOIDED
    ]
    return Timeline(
        from_ms=from_ms,
        to_ms=to_ms,
        packets=sorted(
            (each for each in launched if each.warmup_at_ms < to_ms and from_ms < each.claim_end_at_ms),
            key=lambda each: (each.warmup_at_ms, each.packet_id),
        ),
        overlap_max=rulebook.overlap_max,
        slots=[PlatformSlot.of(stretch) for stretch in rulebook.blackouts.between(from_ms, to_ms)],
    )
