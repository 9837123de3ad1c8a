"""Packets: create, copy, launch, edit, void, end, get, list."""

from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from server.api.access import OF_THIS_MACHINE, WithCaller, allowed_to
from server.api.app_state import WithKey, WithState
from server.api.errors import problems
from server.api.packet_shown import PacketShown, row_shown, scope_shown, shown
from server.commands.create_packet import create_packet
from server.commands.edit_packet import edit_packet
from server.commands.end_packet import end_packet
from server.commands.launch_packet import launch_packet
from server.commands.void_packet import void_packet
from server.core.credential import Role
from server.core.ids import CreatorId, PacketId, RoomId, checked_creator_id, creator_of
from server.core.money.money import FEN_MAX
from server.core.orders.purchase import GoodsKind
from server.core.packets.creation import CreationRequest
from server.core.packets.launch import LaunchRequest
from server.core.packets.packet import Denomination
from server.core.rulebooks.rulebook import LaunchMode
from server.store.allocators.registry import DEFAULT

router = APIRouter(prefix="/api/packets", tags=["packets"], dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)])


class SplitAsked(BaseModel):
    """The terms of a packet that is about to be created: whose it is, and how its sum is to be split; sums in fen."""

    model_config = ConfigDict(extra="forbid")

    creator_id: str
    platform: str | None = None
    denomination: Denomination = Denomination.RANDOM
    share_count: int = Field(gt=0, strict=True)
    total_fen: int = Field(gt=0, le=FEN_MAX, strict=True)
    min_share_fen: int | None = Field(default=None, gt=0, strict=True)
    max_share_fen: int | None = Field(default=None, gt=0, strict=True)


class Prefilled(SplitAsked):
    """
    All fields of a new packet except its name (ALL-CRE-1); sums in fen. The share bounds default to the rulebook's.

    A use validity is either absolute, ``[use_start_at_ms, use_end_at_ms)`` in room ms, or relative, ``use_for_ms`` room
    ms from the claim (DY-CRE-3, AMB-5); Douyin and Kuaishou need one (AMB-47). ``product_ids`` are the only goods it
    may be used on, or all (KS-CRE-2). ``platform`` is its creator's; only the platform's own must name one (AMB-43).
    """

    use_start_at_ms: int | None = Field(default=None, ge=0, le=FEN_MAX, strict=True)
    use_end_at_ms: int | None = Field(default=None, gt=0, le=FEN_MAX, strict=True)
    use_for_ms: int | None = Field(default=None, strict=True)
    product_ids: list[str] | None = None
    allocator: str = DEFAULT


class NewPacket(Prefilled):
    """
    A packet to create, with all fields of a creation (DY-CRE-1, KS-CRE-1); its launch is a separate request.

    ``goods`` are the kinds of the goods in its scope: some cannot be set up (KS-ELG-2).
    """

    name: str
    goods: list[GoodsKind] = [GoodsKind.ORDINARY]


class LaunchBody(BaseModel):
    """A packet's launch into a room (section 5 of the rules): instants and durations in room ms."""

    model_config = ConfigDict(extra="forbid")

    room_id: str
    mode: LaunchMode
    delay_ms: int | None = Field(default=None, strict=True)
    warmup_at_ms: int | None = Field(default=None, strict=True)
    grab_at_ms: int | None = Field(default=None, strict=True)
    claim_window_ms: int | None = Field(default=None, gt=0, strict=True)


class IssuanceBody(BaseModel):
    """A packet's new number of shares, the only field that can be changed (KS-EDT-1)."""

    model_config = ConfigDict(extra="forbid")

    share_count: int = Field(gt=0, le=FEN_MAX, strict=True)


class VoidBody(BaseModel):
    """
    In whose name a packet is voided: its creator's, or the platform's, which may until the window closes (AMB-55).

    By default an administrator's credential stands for the platform; without one it is the creator.
    """

    model_config = ConfigDict(extra="forbid")

    by: Literal["creator", "platform"] | None = None


@router.post("", status_code=201, responses=problems(400, 409, 413, 422, 503))
async def create(body: NewPacket, state: WithState, key: WithKey, caller: WithCaller) -> PacketShown:
    """
    Create a packet: its shares are split now, and its full sum is debited from the creator's funds (DY-ACC-4).

    The creator needs the platform's permissions (DY-ELG-1, KS-ELG-1) and funds (DY-ELG-2, KS-ACC-1).
    """
    caller.check_owns(creator_id=body.creator_id)
    asked = {**body.model_dump(), "creator_id": checked_creator_id(body.creator_id)}
    return await shown(state, await create_packet(state, CreationRequest(**asked), key))


@router.post("/{packet_id}/copy", responses=problems(404, 422, 503))
async def copy(packet_id: str, state: WithState) -> Prefilled:
    """Return the fields to create a copy of this packet, without its name and launch information (DY-CPY-1)."""
    packet = await state.packets.get(PacketId(packet_id))
    fixed = packet.terms.denomination is Denomination.FIXED
    return Prefilled(
        creator_id=packet.creator_id,
        platform=packet.platform,
        **{**asdict(packet.terms), **({"min_share_fen": None, "max_share_fen": None} if fixed else {})},
        use_start_at_ms=packet.use_start_at_ms,
        use_end_at_ms=packet.use_end_at_ms,
        use_for_ms=packet.use_for_ms,
        product_ids=scope_shown(packet),
        allocator=packet.allocator,
    )


@router.post("/{packet_id}/launch", responses=problems(400, 404, 409, 413, 422, 503))
async def launch(packet_id: str, body: LaunchBody, state: WithState, key: WithKey) -> PacketShown:
    """Launch a draft into a room of its creator, the platform's into any (AMB-45), once and for all (DY-LAU-2)."""
    asked = LaunchRequest(**{**body.model_dump(), "room_id": RoomId(body.room_id)})
    packet, warnings = await launch_packet(state, PacketId(packet_id), asked, key)
    return await shown(state, packet, warnings=list(warnings))


@router.post("/{packet_id}/stop_launch", responses=problems(400, 404, 409, 413, 422, 503))
async def stop_launch(
    packet_id: str, state: WithState, key: WithKey, caller: WithCaller, body: VoidBody | None = None
) -> PacketShown:
    """Void a packet under the other name that the source has for it (DY-VOI-4)."""
    return await void(packet_id, state, key, caller, body)


@router.post("/{packet_id}/void", responses=problems(400, 404, 409, 413, 422, 503))
async def void(
    packet_id: str, state: WithState, key: WithKey, caller: WithCaller, body: VoidBody | None = None
) -> PacketShown:
    """
    Void a packet permanently; unclaimed shares go back to its creator (DY-VOI-1, DY-REV-1).

    What was claimed stays usable (DY-VOI-3). The creator is bound by DY-VOI-2, the platform is not (AMB-55).
    """
    by_default = "platform" if caller.role is Role.ADMIN and caller is not OF_THIS_MACHINE else "creator"
    by_platform = ((body and body.by) or by_default) == "platform"
    if by_platform:
        caller.check_role(frozenset({Role.ADMIN}))
    return await shown(state, await void_packet(state, PacketId(packet_id), key, by_platform=by_platform))


@router.post("/{packet_id}/issuance", responses=problems(400, 404, 409, 413, 422, 503))
async def edit_issuance(packet_id: str, body: IssuanceBody, state: WithState, key: WithKey) -> PacketShown:
    """Change the number of shares of a pending or active packet, never below the claimed ones (KS-EDT-1, AMB-12)."""
    return await shown(state, await edit_packet(state, PacketId(packet_id), body.share_count, key))


@router.post("/{packet_id}/end", responses=problems(404, 409, 422, 503))
async def end(packet_id: str, state: WithState, key: WithKey) -> PacketShown:
    """End a pending or active packet now; unclaimed shares go back, claims stay (KS-END-1, AMB-13)."""
    return await shown(state, await end_packet(state, PacketId(packet_id), key))


@router.get("/{packet_id}", responses=problems(404, 422, 503))
async def get(packet_id: str, state: WithState) -> PacketShown:
    """Show one packet."""
    creator_of(PacketId(packet_id))
    return await shown(state, await state.packets.get(PacketId(packet_id)))


@router.get("", responses=problems(422, 503))
async def list_packets(state: WithState, creator_id: str = Query()) -> list[PacketShown]:
    """List a creator's packets, oldest first (DY-CRE-4)."""
    checked: CreatorId = checked_creator_id(creator_id)
    return [row_shown(state, row.packet, row) for row in await state.effects.rows(checked)]
