"""Effects: the present metrics of a packet, or of all packets of a creator (KS-MON-1)."""

from dataclasses import dataclass, fields
from typing import Any

from fastapi import APIRouter

from server.api.access import allowed_to
from server.api.app_state import WithState
from server.api.errors import problems
from server.core.credential import Role
from server.core.ids import PacketId, checked_creator_id, creator_of
from server.core.packets.packet_stats import PacketStats

router = APIRouter(prefix="/api", tags=["effects"], dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)])


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketEffects(PacketStats):
    """
    The effects of one packet, at most a second late: amounts in fen, seconds of room time, ratios as parts of one.

    A ratio is null where the divisor is 0. *Funnel*: ``exposed_viewers`` are viewers, however many connections they
    have, that received the warm-up or found the packet in their welcome; ``popup_shown`` and ``popup_suppressed`` those
    that received its popup, or its asset widget instead; ``grab_attempts`` all grabs that were answered, ``grabs`` by
    answer; ``widget_clicks`` those of packets on the asset widget. ``claim_rate`` is claims over exposed viewers,
    ``redemption_rate`` redeemed over claims; ``sold_out_seconds`` from the opening to the first sell-out.

    *Shares*: ``locked``, ``redeemed`` and ``expired`` are the states of claimed ones now; ``reversed_amount_fen`` is
    the sum returned or returning to the creator, unclaimed or expired. ``max_share_fen`` and ``best_luck`` are null
    while a packet with more than 10,000 claims can still be grabbed, and for a creator.

    *Orders*: ``gmv_attributed_fen`` is the price before red packets of the goods in paid orders with the packet, less
    refunds; an order with two packets counts for both, and once for the creator. ``cost_fen`` is the part of faces that
    those orders used, ``roi`` GMV over cost. A full refund takes its order out of the GMV and its packets out of the
    cost (AMB-51); ``attributed_orders`` still has it. ``gmv_increment_fen`` is GMV minus that of the creator's paid
    orders without packets in an equally long time before the (first) warm-up; null if none has begun, or more than
    5,000 orders would be compared. ``estimated_commission_fen`` is the commission of settled orders and the estimate
    of paid ones (DY-SET-4).

    *Watching*: ``watch_seconds`` is the mean stay while the packet was on air (total watch time over the number of
    viewers that left), ``watch_seconds_without`` that of the same room's stretch without any packet directly before,
    and ``watch_time_uplift`` the relative difference: 0.5 is 50 % longer.
    """

    packet_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatorEffects(PacketStats):
    """The effects of all packets of a creator: the packets' sums, and ratios of the sums."""

    creator_id: str
    at_ms: int


@router.get("/packets/{packet_id}/effects", responses=problems(404, 422, 503))
async def of_packet(packet_id: str, state: WithState) -> PacketEffects:
    """Show a packet's effects so far (KS-MON-1)."""
    now_ms = state.clock.room_ms()
    creator_of(PacketId(packet_id))
    found = await state.effects.of_packet(PacketId(packet_id), now_ms)
    return PacketEffects(packet_id=packet_id, at_ms=now_ms, **_fields_of(found))


@router.get("/creators/{creator_id}/effects", responses=problems(422, 503))
async def of_creator(creator_id: str, state: WithState) -> CreatorEffects:
    """Show the effects of all packets of a creator so far (KS-MON-1)."""
    now_ms = state.clock.room_ms()
    found = await state.effects.of_creator(checked_creator_id(creator_id), now_ms)
    return CreatorEffects(creator_id=creator_id, at_ms=now_ms, **_fields_of(found))


def _fields_of(found: PacketStats) -> dict[str, Any]:
    """Return the fields as they are: nested ones turned into dicts would be none of the declared type."""
    return {each.name: getattr(found, each.name) for each in fields(found)}
