"""Previews: what a launch or a split would come to, decided as it would be and changing nothing."""

import asyncio
from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel

from server.api.access import WithCaller, allowed_to
from server.api.app_state import WithState
from server.api.errors import Problem, WithLanguage, problem_of, problems
from server.api.packets import LaunchBody, SplitAsked
from server.commands.preview_launch import preview_launch
from server.core.credential import Role
from server.core.ids import PacketId, RoomId, checked_creator_id, creator_of
from server.core.packets.blackout import Stretch
from server.core.packets.creation import CreationRequest, granted_terms, platform_of
from server.core.packets.launch import LaunchRequest
from server.core.packets.packet import Packet
from server.core.packets.split_preview import preview_split
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import LaunchMode, Rulebook

router = APIRouter(prefix="/api/packets", tags=["packets"], dependencies=[allowed_to(Role.ADMIN, Role.CREATOR)])


class Interval(BaseModel):
    """A launched packet's time on screen, in room ms; ``ended_at_ms`` if somebody ended it before (KS-END-1)."""

    packet_id: str
    name: str
    room_id: str | None
    warmup_at_ms: int
    grab_at_ms: int
    claim_end_at_ms: int
    ended_at_ms: int | None

    @classmethod
    def of(cls, packet: Packet) -> Self:
        """Return the interval of a launched packet."""
        schedule = packet.schedule
        assert schedule is not None
        return cls(
            packet_id=packet.packet_id,
            name=packet.name,
            room_id=packet.room_id,
            warmup_at_ms=schedule.warmup_at_ms,
            grab_at_ms=schedule.grab_at_ms,
            claim_end_at_ms=schedule.claim_end_at_ms,
            ended_at_ms=packet.ended_at_ms,
        )


class PlatformSlot(BaseModel):
    """A slot of the platform's own packets, from ``from_ms`` until before ``to_ms`` in room ms (DY-BLK-1)."""

    from_ms: int
    to_ms: int

    @classmethod
    def of(cls, stretch: Stretch) -> Self:
        """Return a stretch as the API shows it."""
        return cls(from_ms=stretch.start_ms, to_ms=stretch.end_ms)


class NearestStart(BaseModel):
    """The fields of a launch that would be granted; ``warmup_at_ms`` is null in a mode without one."""

    mode: LaunchMode
    warmup_at_ms: int | None
    grab_at_ms: int | None


class LaunchPreviewShown(BaseModel):
    """
    A launch as it would be decided now; instants in room ms, null if the times themselves are refused.

    ``overlaps`` are the creator's packets on screen meanwhile (DY-LAU-9), ``blackout`` is the slot that the warm-up
    falls into (DY-BLK-1). ``nearest`` is the first later start that would be granted, if they are what refuses.
    """

    packet_id: str
    allowed: bool
    refusal: Problem | None
    warmup_at_ms: int | None
    grab_at_ms: int | None
    claim_end_at_ms: int | None
    voidable_until_ms: int | None
    surface: str | None
    warnings: list[str]
    overlaps: list[Interval]
    overlap_max: int | None
    blackout: PlatformSlot | None
    nearest: NearestStart | None


class BarShown(BaseModel):
    """The number of example shares from ``from_fen`` to ``to_fen``, both inclusive."""

    from_fen: int
    to_fen: int
    count: int


class SplitPreviewShown(BaseModel):
    """
    The refusal of terms, or an example of their split: ``bars`` by amount, and its smallest, largest and mean share.

    The example has ``shares`` shares, a part of a packet of more than 10,000. With the bounds in force, shares can sum
    to anything from ``total_min_fen`` to ``total_max_fen``.
    """

    allowed: bool
    refusal: Problem | None
    min_share_fen: int
    max_share_fen: int
    total_min_fen: int
    total_max_fen: int
    shares: int
    bars: list[BarShown]
    min_fen: int | None
    max_fen: int | None
    mean_fen: float | None


@router.post("/{packet_id}/preview-launch", responses=problems(400, 404, 413, 422, 503))
async def launch(packet_id: str, body: LaunchBody, state: WithState, language: WithLanguage) -> LaunchPreviewShown:
    """Decide a launch without carrying it out: its times, or its refusal and the nearest start without it."""
    checked = PacketId(packet_id)
    creator_of(checked)
    asked = LaunchRequest(**{**body.model_dump(), "room_id": RoomId(body.room_id)})
    found = await preview_launch(state, checked, asked)
    rulebook = state.rulebook((await state.packets.get(checked)).platform)
    schedule, nearest = found.schedule, found.nearest
    return LaunchPreviewShown(
        packet_id=checked,
        allowed=found.refused is None,
        refusal=None if found.refused is None else problem_of(found.refused, language),
        warmup_at_ms=schedule.warmup_at_ms if schedule else None,
        grab_at_ms=schedule.grab_at_ms if schedule else None,
        claim_end_at_ms=schedule.claim_end_at_ms if schedule else None,
        voidable_until_ms=rulebook.voidable_until_ms(schedule) if schedule else None,
        surface=found.launch.surface if found.launch else None,
        warnings=list(found.launch.warnings) if found.launch else [],
        overlaps=[Interval.of(each) for each in found.overlaps],
        overlap_max=rulebook.overlap_max,
        blackout=None if found.blackout is None else PlatformSlot.of(found.blackout),
        nearest=nearest
        and NearestStart(mode=nearest.mode, warmup_at_ms=nearest.warmup_at_ms, grab_at_ms=nearest.grab_at_ms),
    )


@router.post("/preview-split", responses=problems(400, 413, 422, 503))
async def split(body: SplitAsked, state: WithState, caller: WithCaller, language: WithLanguage) -> SplitPreviewShown:
    """Show how a packet of these terms might be split, or why it cannot be (ALL-CRE-1, ALL-CRE-2)."""
    caller.check_owns(creator_id=body.creator_id)
    creator_id = checked_creator_id(body.creator_id)
    asked = CreationRequest(**{**body.model_dump(), "creator_id": creator_id, "name": ""})
    if body.platform is not None:
        state.rulebook(body.platform)
    rulebook = state.rulebook(platform_of(asked, await state.wallet.platform(creator_id)))
    try:
        terms = granted_terms(asked, rulebook)
    except Refused as refused:
        return _not_split(body, rulebook, problem_of(refused, language))
    found = await asyncio.to_thread(preview_split, terms)
    return SplitPreviewShown(
        allowed=True,
        refusal=None,
        **_bounds(terms.share_count, terms.min_share_fen, terms.max_share_fen),
        shares=found.shares,
        bars=[BarShown(from_fen=bar.from_fen, to_fen=bar.to_fen, count=bar.count) for bar in found.bars],
        min_fen=found.min_fen,
        max_fen=found.max_fen,
        mean_fen=found.mean_fen,
    )


def _not_split(body: SplitAsked, rulebook: Rulebook, refusal: Problem) -> SplitPreviewShown:
    lowest, highest = body.min_share_fen or rulebook.min_share_fen, body.max_share_fen or rulebook.max_share_fen
    return SplitPreviewShown(
        allowed=False,
        refusal=refusal,
        **_bounds(body.share_count, lowest, highest),
        shares=0,
        bars=[],
        min_fen=None,
        max_fen=None,
        mean_fen=None,
    )


def _bounds(share_count: int, lowest: int, highest: int) -> dict[str, int]:
    return {
        "min_share_fen": lowest,
        "max_share_fen": highest,
        "total_min_fen": share_count * lowest,
        "total_max_fen": share_count * highest,
    }
