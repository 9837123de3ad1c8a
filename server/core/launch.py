"""A launch: when a packet warms up, opens and closes, and how it comes to the screen; one small function a rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from server.core.ids import RoomId
from server.core.packet import Packet, PacketState, Schedule, Surface
from server.core.refusal import Refused
from server.core.rulebook import Rulebook

CLAIM_WINDOW_MAX_MS = 7 * 86_400_000  # escrow is locked for as long; no show lasts longer


class LaunchMode(StrEnum):
    """How the creator says when: so long from now, at an instant, or by hand, now (section 5 of the rules)."""

    RELATIVE = "relative"
    EXACT = "exact"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """
    Which room the creator asks for, and when, in room milliseconds.

    ``relative`` needs ``delay_ms``, ``exact`` needs ``warmup_at_ms`` and ``grab_at_ms``, ``manual`` needs nothing more;
    ``claim_window_ms`` may go with each, and is the rulebook's if it is None. No mode takes another's fields.
    """

    room_id: RoomId
    mode: LaunchMode
    delay_ms: int | None = None
    warmup_at_ms: int | None = None
    grab_at_ms: int | None = None
    claim_window_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """What a granted request comes to. ``warnings`` are sentences for the creator; they forbid nothing."""

    schedule: Schedule
    surface: Surface
    warnings: tuple[str, ...] = ()


def plan_launch(request: LaunchRequest, *, rulebook: Rulebook, now_ms: int, others: Sequence[Packet]) -> Launch:
    """
    Plan a packet's launch, asked for at room time *now_ms*.

    *others* are the creator's packets that have been launched, into any room. Raises Refused with the field and the
    rule that refuses; what it returns depends on its arguments alone.
    """
    _check_fields(request)
    warmup_at_ms, grab_at_ms = _start(request, rulebook, now_ms)
    _check_order(warmup_at_ms, grab_at_ms, now_ms)
    claim_end_at_ms = grab_at_ms + _claim_window_ms(request, rulebook)
    return Launch(
        Schedule(warmup_at_ms, grab_at_ms, claim_end_at_ms), _surface(grab_at_ms, request.room_id, rulebook, others)
    )


def _check_fields(request: LaunchRequest) -> None:
    """Refuse a request that lacks a field of its mode or has one of another's."""
    match request.mode:
        case LaunchMode.RELATIVE:
            needed = {"delay_ms"}
        case LaunchMode.EXACT:
            needed = {"warmup_at_ms", "grab_at_ms"}
        case LaunchMode.MANUAL:
            needed = set()
        case _:
            assert_never(request.mode)
    for field in ("delay_ms", "warmup_at_ms", "grab_at_ms"):
        given = getattr(request, field) is not None
        if given and field not in needed:
            raise Refused("unexpected_field", f"does not go with mode {request.mode}", field=field)
        if not given and field in needed:
            raise Refused("missing_field", f"mode {request.mode} needs it", field=field)


def _start(request: LaunchRequest, rulebook: Rulebook, now_ms: int) -> tuple[int, int]:
    """Return when the packet warms up and when it opens."""
    match request.mode:
        case LaunchMode.RELATIVE:
            return _relative_start(request, rulebook, now_ms)
        case LaunchMode.EXACT:
            return _exact_start(request, rulebook, now_ms)
        case LaunchMode.MANUAL:
            return _manual_start(now_ms)
    assert_never(request.mode)


def _relative_start(request: LaunchRequest, rulebook: Rulebook, now_ms: int) -> tuple[int, int]:
    """Open so long from now, within the rulebook's bounds, and warm up at once (DY-LAU-3)."""
    assert request.delay_ms is not None
    lowest, highest = rulebook.relative_lead_min_ms, rulebook.relative_lead_max_ms
    if not lowest <= request.delay_ms <= highest:
        raise Refused("out_of_range", f"must be from {lowest} to {highest}", field="delay_ms", rule="DY-LAU-3")
    return now_ms, now_ms + request.delay_ms


def _exact_start(request: LaunchRequest, rulebook: Rulebook, now_ms: int) -> tuple[int, int]:
    """Open at an instant that is not too far away (DY-LAU-4)."""
    assert request.warmup_at_ms is not None
    assert request.grab_at_ms is not None
    if not now_ms < request.grab_at_ms <= now_ms + rulebook.exact_lead_max_ms:
        raise Refused(
            "out_of_range",
            f"must come after now, {now_ms}, and at most {rulebook.exact_lead_max_ms} ms later",
            field="grab_at_ms",
            rule="DY-LAU-4",
        )
    return request.warmup_at_ms, request.grab_at_ms


def _manual_start(now_ms: int) -> tuple[int, int]:
    """Open now, without a warm-up (KS-LAU-1, KS-LAU-2)."""
    return now_ms, now_ms


def _check_order(warmup_at_ms: int, grab_at_ms: int, now_ms: int) -> None:
    """Let the warm-up begin neither in the past nor after the opening (DY-LAU-7)."""
    if not now_ms <= warmup_at_ms <= grab_at_ms:
        raise Refused(
            "out_of_range",
            f"must lie between now, {now_ms}, and the opening, {grab_at_ms}",
            field="warmup_at_ms",
            rule="DY-LAU-7",
        )


def _claim_window_ms(request: LaunchRequest, rulebook: Rulebook) -> int:
    """Return how long the packet may be grabbed (AMB-8, ALL-CRE-1)."""
    if request.claim_window_ms is None:
        return rulebook.claim_window_ms
    if not 0 < request.claim_window_ms <= CLAIM_WINDOW_MAX_MS:
        raise Refused(
            "out_of_range", f"must be from 1 to {CLAIM_WINDOW_MAX_MS}", field="claim_window_ms", rule="ALL-CRE-1"
        )
    return request.claim_window_ms


def _surface(grab_at_ms: int, room_id: RoomId, rulebook: Rulebook, others: Sequence[Packet]) -> Surface:
    """
    Return ``popup`` unless a popup of that room is nearer than the rulebook's gap (KS-CLM-1; design.md, section 5).

    A later one that was launched before counts too: its surface is settled, and the gap would be broken all the same.
    """
    for other in others:
        if other.room_id != room_id or other.state is PacketState.VOIDED or other.surface is not Surface.POPUP:
            continue
        assert other.schedule is not None
        if abs(grab_at_ms - other.schedule.grab_at_ms) < rulebook.popup_min_gap_ms:
            return Surface.ASSET_WIDGET
    return Surface.POPUP
