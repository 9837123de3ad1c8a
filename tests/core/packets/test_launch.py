"""A launch's times, modes and surface: each rule on its edge, one unit inside and one outside."""

from dataclasses import replace

import pytest

from server.core.ids import PLATFORM, CreatorId, RoomId
from server.core.packets.launch import Launch, LaunchRequest, check_host, entrances_of
from server.core.packets.packet import PacketState, Schedule, Surface
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import ImmediateWarmup, LaunchMode, Rulebook
from tests.core.launching import (
    DAY,
    DRAFT,
    MANUAL,
    MINUTE,
    NOW,
    ROOM,
    SECOND,
    exact,
    launched,
    plan,
    refusal,
    relative,
    scheduled,
)


def test_a_packet_goes_into_a_room_of_its_creator() -> None:
    """Anybody else's room is refused."""
    check_host(DRAFT, DRAFT.creator_id)
    with pytest.raises(Refused) as refused:
        check_host(DRAFT, CreatorId("wang"))
    assert (refused.value.code, refused.value.field) == ("other_creator", "room_id")


@pytest.mark.rule("DY-USE-3")
def test_a_packet_says_from_where_its_goods_must_have_come() -> None:
    """The entrances of its platform, always in the same order; the platform's own packet has none."""
    assert entrances_of(DRAFT, DOUYIN) == ("live_room", "short_video", "showcase")
    assert entrances_of(DRAFT, KUAISHOU) == ("live_room", "short_video", "shop")
    assert entrances_of(replace(DRAFT, creator_id=PLATFORM), DOUYIN) is None


@pytest.mark.rule("DY-LAU-1")
@pytest.mark.rule("DY-LAU-2")
@pytest.mark.parametrize("state", [PacketState.LAUNCHED, PacketState.SETTLED, PacketState.VOIDED])
@pytest.mark.parametrize("rulebook", [DOUYIN, KUAISHOU, LAB], ids=lambda rulebook: rulebook.platform)
def test_only_a_draft_can_be_launched(state: PacketState, rulebook: Rulebook) -> None:
    """Not a second time, so that its time cannot be changed, and not after a void, whatever else is asked."""
    for request in (relative(5 * MINUTE), MANUAL, relative(-1)):
        code = refusal(request, rulebook=rulebook, packet=replace(DRAFT, state=state))
        assert code == ("not_draft", "", rulebook.rule("DY-LAU-1"))


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


@pytest.mark.rule("DY-LAU-3")
def test_a_relative_launch_need_not_open_on_a_whole_second() -> None:
    """So many minutes from now is whatever instant that is; only an exact time is to the second."""
    assert plan(relative(2 * MINUTE), now_ms=NOW + 1).schedule.grab_at_ms == NOW + 2 * MINUTE + 1


@pytest.mark.rule("DY-LAU-4")
def test_an_exact_launch_opens_within_seven_days() -> None:
    """The seventh day's last second is allowed, the next one is not."""
    week = 7 * DAY
    assert plan(exact(week, week)).schedule.grab_at_ms == NOW + week
    assert refusal(exact(week, week + SECOND)) == ("out_of_range", "grab_at_ms", "DY-LAU-4")


@pytest.mark.rule("DY-LAU-4")
@pytest.mark.parametrize("beside_ms", [1, 500, 999])
def test_an_exact_launch_opens_on_a_whole_second(beside_ms: int) -> None:
    """A millisecond beside it is refused by a code of its own."""
    grab_at_ms = 20 * MINUTE
    assert plan(exact(10 * MINUTE + 1, grab_at_ms)).schedule.grab_at_ms == NOW + grab_at_ms
    assert refusal(exact(10 * MINUTE, grab_at_ms + beside_ms)) == ("grab_not_whole_second", "grab_at_ms", "DY-LAU-4")


@pytest.mark.rule("DY-LAU-5")
def test_an_exact_launch_opens_later_than_two_minutes() -> None:
    """Strictly later (AMB-6): two minutes sharp is refused, the next second is allowed."""
    assert refusal(exact(0, 2 * MINUTE)) == ("out_of_range", "grab_at_ms", "DY-LAU-5")
    assert plan(exact(0, 2 * MINUTE + SECOND)).schedule.grab_at_ms == NOW + 2 * MINUTE + SECOND
    assert plan(exact(0, 2 * MINUTE), now_ms=NOW - 1).schedule.grab_at_ms == NOW + 2 * MINUTE


@pytest.mark.rule("DY-LAU-5")
def test_the_lead_of_an_exact_launch_may_be_made_inclusive() -> None:
    """Strictness is a field of its own."""
    inclusive = replace(DOUYIN, exact_lead_strict=False)
    assert plan(exact(0, 2 * MINUTE), rulebook=inclusive).schedule.grab_at_ms == NOW + 2 * MINUTE
    refused = refusal(exact(0, 2 * MINUTE - SECOND), rulebook=inclusive)
    assert refused == ("out_of_range", "grab_at_ms", "DY-LAU-5")


@pytest.mark.rule("DY-LAU-6")
@pytest.mark.parametrize(
    ("chosen_ms", "warmup_ms"),
    [(0, 0), (1, 0), (5 * MINUTE, 0), (5 * MINUTE + 1, 5 * MINUTE + 1), (8 * MINUTE, 8 * MINUTE)],
)
def test_a_warm_up_within_five_minutes_begins_at_once(chosen_ms: int, warmup_ms: int) -> None:
    """Three hundred seconds are still at once; a millisecond more is as chosen (AMB-7)."""
    schedule = plan(exact(chosen_ms, 9 * MINUTE)).schedule
    assert (schedule.warmup_at_ms, schedule.grab_at_ms) == (NOW + warmup_ms, NOW + 9 * MINUTE)


@pytest.mark.rule("DY-LAU-6")
@pytest.mark.parametrize(("grab_ms", "warmup_ms"), [(5 * MINUTE, 0), (5 * MINUTE + SECOND, 4 * MINUTE)])
def test_the_other_reading_measures_the_opening(grab_ms: int, warmup_ms: int) -> None:
    """With ``grab``, a packet that opens within five minutes warms up at once (AMB-7)."""
    other = replace(DOUYIN, immediate_warmup_of=ImmediateWarmup.GRAB)
    assert plan(exact(4 * MINUTE, grab_ms), rulebook=other).schedule.warmup_at_ms == NOW + warmup_ms


@pytest.mark.rule("DY-LAU-7")
def test_a_warm_up_lies_between_now_and_the_opening() -> None:
    """Both ends are allowed, a millisecond beyond either is not."""
    grab_ms = 9 * MINUTE
    assert plan(exact(grab_ms, grab_ms)).schedule.warmup_at_ms == NOW + grab_ms
    assert plan(exact(0, grab_ms)).schedule.warmup_at_ms == NOW
    for warmup_ms in (-1, grab_ms + 1):
        assert refusal(exact(warmup_ms, grab_ms)) == ("out_of_range", "warmup_at_ms", "DY-LAU-7")


@pytest.mark.rule("DY-LAU-8")
@pytest.mark.parametrize("rulebook", [DOUYIN, KUAISHOU, LAB], ids=lambda rulebook: rulebook.platform)
def test_a_packet_opens_while_it_can_still_be_used(rulebook: Rulebook) -> None:
    """A millisecond to spend is enough, none is not."""
    request = {"douyin": exact(0, 9 * MINUTE), "kuaishou": scheduled(9 * MINUTE), "lab": relative(9 * MINUTE)}
    asked, opens_ms = request[rulebook.platform], NOW + 9 * MINUTE
    in_time, too_late = replace(DRAFT, use_end_at_ms=opens_ms + 1), replace(DRAFT, use_end_at_ms=opens_ms)
    assert plan(asked, rulebook=rulebook, packet=in_time).schedule.claim_end_at_ms == opens_ms + 1
    assert refusal(asked, rulebook=rulebook, packet=too_late) == (
        "out_of_range",
        "use_end_at_ms",
        rulebook.rule("DY-LAU-8"),
    )


@pytest.mark.rule("DY-LAU-8")
@pytest.mark.parametrize(("use_end_ms", "end_ms"), [(12, 12), (15, 15), (16, 15), (None, 15)])
def test_the_window_closes_with_the_use_validity(use_end_ms: int | None, end_ms: int) -> None:
    """The earlier of both ends the window, and a relative validity ends none (AMB-5, AMB-8)."""
    packet = replace(DRAFT, use_end_at_ms=None if use_end_ms is None else NOW + use_end_ms * MINUTE)
    assert plan(relative(5 * MINUTE), packet=packet).schedule.claim_end_at_ms == NOW + end_ms * MINUTE


@pytest.mark.rule("KS-LAU-1")
@pytest.mark.rule("KS-LAU-2")
@pytest.mark.parametrize("rulebook", [KUAISHOU, LAB], ids=lambda rulebook: rulebook.platform)
def test_a_launch_by_hand_opens_now_without_a_warm_up(rulebook: Rulebook) -> None:
    """Warm-up and opening are the same instant."""
    assert plan(MANUAL, rulebook=rulebook).schedule == Schedule(NOW, NOW, NOW + 10 * MINUTE)


@pytest.mark.rule("KS-LAU-1")
@pytest.mark.rule("KS-LAU-2")
@pytest.mark.parametrize("grab_ms", [0, 1, DAY, 366 * DAY])
def test_a_scheduled_launch_opens_then_without_a_warm_up(grab_ms: int) -> None:
    """At any millisecond from now on, however near."""
    opens_ms = NOW + grab_ms
    assert plan(scheduled(grab_ms), rulebook=KUAISHOU).schedule == Schedule(opens_ms, opens_ms, opens_ms + 10 * MINUTE)


@pytest.mark.rule("KS-LAU-2")
@pytest.mark.parametrize("grab_ms", [-1, 366 * DAY + 1])
def test_a_scheduled_launch_in_the_past_or_in_another_year_is_refused(grab_ms: int) -> None:
    """The window model forbids the past; a year is how long we let escrow wait."""
    assert refusal(scheduled(grab_ms), rulebook=KUAISHOU) == ("out_of_range", "grab_at_ms", "KS-LAU-2")


@pytest.mark.parametrize(
    ("request_", "rulebook", "rule"),
    [
        pytest.param(relative(5 * MINUTE), KUAISHOU, "KS-LAU-1", marks=pytest.mark.rule("KS-LAU-1")),
        pytest.param(exact(0, 5 * MINUTE), KUAISHOU, "KS-LAU-1", marks=pytest.mark.rule("KS-LAU-1")),
        pytest.param(MANUAL, DOUYIN, "DY-LAU-3", marks=pytest.mark.rule("DY-LAU-3")),
        pytest.param(scheduled(5 * MINUTE), DOUYIN, "DY-LAU-3", marks=pytest.mark.rule("DY-LAU-3")),
    ],
)
def test_a_platform_has_its_own_modes_only(request_: LaunchRequest, rulebook: Rulebook, rule: str) -> None:
    """A mode of the other platform is refused, with the rule that names the modes."""
    assert refusal(request_, rulebook=rulebook) == ("mode_not_offered", "mode", rule)


def test_lab_opens_at_once_if_asked() -> None:
    """A load test need not wait, yet cannot open in the past."""
    assert plan(relative(0), rulebook=LAB).schedule == Schedule(NOW, NOW, NOW + 10 * MINUTE)
    assert refusal(relative(-1), rulebook=LAB) == ("out_of_range", "delay_ms", "DY-LAU-3")
    assert plan(exact(1, 1), rulebook=LAB).schedule == Schedule(NOW + 1, NOW + 1, NOW + 1 + 10 * MINUTE)
    assert refusal(exact(0, 0), rulebook=LAB) == ("out_of_range", "grab_at_ms", "DY-LAU-5")


@pytest.mark.rule("ALL-CRE-1")
@pytest.mark.parametrize("window_ms", [1, 7 * DAY])
def test_the_creator_may_choose_the_window(window_ms: int) -> None:
    """A window of the creator's own takes the place of the rulebook's."""
    assert plan(relative(2 * MINUTE, window_ms)).schedule.claim_end_at_ms == NOW + 2 * MINUTE + window_ms


@pytest.mark.rule("ALL-CRE-1")
@pytest.mark.parametrize("window_ms", [0, -1, 7 * DAY + 1])
def test_a_window_that_is_none_is_refused(window_ms: int) -> None:
    """An empty window, and one without end, are refused."""
    assert refusal(relative(2 * MINUTE, window_ms)) == ("out_of_range", "claim_window_ms", "ALL-CRE-1")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (LaunchRequest(ROOM, LaunchMode.RELATIVE), "delay_ms"),
        (LaunchRequest(ROOM, LaunchMode.EXACT, grab_at_ms=NOW + 1), "warmup_at_ms"),
        (LaunchRequest(ROOM, LaunchMode.EXACT, warmup_at_ms=NOW), "grab_at_ms"),
        (LaunchRequest(ROOM, LaunchMode.SCHEDULED), "grab_at_ms"),
    ],
)
def test_a_missing_field_is_named(request_: LaunchRequest, field: str) -> None:
    """A mode without its field is refused, not guessed."""
    assert refusal(request_, rulebook=LAB) == ("missing_field", field, "")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (replace(relative(2 * MINUTE), grab_at_ms=NOW + 1), "grab_at_ms"),
        (replace(exact(0, 1), delay_ms=0), "delay_ms"),
        (replace(MANUAL, warmup_at_ms=NOW), "warmup_at_ms"),
        (replace(scheduled(1), warmup_at_ms=NOW), "warmup_at_ms"),
    ],
)
def test_a_field_of_another_mode_is_named(request_: LaunchRequest, field: str) -> None:
    """A field that the mode does not use is refused by its name, instead of being ignored."""
    assert refusal(request_, rulebook=LAB) == ("unexpected_field", field, "")


@pytest.mark.rule("KS-CLM-1")
@pytest.mark.parametrize(
    ("apart_ms", "surface"), [(0, Surface.ASSET_WIDGET), (MINUTE - 1, Surface.ASSET_WIDGET), (MINUTE, Surface.POPUP)]
)
def test_a_popup_too_soon_becomes_an_asset_widget(apart_ms: int, surface: Surface) -> None:
    """Within the rulebook's gap of another popup of the room, before or after it, there is no popup."""
    for start_ms in (-apart_ms, apart_ms):
        other = launched(start_ms, start_ms + 1)
        assert plan(MANUAL, other, rulebook=KUAISHOU).surface is surface


@pytest.mark.rule("KS-CLM-1")
@pytest.mark.parametrize(
    "change",
    [{"room_id": RoomId("r2")}, {"state": PacketState.VOIDED}, {"surface": Surface.ASSET_WIDGET}],
    ids=["another room", "voided", "no popup itself"],
)
def test_only_popups_of_the_room_count(change: dict[str, object]) -> None:
    """A packet without a popup in this room does not suppress one."""
    assert plan(MANUAL, launched(0, 1, **change), rulebook=KUAISHOU).surface is Surface.POPUP


def test_others_always_pop_up() -> None:
    """Without a gap in the rulebook two packets may open at the same instant."""
    assert plan(MANUAL, launched(0, 1), rulebook=LAB).surface is Surface.POPUP
    assert plan(relative(5 * MINUTE), launched(5 * MINUTE, 9 * MINUTE)).surface is Surface.POPUP
