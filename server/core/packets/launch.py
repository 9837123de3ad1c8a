"""
Launch: when a packet warms up, opens and closes, and how it is shown on screen; one small function per rule.

A request is checked in this order, and the first broken rule refuses it: the packet's state, the mode, the fields
of the mode, the claim window, the times (DY-LAU-3 to DY-LAU-8), the overlap (DY-LAU-9), the blackouts (DY-BLK-1).
The limits of creators do not bind the platform's own packets (AMB-45).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from server.core.ids import PLATFORM, CreatorId, RoomId
from server.core.orders.purchase import Entrance
from server.core.packets.blackout import NO_BLACKOUTS, BlackoutMode, Enforcement, Stretch
from server.core.packets.packet import Packet, PacketState, Schedule, Surface
from server.core.refusal import Refused, RuleId
from server.core.rulebooks.rulebook import ImmediateWarmup, LaunchMode, Rulebook

_TIMES = {
    LaunchMode.RELATIVE: {"delay_ms"},
    LaunchMode.EXACT: {"warmup_at_ms", "grab_at_ms"},
    LaunchMode.MANUAL: set(),
    LaunchMode.SCHEDULED: {"grab_at_ms"},
}


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """
    The room that the creator asks for, and the times, in room milliseconds.

    ``relative`` needs ``delay_ms``, ``exact`` needs ``warmup_at_ms`` and ``grab_at_ms``, ``scheduled`` needs
    ``grab_at_ms``, ``manual`` needs nothing more; ``claim_window_ms`` may go with each, and is the rulebook's if it is
    None. No mode takes another's fields.
    """

    room_id: RoomId
    mode: LaunchMode
    delay_ms: int | None = None
    warmup_at_ms: int | None = None
    grab_at_ms: int | None = None
    claim_window_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """The launch that a request is granted. ``warnings`` are sentences for the creator; they forbid nothing."""

    schedule: Schedule
    surface: Surface
    warnings: tuple[str, ...] = ()


def plan_launch(
    request: LaunchRequest, *, packet: Packet, rulebook: Rulebook, now_ms: int, others: Sequence[Packet]
) -> Launch:
    """
    Plan the launch of *packet*, asked for at room time *now_ms*.

    *others* are the packets that have been launched: the creator's, into any room, and everybody's into this one.
    Raises Refused with the field and the rule that refuses; what it returns depends on its arguments alone.
    """
    rulebook = launch_rulebook(packet, rulebook)
    schedule = plan_schedule(request, packet=packet, rulebook=rulebook, now_ms=now_ms)
    own = [other for other in others if other.creator_id == packet.creator_id]
    warnings = [*_overlap_warnings(schedule, rulebook, own), *_blackout_warnings(schedule, rulebook)]
    return Launch(schedule, _surface(schedule.grab_at_ms, request.room_id, rulebook, others), tuple(warnings))


def plan_schedule(request: LaunchRequest, *, packet: Packet, rulebook: Rulebook, now_ms: int) -> Schedule:
    """Return the times of a launch by *launch_rulebook*, other packets and blackouts aside. Raises Refused."""
    check_draft(packet, rulebook)
    _check_mode(request, rulebook)
    _check_fields(request)
    window_ms = _claim_window_ms(request, rulebook)
    warmup_at_ms, grab_at_ms = _start(request, rulebook, now_ms)
    return Schedule(warmup_at_ms, grab_at_ms, _claim_end_at_ms(packet, grab_at_ms, window_ms, rulebook))


def entrances_of(packet: Packet, rulebook: Rulebook) -> tuple[Entrance, ...] | None:
    """Return the entrances from which a packet's goods must have come (DY-USE-3); None for the platform's own."""
    if packet.creator_id == PLATFORM:
        return None
    return tuple(entrance for entrance in Entrance if entrance in rulebook.use_entrances)


def check_host(packet: Packet, host_id: CreatorId, host_platform: str | None = None) -> None:
    """
    Check that a packet may be launched into a room of *host_id*, a creator of *host_platform* if it has one yet.

    A creator's packet goes into its own rooms, the platform's into any room of its platform (AMB-45). Raises Refused:
    ``other_creator``, ``other_platform``.
    """
    if packet.creator_id == host_id:
        return
    if packet.creator_id != PLATFORM:
        raise Refused("other_creator", "the room belongs to another creator", field="room_id")
    if host_platform != packet.platform:
        raise Refused("other_platform", f"the packet is for rooms of {packet.platform}", field="room_id")


def launch_rulebook(packet: Packet, rulebook: Rulebook) -> Rulebook:
    """Return the rulebook of a launch: only times in order and the popup gap bind the platform's own (AMB-45)."""
    if packet.creator_id != PLATFORM:
        return rulebook
    return replace(
        rulebook,
        launch_modes=frozenset(LaunchMode),
        relative_lead_min_ms=0,
        relative_lead_max_ms=rulebook.scheduled_lead_max_ms,
        exact_lead_min_ms=0,
        exact_lead_max_ms=rulebook.scheduled_lead_max_ms,
        exact_grab_step_ms=1,
        overlap_max=None,
        blackouts=NO_BLACKOUTS,
    )


def least_lead_ms(rulebook: Rulebook) -> int:
    """Return how soon after a launch a packet may open at the earliest, by the mode that is fastest."""
    leads = {
        LaunchMode.RELATIVE: rulebook.relative_lead_min_ms,
        LaunchMode.EXACT: rulebook.exact_lead_min_ms + (1 if rulebook.exact_lead_strict else 0),
    }
    return min(leads.get(mode, 0) for mode in rulebook.launch_modes)


def check_draft(packet: Packet, rulebook: Rulebook) -> None:
    """Refuse a packet that was launched or voided already (DY-LAU-1, DY-LAU-2, AMB-40)."""
    if packet.state is not PacketState.DRAFT:
        raise Refused(
            "not_draft", f"only a draft can be launched; this packet is {packet.state}", rule=rulebook.rule("DY-LAU-1")
        )


def _check_mode(request: LaunchRequest, rulebook: Rulebook) -> None:
    """Refuse a mode that the platform does not offer."""
    if request.mode not in rulebook.launch_modes:
        raise Refused(
            "mode_not_offered",
            f"{rulebook.platform} launches {' or '.join(sorted(rulebook.launch_modes))}, not {request.mode}",
            field="mode",
            rule=rulebook.rule(rulebook.launch_modes_rule),
        )


def _check_fields(request: LaunchRequest) -> None:
    """Refuse a request that lacks a field of its mode or has a field of another mode."""
    for field in ("delay_ms", "warmup_at_ms", "grab_at_ms"):
        given, needed = getattr(request, field) is not None, field in _TIMES[request.mode]
        if given and not needed:
            raise Refused("unexpected_field", f"does not go with mode {request.mode}", field=field)
        if needed and not given:
            raise Refused("missing_field", f"mode {request.mode} needs it", field=field)


def _claim_window_ms(request: LaunchRequest, rulebook: Rulebook) -> int:
    """Return the length of the claim window (AMB-8, ALL-CRE-1)."""
    if request.claim_window_ms is None:
        return rulebook.claim_window_ms
    if not 0 < request.claim_window_ms <= rulebook.claim_window_max_ms:
        raise Refused(
            "out_of_range",
            f"must be from 1 to {rulebook.claim_window_max_ms}",
            field="claim_window_ms",
            rule=rulebook.rule("ALL-CRE-1"),
        )
    return request.claim_window_ms


def _start(request: LaunchRequest, rulebook: Rulebook, now_ms: int) -> tuple[int, int]:
    """Return when the packet warms up and when it opens."""
    match request.mode:
        case LaunchMode.RELATIVE:
            return _relative_start(request, rulebook, now_ms)
        case LaunchMode.EXACT:
            return _exact_start(request, rulebook, now_ms)
        case LaunchMode.MANUAL:
            return now_ms, now_ms  # KS-LAU-1, KS-LAU-2
        case LaunchMode.SCHEDULED:
            return _scheduled_start(request, rulebook, now_ms)
    assert_never(request.mode)


def _relative_start(request: LaunchRequest, rulebook: Rulebook, now_ms: int) -> tuple[int, int]:
    """Open after the delay, within the rulebook's bounds, and warm up at once (DY-LAU-3)."""
    assert request.delay_ms is not None
    lowest, highest = rulebook.relative_lead_min_ms, rulebook.relative_lead_max_ms
    if not lowest <= request.delay_ms <= highest:
        raise Refused(
            "out_of_range", f"must be from {lowest} to {highest}", field="delay_ms", rule=rulebook.rule("DY-LAU-3")
        )
    return now_ms, now_ms + request.delay_ms


def _exact_start(request: LaunchRequest, rulebook: Rulebook, now_ms: int) -> tuple[int, int]:
    """Open at an instant, on a whole second, not too far ahead or too near; the creator chooses the warm-up."""
    assert request.warmup_at_ms is not None
    assert request.grab_at_ms is not None
    warmup_at_ms, grab_at_ms = request.warmup_at_ms, request.grab_at_ms
    _check_not_too_far(grab_at_ms, now_ms + rulebook.exact_lead_max_ms, rule=rulebook.rule("DY-LAU-4"))
    _check_whole_second(grab_at_ms, rulebook)
    _check_not_too_near(grab_at_ms, rulebook, now_ms)
    _check_order(warmup_at_ms, grab_at_ms, rulebook, now_ms)
    return _immediate_warmup(warmup_at_ms, grab_at_ms, rulebook, now_ms), grab_at_ms


def _scheduled_start(request: LaunchRequest, rulebook: Rulebook, now_ms: int) -> tuple[int, int]:
    """Open at an instant that has not passed, without a warm-up (KS-LAU-1, KS-LAU-2)."""
    assert request.grab_at_ms is not None
    if request.grab_at_ms < now_ms:
        raise Refused(
            "out_of_range", f"must not come before now, {now_ms}", field="grab_at_ms", rule=rulebook.rule("DY-LAU-7")
        )
    _check_not_too_far(request.grab_at_ms, now_ms + rulebook.scheduled_lead_max_ms, rule=rulebook.rule("KS-LAU-2"))
    return request.grab_at_ms, request.grab_at_ms


def _check_not_too_far(grab_at_ms: int, latest_ms: int, *, rule: RuleId) -> None:
    """Refuse an opening beyond the rulebook's horizon (DY-LAU-4)."""
    if grab_at_ms > latest_ms:
        raise Refused("out_of_range", f"must come at {latest_ms} at the latest", field="grab_at_ms", rule=rule)


def _check_whole_second(grab_at_ms: int, rulebook: Rulebook) -> None:
    """Refuse an opening that is not on a whole second (DY-LAU-4)."""
    if grab_at_ms % rulebook.exact_grab_step_ms:
        raise Refused(
            "grab_not_whole_second",
            f"must be a multiple of {rulebook.exact_grab_step_ms}",
            field="grab_at_ms",
            rule=rulebook.rule("DY-LAU-4"),
        )


def _check_not_too_near(grab_at_ms: int, rulebook: Rulebook, now_ms: int) -> None:
    """Refuse an opening too soon after the submission (DY-LAU-5, AMB-6)."""
    earliest_ms = now_ms + rulebook.exact_lead_min_ms + (1 if rulebook.exact_lead_strict else 0)
    if grab_at_ms < earliest_ms:
        raise Refused(
            "out_of_range", f"must not come before {earliest_ms}", field="grab_at_ms", rule=rulebook.rule("DY-LAU-5")
        )


def _check_order(warmup_at_ms: int, grab_at_ms: int, rulebook: Rulebook, now_ms: int) -> None:
    """Refuse a chosen warm-up that begins in the past or after the opening (DY-LAU-7)."""
    if not now_ms <= warmup_at_ms <= grab_at_ms:
        raise Refused(
            "out_of_range",
            f"must lie between now, {now_ms}, and the opening, {grab_at_ms}",
            field="warmup_at_ms",
            rule=rulebook.rule("DY-LAU-7"),
        )


def _immediate_warmup(warmup_at_ms: int, grab_at_ms: int, rulebook: Rulebook, now_ms: int) -> int:
    """Return *now_ms* instead of a warm-up that is near (DY-LAU-6, AMB-7)."""
    measured_ms = warmup_at_ms if rulebook.immediate_warmup_of is ImmediateWarmup.WARMUP else grab_at_ms
    if rulebook.immediate_warmup_ms is not None and measured_ms - now_ms <= rulebook.immediate_warmup_ms:
        return now_ms
    return warmup_at_ms


def _claim_end_at_ms(packet: Packet, grab_at_ms: int, window_ms: int, rulebook: Rulebook) -> int:
    """Return when the window closes: at the end of the packet's use validity at the latest (DY-LAU-8, AMB-5, AMB-8)."""
    check_opens_in_time(packet, grab_at_ms, rulebook)
    ends_at_ms = grab_at_ms + window_ms
    return ends_at_ms if packet.use_end_at_ms is None else min(ends_at_ms, packet.use_end_at_ms)


def check_opens_in_time(packet: Packet, grab_at_ms: int, rulebook: Rulebook) -> None:
    """Refuse an opening after which the packet could not be used any more (DY-LAU-8)."""
    if packet.use_end_at_ms is not None and grab_at_ms >= packet.use_end_at_ms:
        raise Refused(
            "out_of_range",
            f"the packet can be used until {packet.use_end_at_ms}, and would open at {grab_at_ms}",
            field="use_end_at_ms",
            rule=rulebook.rule("DY-LAU-8"),
        )


def _overlap_warnings(schedule: Schedule, rulebook: Rulebook, others: Sequence[Packet]) -> Iterator[str]:
    """
    Limit how many of the creator's packets are on screen at the same time (DY-LAU-9, AMB-9).

    A packet's time is from its warm-up until before its claim window closes, sold out or not; touching ends do not
    overlap. Only the platform's own creator packets count, in whatever room.
    """
    if rulebook.overlap_max is None:
        return
    meanwhile = overlapping(schedule, rulebook, others)
    # The overlap is largest at an instant at which one of the packets begins.
    for start_ms in (max(schedule.warmup_at_ms, each.warmup_at_ms) for _, each in meanwhile):
        together = 1 + sum(each.warmup_at_ms <= start_ms < each.claim_end_at_ms for _, each in meanwhile)
        if together > rulebook.overlap_max:
            raise Refused(
                "too_many_at_once",
                f"{together} packets of this creator would be on at {start_ms}; at most {rulebook.overlap_max} may",
                rule=rulebook.rule("DY-LAU-9"),
            )
    for other, _ in meanwhile:
        rule = rulebook.rule("DY-LAU-9")
        yield f"overlaps with {other.name} ({other.packet_id}): viewers will have to choose ({rule})"


def overlapping(schedule: Schedule, rulebook: Rulebook, others: Sequence[Packet]) -> list[tuple[Packet, Schedule]]:
    """Return the packets of the platform that are on screen during *schedule*, with their own."""
    return [
        (other, other.schedule)
        for other in others
        if other.platform == rulebook.platform and other.state is not PacketState.VOIDED and other.schedule is not None
        if other.schedule.warmup_at_ms < schedule.claim_end_at_ms
        and schedule.warmup_at_ms < other.schedule.claim_end_at_ms
    ]


def _blackout_warnings(schedule: Schedule, rulebook: Rulebook) -> Iterator[str]:
    """Refuse, or warn about, a warm-up in the platform's own slots (DY-BLK-1, AMB-10)."""
    stretch = blackout_of(schedule, rulebook)
    if stretch is None:
        return
    sentence = f"the warm-up falls into {stretch} in Shanghai, when the platform's own packets go out"
    rule = rulebook.rule("DY-BLK-1")
    if rulebook.blackout_enforcement is Enforcement.REJECT:
        raise Refused("blackout", sentence, field="warmup_at_ms", rule=rule)
    yield f"{sentence} ({rule})"


def blackout_of(schedule: Schedule, rulebook: Rulebook) -> Stretch | None:
    """Return the platform's slot that a warm-up falls into, or None (DY-BLK-1, AMB-10)."""
    match rulebook.blackout_mode:
        case BlackoutMode.WARMUP_START:
            until_ms = schedule.warmup_at_ms + 1
        case BlackoutMode.OVERLAP:
            until_ms = schedule.grab_at_ms
        case _:
            assert_never(rulebook.blackout_mode)
    return rulebook.blackouts.touched(schedule.warmup_at_ms, until_ms)


def _surface(grab_at_ms: int, room_id: RoomId, rulebook: Rulebook, others: Sequence[Packet]) -> Surface:
    """
    Return ``popup`` unless a popup of that room is nearer than the rulebook's gap (KS-CLM-1).

    A later packet that was launched earlier counts too: its surface is fixed, and the gap would be broken as well.
    """
    for other in others:
        if other.room_id != room_id or other.state is PacketState.VOIDED or other.surface is not Surface.POPUP:
            continue
        assert other.schedule is not None
        if other.ended_at_ms is not None and other.ended_at_ms < other.schedule.grab_at_ms:
            continue  # it never popped up (KS-END-1)
        if abs(grab_at_ms - other.schedule.grab_at_ms) < rulebook.popup_min_gap_ms:
            return Surface.ASSET_WIDGET
    return Surface.POPUP
