"""A preview of a launch: its times, the packets and slots it meets, its refusal, and the next start without one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from server.core.packets.blackout import Stretch
from server.core.packets.launch import (
    Launch,
    LaunchRequest,
    blackout_of,
    launch_rulebook,
    overlapping,
    plan_launch,
    plan_schedule,
)
from server.core.packets.packet import Packet, Schedule
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import LaunchMode, Rulebook

NEXT_STARTS_MAX = 50  # tried one after another: more than a week of slots has


@dataclass(frozen=True, slots=True)
class LaunchPreview:
    """
    A launch as it would be decided now: granted as ``launch``, or ``refused``.

    ``schedule`` is None if the times themselves are refused. ``overlaps`` are the creator's packets on screen then,
    ``blackout`` is the platform's slot that the warm-up falls into. ``nearest`` is a request that would be granted, if
    slots or other packets are in the way of this one.
    """

    launch: Launch | None = None
    refused: Refused | None = None
    schedule: Schedule | None = None
    overlaps: tuple[Packet, ...] = ()
    blackout: Stretch | None = None
    nearest: LaunchRequest | None = None


def preview_of(
    request: LaunchRequest, *, packet: Packet, rulebook: Rulebook, now_ms: int, others: Sequence[Packet]
) -> LaunchPreview:
    """Return the preview of a launch; arguments as those of ``plan_launch``, which decides."""
    rules = launch_rulebook(packet, rulebook)
    try:
        schedule = plan_schedule(request, packet=packet, rulebook=rules, now_ms=now_ms)
    except Refused as refused:
        return LaunchPreview(refused=refused)
    meanwhile = overlapping(schedule, rules, [each for each in others if each.creator_id == packet.creator_id])
    found = LaunchPreview(
        schedule=schedule,
        overlaps=tuple(other for other, _ in meanwhile),
        blackout=blackout_of(schedule, rules),
    )
    try:
        planned = plan_launch(request, packet=packet, rulebook=rulebook, now_ms=now_ms, others=others)
    except Refused as refused:
        nearest = _nearest(found, packet=packet, request=request, rulebook=rulebook, now_ms=now_ms, others=others)
        return replace(found, refused=refused, nearest=nearest)
    return replace(found, launch=planned)


def _nearest(
    found: LaunchPreview,
    *,
    packet: Packet,
    request: LaunchRequest,
    rulebook: Rulebook,
    now_ms: int,
    others: Sequence[Packet],
) -> LaunchRequest | None:
    """Return the first later start that is granted, with as long a warm-up; None if none is found."""
    assert found.schedule is not None
    rules = launch_rulebook(packet, rulebook)
    length_ms = found.schedule.grab_at_ms - found.schedule.warmup_at_ms
    own = [each for each in others if each.creator_id == packet.creator_id]
    schedule = found.schedule
    for _ in range(NEXT_STARTS_MAX):
        blackout = blackout_of(schedule, rules)
        ends = [other.claim_end_at_ms for _, other in overlapping(schedule, rules, own)]
        start_ms = blackout.end_ms if blackout is not None else min(ends, default=schedule.warmup_at_ms)
        if schedule.warmup_at_ms == now_ms:  # a start that is near begins at once (DY-LAU-6)
            start_ms = max(start_ms, now_ms + (rules.immediate_warmup_ms or 0) + 1)
        asked = _starting(start_ms, length_ms, request, rules)
        try:
            plan_launch(asked, packet=packet, rulebook=rulebook, now_ms=now_ms, others=others)
        except Refused:
            try:
                schedule = plan_schedule(asked, packet=packet, rulebook=rules, now_ms=now_ms)
            except Refused:
                return None
        else:
            return asked
    return None


def _starting(warmup_at_ms: int, length_ms: int, request: LaunchRequest, rulebook: Rulebook) -> LaunchRequest:
    """Return the request for a warm-up then, by the mode of the platform that names an instant."""
    step_ms = rulebook.exact_grab_step_ms
    grab_at_ms = -(-(warmup_at_ms + length_ms) // step_ms) * step_ms
    if LaunchMode.EXACT in rulebook.launch_modes:
        times = {"mode": LaunchMode.EXACT, "warmup_at_ms": grab_at_ms - length_ms, "grab_at_ms": grab_at_ms}
    else:
        times = {"mode": LaunchMode.SCHEDULED, "grab_at_ms": grab_at_ms}
    return LaunchRequest(request.room_id, claim_window_ms=request.claim_window_ms, **times)  # type: ignore[arg-type]
