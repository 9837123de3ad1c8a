"""Packets: create, copy, launch, edit, void, end, get, list."""

import asyncio
import hashlib
import secrets

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from server.api.access import WithCaller, allowed_to
from server.api.app_state import AppState, WithKey, WithState
from server.api.errors import problems
from server.api.packet_shown import PacketShown, row_shown, scope_shown, shown
from server.core.credential import Role
from server.core.ids import CreatorId, PacketId, RoomId, checked_creator_id, creator_of, packet_id_of
from server.core.money.money import FEN_MAX
from server.core.orders.purchase import GoodsKind
from server.core.orders.validity import check_validity, checked_scope
from server.core.packets.issuance import Edit, check_end, plan_edit
from server.core.packets.launch import LaunchRequest, plan_launch
from server.core.packets.packet import Denomination, Packet, Terms
from server.core.packets.split import check_terms, commitment, split
from server.core.refusal import Refused
from server.core.rulebooks.eligibility import check_eligible, check_scope
from server.core.rulebooks.rulebook import LaunchMode, Rulebook
from server.store.allocators.registry import DEFAULT

router = APIRouter(prefix="/api/packets", tags=["packets"], dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)])

EDIT_TRIES = 5  # edits of one packet at once; a person never makes so many
LAUNCH_TRIES = 5  # launches of one creator at once; a person never makes so many


class Prefilled(BaseModel):
    """
    All of a packet to be funded but its name (ALL-CRE-1); sums in fen. The share bounds default to the rulebook's.

    A use validity is either absolute, ``[use_start_at_ms, use_end_at_ms)`` in room ms, or relative, ``use_for_ms`` room
    ms from the claim (DY-CRE-3, AMB-5). ``product_ids`` are the only goods it may be used on, or all (KS-CRE-2).
    """

    model_config = ConfigDict(extra="forbid")

    creator_id: str
    platform: str = "lab"
    denomination: Denomination = Denomination.RANDOM
    share_count: int = Field(gt=0, strict=True)
    total_fen: int = Field(gt=0, le=FEN_MAX, strict=True)
    min_share_fen: int | None = Field(default=None, gt=0, strict=True)
    max_share_fen: int | None = Field(default=None, gt=0, strict=True)
    use_start_at_ms: int | None = Field(default=None, ge=0, le=FEN_MAX, strict=True)
    use_end_at_ms: int | None = Field(default=None, gt=0, le=FEN_MAX, strict=True)
    use_for_ms: int | None = Field(default=None, strict=True)
    product_ids: list[str] | None = None
    allocator: str = DEFAULT


class NewPacket(Prefilled):
    """
    A packet to be funded, with all that a creation names (DY-CRE-1, KS-CRE-1); its launch follows by itself.

    ``goods`` are the kinds of the goods in its scope: some cannot be set up (KS-ELG-2).
    """

    name: str
    goods: list[GoodsKind] = [GoodsKind.ORDINARY]


class LaunchBody(BaseModel):
    """How a packet goes into a room (section 5 of the rules): instants in room ms, spans in room ms."""

    model_config = ConfigDict(extra="forbid")

    room_id: str
    mode: LaunchMode
    delay_ms: int | None = Field(default=None, strict=True)
    warmup_at_ms: int | None = Field(default=None, strict=True)
    grab_at_ms: int | None = Field(default=None, strict=True)
    claim_window_ms: int | None = Field(default=None, gt=0, strict=True)


class IssuanceBody(BaseModel):
    """How many shares a packet is to have: the only thing of it that can be changed (KS-EDT-1)."""

    model_config = ConfigDict(extra="forbid")

    share_count: int = Field(gt=0, le=FEN_MAX, strict=True)


@router.post("", status_code=201, responses=problems(400, 409, 413, 422, 503))
async def create(body: NewPacket, state: WithState, key: WithKey, caller: WithCaller) -> PacketShown:
    """
    Create a packet: its shares are split now, and its full sum is debited from the creator's funds (DY-ACC-4).

    Only who has the platform's permissions may (DY-ELG-1, KS-ELG-1), and only out of funds (DY-ELG-2, KS-ACC-1).
    """
    caller.check_owns(creator_id=body.creator_id)
    creator_id = checked_creator_id(body.creator_id)
    rulebook = state.rulebook(body.platform)
    check_eligible(await state.creators.permissions(creator_id), rulebook)
    if not 0 < len(body.name) <= rulebook.name_length_max:
        wanted = f"must be 1 to {rulebook.name_length_max} characters"
        raise Refused("bad_field", wanted, field="name", rule=rulebook.rule("ALL-CRE-1"))
    check_validity(
        use_start_at_ms=body.use_start_at_ms,
        use_end_at_ms=body.use_end_at_ms,
        use_for_ms=body.use_for_ms,
        rulebook=rulebook,
    )
    scope = checked_scope(body.product_ids, rulebook)
    check_scope(body.goods, rulebook)
    capabilities = state.gateway.allocators.capabilities_of(body.allocator)
    terms = _terms(body, rulebook)
    check_terms(terms, rulebook)
    seed = secrets.token_bytes(32)
    shares = await asyncio.to_thread(split, terms, seed)
    packet = await state.packets.create(
        packet_id=packet_id_of(creator_id, hashlib.sha256(key.encode()).hexdigest()[:10]),
        name=body.name,
        platform=body.platform,
        terms=terms,
        allocator=body.allocator,
        capabilities=capabilities,
        transfer_id=f"create:{key}",
        shares=shares,
        seed=seed,
        commitment=commitment(terms, seed),
        use_start_at_ms=body.use_start_at_ms,
        use_end_at_ms=body.use_end_at_ms,
        use_for_ms=body.use_for_ms,
        product_ids=scope,
        reversal_delay_ms=rulebook.reversal_delay_ms,
        recharge_rule=rulebook.rule(rulebook.recharge_rule),
    )
    return await shown(state, packet)


@router.post("/{packet_id}/copy", responses=problems(404, 422, 503))
async def copy(packet_id: str, state: WithState) -> Prefilled:
    """Return what creates a packet like this one, without its name and without launch information (DY-CPY-1)."""
    packet = await state.packets.get(PacketId(packet_id))
    terms, fixed = packet.terms, packet.terms.denomination is Denomination.FIXED
    return Prefilled(
        creator_id=packet.creator_id,
        platform=packet.platform,
        denomination=terms.denomination,
        share_count=terms.share_count,
        total_fen=terms.total_fen,
        min_share_fen=None if fixed else terms.min_share_fen,
        max_share_fen=None if fixed else terms.max_share_fen,
        use_start_at_ms=packet.use_start_at_ms,
        use_end_at_ms=packet.use_end_at_ms,
        use_for_ms=packet.use_for_ms,
        product_ids=scope_shown(packet),
        allocator=packet.allocator,
    )


@router.post("/{packet_id}/launch", responses=problems(400, 404, 409, 413, 422, 503))
async def launch(packet_id: str, body: LaunchBody, state: WithState, key: WithKey) -> PacketShown:
    """Launch a draft into a room of its creator; the time cannot be changed afterwards (DY-LAU-1, DY-LAU-2)."""
    packet = await state.packets.get(PacketId(packet_id))
    launch_id = f"{key}:{hashlib.sha256(body.model_dump_json().encode()).hexdigest()[:16]}"
    try:
        return await _decide(packet, body, state, launch_id)
    except Refused:
        if await state.packets.launch_id(packet.packet_id) == launch_id:
            return await shown(state, await state.packets.get(packet.packet_id))
        raise


async def _decide(packet: Packet, body: LaunchBody, state: AppState, launch_id: str) -> PacketShown:
    """Decide on what the creator has launched so far, and again if other launches came in between."""
    room = await state.rooms.get(RoomId(body.room_id))
    if room is None:
        raise Refused("not_found", f"there is no room {body.room_id}", field="room_id")
    if room.creator_id != packet.creator_id:
        raise Refused("other_creator", "the room belongs to another creator", field="room_id")
    request = LaunchRequest(
        room_id=room.room_id,
        mode=body.mode,
        delay_ms=body.delay_ms,
        warmup_at_ms=body.warmup_at_ms,
        grab_at_ms=body.grab_at_ms,
        claim_window_ms=body.claim_window_ms,
    )
    rulebook = state.rulebook(packet.platform)
    check_eligible(await state.creators.permissions(packet.creator_id), rulebook)
    for _attempt in range(LAUNCH_TRIES):
        seen, others = await state.packets.launches(packet.creator_id, ended_within_ms=rulebook.popup_min_gap_ms)
        planned = plan_launch(request, packet=packet, rulebook=rulebook, now_ms=state.clock.room_ms(), others=others)
        try:
            launched = await state.packets.launch(
                packet.packet_id,
                room=room,
                schedule=planned.schedule,
                surface=planned.surface,
                seen=seen,
                launch_id=launch_id,
            )
        except Refused as refusal:
            if refusal.code != "launch_raced":
                raise
            continue
        return await shown(state, launched, warnings=list(planned.warnings))
    raise Refused("launch_raced", "other launches of this creator came in between; try again")


@router.post("/{packet_id}/stop_launch", responses=problems(404, 409, 422, 503))
async def stop_launch(packet_id: str, state: WithState, key: WithKey) -> PacketShown:
    """Void a packet under the other name that the source has for it (DY-VOI-4)."""
    return await void(packet_id, state, key)


@router.post("/{packet_id}/void", responses=problems(404, 409, 422, 503))
async def void(packet_id: str, state: WithState, key: WithKey) -> PacketShown:
    """Void a packet for good; what nobody has claimed goes back to its creator (DY-VOI-1, DY-REV-1)."""
    packet = await state.packets.get(PacketId(packet_id))
    await state.packets.void(
        packet.packet_id, transfer_id=f"void:{key}", lead_ms=state.rulebook(packet.platform).void_lead_ms
    )
    await state.gateway.voided(packet.packet_id)
    return await shown(state, await state.packets.get(packet.packet_id))


@router.post("/{packet_id}/issuance", responses=problems(400, 404, 409, 413, 422, 503))
async def edit_issuance(packet_id: str, body: IssuanceBody, state: WithState, key: WithKey) -> PacketShown:
    """Give a pending or active packet another number of shares, never fewer than are claimed (KS-EDT-1, AMB-12)."""
    transfer_id = f"edit:{key}"
    for _attempt in range(EDIT_TRIES):
        packet = await state.packets.get(PacketId(packet_id))
        if await state.packets.transferred(packet.creator_id, transfer_id):
            edit = Edit(body.share_count, packet.edition, None)
        else:
            edit = plan_edit(packet, body.share_count, state.rulebook(packet.platform))
        seed, shares = b"", []
        if edit.added is not None:
            seed = secrets.token_bytes(32)
            shares = await asyncio.to_thread(split, edit.added, seed)
        try:
            packet = await state.packets.edit(packet, edit, transfer_id=transfer_id, shares=shares, seed=seed)
        except Refused as refusal:
            if refusal.code not in ("edit_raced", "raced", "incomplete"):
                raise
            continue
        await state.gateway.changed(packet.packet_id)
        return await shown(state, packet)
    raise Refused("edit_raced", "other edits of this packet came in between; try again")


@router.post("/{packet_id}/end", responses=problems(404, 409, 422, 503))
async def end(packet_id: str, state: WithState, key: WithKey) -> PacketShown:
    """End a pending or active packet now; what nobody has claimed goes back, claims stay (KS-END-1, AMB-13)."""
    for _attempt in range(EDIT_TRIES):
        packet = await state.packets.get(PacketId(packet_id))
        check_end(state.rulebook(packet.platform))
        try:
            await state.packets.end(packet, transfer_id=f"end:{key}")
        except Refused as refusal:
            if refusal.code != "raced":
                raise
            continue
        await state.gateway.changed(packet.packet_id)
        return await shown(state, await state.packets.get(packet.packet_id))
    raise Refused("raced", "the packet was launched in between; try again")


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


def _terms(body: NewPacket, rulebook: Rulebook) -> Terms:
    if body.denomination is Denomination.FIXED:
        if body.total_fen % body.share_count:
            raise Refused(
                "infeasible_denomination",
                "a fixed denomination needs a sum that share_count divides",
                field="total_fen",
                rule=rulebook.rule("ALL-CRE-2"),
            )
        face_fen = body.total_fen // body.share_count
        return Terms(body.denomination, body.share_count, body.total_fen, face_fen, face_fen)
    return Terms(
        body.denomination,
        body.share_count,
        body.total_fen,
        rulebook.min_share_fen if body.min_share_fen is None else body.min_share_fen,
        min(rulebook.max_share_fen, body.total_fen) if body.max_share_fen is None else body.max_share_fen,
    )
