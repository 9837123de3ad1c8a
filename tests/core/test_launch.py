"""A launch: each rule on its edge, and no field where it does not belong."""

from dataclasses import replace

import pytest

from server.core.ids import CreatorId, PacketId, RoomId
from server.core.launch import CLAIM_WINDOW_MAX_MS, Launch, LaunchMode, LaunchRequest, plan_launch
from server.core.packet import Denomination, Packet, PacketState, Schedule, Surface, Terms
from server.core.refusal import Refused
from server.core.rulebook import LAB, Rulebook

NOW = 1_000_000_000
MINUTE = 60_000
WEEK = 7 * 24 * 60 * MINUTE
ROOM = RoomId("r1")
STRICT = Rulebook(platform="strict", popup_min_gap_ms=MINUTE)
OTHER = Packet(
    packet_id=PacketId("lin.p0"),
    creator_id=CreatorId("lin"),
    name="rain",
    platform="lab",
    terms=Terms(Denomination.RANDOM, 10, 1_000, 1, 200),
    state=PacketState.LAUNCHED,
    edition=1,
    commitment="",
    room_id=ROOM,
    schedule=Schedule(NOW, NOW, NOW + 10 * MINUTE),
)


def plan(request: LaunchRequest, rulebook: Rulebook = STRICT, *others: Packet) -> Launch:
    return plan_launch(request, rulebook=rulebook, now_ms=NOW, others=others)


def relative(delay_ms: int) -> LaunchRequest:
    return LaunchRequest(ROOM, LaunchMode.RELATIVE, delay_ms=delay_ms)


def exact(warmup_at_ms: int, grab_at_ms: int) -> LaunchRequest:
    return LaunchRequest(ROOM, LaunchMode.EXACT, warmup_at_ms=warmup_at_ms, grab_at_ms=grab_at_ms)


def refusal(request: LaunchRequest, rulebook: Rulebook = STRICT) -> tuple[str, str, str]:
    with pytest.raises(Refused) as refused:
        plan(request, rulebook)
    return refused.value.code, refused.value.field, refused.value.rule


@pytest.mark.rule("DY-LAU-3")
@pytest.mark.parametrize("delay_ms", [2 * MINUTE, 15 * MINUTE])
def test_a_relative_launch_warms_up_at_once(delay_ms: int) -> None:
    """Both ends of the lead are allowed, and the grab window is the rulebook's (AMB-8)."""
    schedule = Schedule(NOW, NOW + delay_ms, NOW + delay_ms + 10 * MINUTE)
    assert plan(relative(delay_ms)) == Launch(schedule, Surface.POPUP, ())


@pytest.mark.rule("DY-LAU-3")
@pytest.mark.parametrize("delay_ms", [2 * MINUTE - 1, 15 * MINUTE + 1])
def test_a_relative_launch_outside_its_lead_is_refused(delay_ms: int) -> None:
    """A millisecond short of the lead, or over it, is refused."""
    assert refusal(relative(delay_ms)) == ("out_of_range", "delay_ms", "DY-LAU-3")


def test_lab_opens_at_once_if_asked() -> None:
    """A load test need not wait, yet cannot open in the past."""
    assert plan(relative(0), LAB).schedule == Schedule(NOW, NOW, NOW + 10 * MINUTE)
    assert refusal(relative(-1), LAB) == ("out_of_range", "delay_ms", "DY-LAU-3")


@pytest.mark.rule("DY-LAU-4")
@pytest.mark.parametrize("grab_at_ms", [NOW + 1, NOW + WEEK])
def test_an_exact_launch_opens_when_it_says(grab_at_ms: int) -> None:
    """Anything after now and within seven days is allowed."""
    assert plan(exact(NOW, grab_at_ms)).schedule == Schedule(NOW, grab_at_ms, grab_at_ms + 10 * MINUTE)


@pytest.mark.rule("DY-LAU-4")
@pytest.mark.parametrize("grab_at_ms", [NOW - 1, NOW, NOW + WEEK + 1])
def test_an_exact_launch_too_early_or_too_far_is_refused(grab_at_ms: int) -> None:
    """Now is too early for an instant of one's own; seven days are the horizon."""
    assert refusal(exact(NOW, grab_at_ms)) == ("out_of_range", "grab_at_ms", "DY-LAU-4")


@pytest.mark.rule("DY-LAU-7")
def test_a_warm_up_lies_between_now_and_the_opening() -> None:
    """Both ends are allowed, a millisecond beyond either is not."""
    grab_at_ms = NOW + MINUTE
    assert plan(exact(grab_at_ms, grab_at_ms)).schedule.warmup_at_ms == grab_at_ms
    for warmup_at_ms in (NOW - 1, grab_at_ms + 1):
        assert refusal(exact(warmup_at_ms, grab_at_ms)) == ("out_of_range", "warmup_at_ms", "DY-LAU-7")


@pytest.mark.rule("KS-LAU-1")
@pytest.mark.rule("KS-LAU-2")
def test_a_launch_by_hand_opens_now_without_a_warm_up() -> None:
    """Warm-up and opening are the same instant."""
    assert plan(LaunchRequest(ROOM, LaunchMode.MANUAL)).schedule == Schedule(NOW, NOW, NOW + 10 * MINUTE)


@pytest.mark.parametrize("window_ms", [1, CLAIM_WINDOW_MAX_MS])
def test_the_creator_may_choose_the_window(window_ms: int) -> None:
    """A window of the creator's own takes the place of the rulebook's."""
    request = LaunchRequest(ROOM, LaunchMode.MANUAL, claim_window_ms=window_ms)
    assert plan(request).schedule.claim_end_at_ms == NOW + window_ms


@pytest.mark.parametrize("window_ms", [0, -1, CLAIM_WINDOW_MAX_MS + 1])
def test_a_window_that_is_none_is_refused(window_ms: int) -> None:
    """An empty window, and one without end, are refused."""
    request = LaunchRequest(ROOM, LaunchMode.MANUAL, claim_window_ms=window_ms)
    assert refusal(request) == ("out_of_range", "claim_window_ms", "ALL-CRE-1")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (LaunchRequest(ROOM, LaunchMode.RELATIVE), "delay_ms"),
        (LaunchRequest(ROOM, LaunchMode.EXACT, grab_at_ms=NOW + 1), "warmup_at_ms"),
        (LaunchRequest(ROOM, LaunchMode.EXACT, warmup_at_ms=NOW), "grab_at_ms"),
    ],
)
def test_a_missing_field_is_named(request_: LaunchRequest, field: str) -> None:
    """A mode without its field is refused, not guessed."""
    assert refusal(request_) == ("missing_field", field, "")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (replace(relative(2 * MINUTE), grab_at_ms=NOW + 1), "grab_at_ms"),
        (replace(exact(NOW, NOW + 1), delay_ms=0), "delay_ms"),
        (LaunchRequest(ROOM, LaunchMode.MANUAL, warmup_at_ms=NOW), "warmup_at_ms"),
    ],
)
def test_a_field_of_another_mode_is_named(request_: LaunchRequest, field: str) -> None:
    """What would be ignored is refused, so that nobody believes it was heard."""
    assert refusal(request_) == ("unexpected_field", field, "")


@pytest.mark.rule("KS-CLM-1")
@pytest.mark.parametrize(
    ("apart_ms", "surface"), [(0, Surface.ASSET_WIDGET), (MINUTE - 1, Surface.ASSET_WIDGET), (MINUTE, Surface.POPUP)]
)
def test_a_popup_too_soon_becomes_an_asset_widget(apart_ms: int, surface: Surface) -> None:
    """Within the rulebook's gap of another popup of the room, before or after it, there is no popup."""
    for grab_at_ms in (NOW - apart_ms, NOW + apart_ms):
        other = replace(OTHER, schedule=Schedule(grab_at_ms, grab_at_ms, grab_at_ms + 1))
        assert plan(LaunchRequest(ROOM, LaunchMode.MANUAL), STRICT, other).surface is surface


@pytest.mark.rule("KS-CLM-1")
@pytest.mark.parametrize(
    "other",
    [
        replace(OTHER, room_id=RoomId("r2")),
        replace(OTHER, state=PacketState.VOIDED),
        replace(OTHER, surface=Surface.ASSET_WIDGET),
    ],
    ids=["another room", "voided", "no popup itself"],
)
def test_only_popups_of_the_room_count(other: Packet) -> None:
    """What did not pop up in this room leaves the popup alone."""
    assert plan(LaunchRequest(ROOM, LaunchMode.MANUAL), STRICT, other).surface is Surface.POPUP


def test_lab_always_pops_up() -> None:
    """Without a gap in the rulebook two packets may open at the same instant."""
    assert plan(LaunchRequest(ROOM, LaunchMode.MANUAL), LAB, OTHER).surface is Surface.POPUP
