"""Conflicts of a launch with the creator's other packets and the platform's own."""

from dataclasses import replace
from datetime import datetime

import pytest

from server.core.ids import PLATFORM, CreatorId, PacketId, RoomId
from server.core.packets.blackout import PROMOTION_818, BlackoutMode, Enforcement
from server.core.packets.launch import LaunchRequest, check_host
from server.core.packets.packet import PacketState, Surface
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import LaunchMode, Rulebook
from tests.core.launching import (
    DAY,
    DRAFT,
    MANUAL,
    MINUTE,
    NOW,
    SECOND,
    exact,
    launched,
    plan,
    refusal,
    relative,
    scheduled,
)


@pytest.mark.rule("DY-LAU-9")
def test_two_packets_at_the_same_time_are_allowed_with_a_warning() -> None:
    """The creator is warned of overlapping packets; without any there is no warning."""
    [warning] = plan(relative(5 * MINUTE), launched(0, MINUTE)).warnings
    assert "rain (lin.p0)" in warning
    assert plan(relative(5 * MINUTE)).warnings == ()


@pytest.mark.rule("DY-LAU-9")
def test_three_packets_at_the_same_time_are_refused() -> None:
    """A millisecond of three is one too many."""
    early, late = launched(-MINUTE, 3 * MINUTE), launched(3 * MINUTE - 1, 30 * MINUTE)
    assert refusal(relative(5 * MINUTE), early, late) == ("too_many_at_once", "", "DY-LAU-9")


@pytest.mark.rule("DY-LAU-9")
def test_what_counts_is_how_many_are_on_at_once() -> None:
    """A packet may overlap two others that do not meet each other (AMB-9)."""
    early, late = launched(-MINUTE, 3 * MINUTE), launched(3 * MINUTE, 30 * MINUTE)
    assert len(plan(relative(5 * MINUTE), early, late).warnings) == 2


@pytest.mark.rule("DY-LAU-9")
@pytest.mark.parametrize(("start_ms", "end_ms", "meets"), [(-9, 0, 0), (-9, 1, 1), (15 * MINUTE, 16 * MINUTE, 0)])
def test_touching_ends_do_not_overlap(start_ms: int, end_ms: int, meets: int) -> None:
    """A packet is on from its warm-up until before its claim window closes."""
    two = [launched(start_ms, end_ms)] * 2
    if meets:
        assert refusal(relative(5 * MINUTE), *two) == ("too_many_at_once", "", "DY-LAU-9")
    else:
        assert plan(relative(5 * MINUTE), *two).warnings == ()


@pytest.mark.rule("DY-LAU-9")
@pytest.mark.parametrize(
    "change",
    [{"state": PacketState.VOIDED}, {"platform": "platform"}, {"platform": "kuaishou"}],
    ids=["voided", "the platform's own", "another platform's"],
)
def test_only_packets_that_are_on_count(change: dict[str, object]) -> None:
    """Voided packets and those that are not this platform's creator packets take nobody's place (AMB-9)."""
    two = [launched(0, 9 * MINUTE, **change)] * 2
    assert plan(relative(5 * MINUTE), *two).warnings == ()


@pytest.mark.rule("DY-LAU-9")
@pytest.mark.parametrize(
    "change",
    [{"room_id": RoomId("r2")}, {"state": PacketState.SETTLED}],
    ids=["in another room", "sold out and settled early"],
)
def test_a_packet_counts_wherever_it_is_and_though_it_is_sold_out(change: dict[str, object]) -> None:
    """The limit is the creator's, and a sell-out does not shorten the time (AMB-8)."""
    two = [launched(0, 9 * MINUTE, **change)] * 2
    assert refusal(relative(5 * MINUTE), *two) == ("too_many_at_once", "", "DY-LAU-9")


@pytest.mark.rule("DY-LAU-9")
@pytest.mark.parametrize("rulebook", [KUAISHOU, LAB], ids=lambda rulebook: rulebook.platform)
def test_the_others_know_no_overlap(rulebook: Rulebook) -> None:
    """Kuaishou states no such limit (KS-LAU-2)."""
    many = [launched(0, 9 * MINUTE, platform=rulebook.platform)] * 9
    assert plan(MANUAL, *many, rulebook=rulebook).warnings == ()


BLACKOUT_VECTORS = [
    ("08-01T19:29:59", False),
    ("08-01T19:30:00", True),
    ("08-01T19:59:59", True),
    ("08-01T20:00:00", False),
    ("08-18T22:45:00", True),
    ("08-19T20:45:00", False),
    ("07-31T19:45:00", False),
]


@pytest.mark.rule("DY-BLK-1")
@pytest.mark.parametrize("mode", [LaunchMode.RELATIVE, LaunchMode.EXACT])
@pytest.mark.parametrize(("text", "refused"), BLACKOUT_VECTORS)
def test_a_warm_up_avoids_the_blackouts(mode: LaunchMode, text: str, *, refused: bool) -> None:
    """The vectors of section 6: a relative launch is tested now, an exact one at its warm-up, whenever it is asked."""
    at_ms = int(datetime.fromisoformat(f"2023-{text}+08:00").timestamp()) * 1000
    now_ms = at_ms if mode is LaunchMode.RELATIVE else at_ms - DAY
    request = exact(at_ms - NOW, at_ms - NOW + 9 * MINUTE) if mode is LaunchMode.EXACT else relative(5 * MINUTE)
    if refused:
        assert refusal(request, now_ms=now_ms) == ("blackout", "warmup_at_ms", "DY-BLK-1")
    else:
        assert plan(request, now_ms=now_ms).schedule.warmup_at_ms == at_ms


@pytest.mark.rule("DY-BLK-1")
def test_a_warm_up_that_begins_at_once_is_tested_now() -> None:
    """19:30 is asked for at 19:26; as the warm-up begins at once, it is clear of the slot (AMB-10, DY-LAU-6)."""
    half_past = 90 * MINUTE
    assert plan(exact(half_past, half_past + 9 * MINUTE), now_ms=NOW + half_past - 4 * MINUTE)
    refused = refusal(exact(half_past, half_past + 9 * MINUTE), now_ms=NOW + half_past - 6 * MINUTE)
    assert refused == ("blackout", "warmup_at_ms", "DY-BLK-1")


@pytest.mark.rule("DY-BLK-1")
@pytest.mark.parametrize(("grab_ms", "refused"), [(90 * MINUTE, False), (90 * MINUTE + SECOND, True)])
def test_mode_overlap_tests_the_whole_warm_up(grab_ms: int, *, refused: bool) -> None:
    """Warm-ups that end as the slot begins are clear of it (AMB-10)."""
    rulebook = replace(DOUYIN, blackout_mode=BlackoutMode.OVERLAP)
    asked = exact(80 * MINUTE, grab_ms)
    assert plan(asked).warnings == ()
    if refused:
        assert refusal(asked, rulebook=rulebook) == ("blackout", "warmup_at_ms", "DY-BLK-1")
    else:
        assert plan(asked, rulebook=rulebook).warnings == ()


@pytest.mark.rule("DY-BLK-1")
def test_a_blackout_may_only_warn() -> None:
    """The source asks rather than forbids; who reads it so warns (AMB-10)."""
    [warning] = plan(
        exact(95 * MINUTE, 99 * MINUTE), rulebook=replace(DOUYIN, blackout_enforcement=Enforcement.WARN)
    ).warnings
    assert "2023-08-05 19:30 to 20:00" in warning


@pytest.mark.rule("DY-BLK-2")
def test_the_calendar_is_the_rulebooks() -> None:
    """Any platform with these data keeps these slots; without them it keeps none."""
    assert plan(scheduled(95 * MINUTE), rulebook=KUAISHOU).warnings == ()
    with_calendar = replace(KUAISHOU, blackouts=PROMOTION_818)
    assert refusal(scheduled(95 * MINUTE), rulebook=with_calendar) == ("blackout", "warmup_at_ms", "KS-LAU-2")


OWN = replace(DRAFT, creator_id=PLATFORM, packet_id=PacketId("platform.p1"))


@pytest.mark.rule("DY-BLK-1")
@pytest.mark.rule("DY-LAU-9")
@pytest.mark.parametrize("request_", [relative(5 * MINUTE), exact(6 * MINUTE, 9 * MINUTE), MANUAL, relative(0)])
def test_creators_limits_do_not_bind_the_platform(request_: LaunchRequest) -> None:
    """No blackout, no two at once, no lead: the slots are there for its packets (AMB-45)."""
    at_ms = int(datetime.fromisoformat("2023-08-13T19:31:00+08:00").timestamp()) * 1000
    later = replace(
        request_, **{n: at_ms - NOW + ms for n in ("warmup_at_ms", "grab_at_ms") if (ms := getattr(request_, n))}
    )
    many = [launched(at_ms - NOW, at_ms - NOW + DAY, creator_id=PLATFORM)] * 3
    planned = plan(later, *many, packet=OWN, now_ms=at_ms)
    assert planned.warnings == ()
    assert planned.schedule.warmup_at_ms in (at_ms, at_ms + 6 * MINUTE)


@pytest.mark.rule("DY-LAU-7")
@pytest.mark.rule("DY-LAU-8")
def test_times_bind_the_platform_too() -> None:
    """Nothing opens in the past, before its warm-up, or when it can no longer be used."""
    assert refusal(exact(-1, 9 * MINUTE), packet=OWN) == ("out_of_range", "warmup_at_ms", "DY-LAU-7")
    late = replace(OWN, use_end_at_ms=NOW + MINUTE)
    assert refusal(relative(MINUTE), packet=late) == ("out_of_range", "use_end_at_ms", "DY-LAU-8")


@pytest.mark.rule("DY-LAU-9")
def test_a_platform_packet_takes_none_of_a_creators_two() -> None:
    """In the creator's own room as elsewhere (AMB-45)."""
    theirs = [launched(0, 9 * MINUTE, creator_id=PLATFORM)] * 2
    assert plan(relative(5 * MINUTE), *theirs).warnings == ()
    assert len(plan(relative(5 * MINUTE), *theirs, launched(0, 9 * MINUTE)).warnings) == 1


@pytest.mark.rule("KS-CLM-1")
def test_a_platform_packet_keeps_the_rooms_popup_gap() -> None:
    """Towards the creator's popups, and they towards it; another room's do not count (AMB-45)."""
    by_creator, by_platform = launched(0, 9 * MINUTE), launched(0, 9 * MINUTE, creator_id=PLATFORM)
    for packet, other in ((OWN, by_creator), (DRAFT, by_platform)):
        assert plan(MANUAL, other, packet=packet, rulebook=KUAISHOU).surface is Surface.ASSET_WIDGET
        elsewhere = replace(other, room_id=RoomId("r2"))
        assert plan(MANUAL, elsewhere, packet=packet, rulebook=KUAISHOU).surface is Surface.POPUP


def test_the_platform_is_at_home_in_every_room_of_its_platform() -> None:
    """A creator's packet only in its own rooms; a room without a platform is nobody's yet (AMB-45)."""
    check_host(DRAFT, DRAFT.creator_id)
    check_host(OWN, PLATFORM)
    check_host(OWN, DRAFT.creator_id, "douyin")
    cases = [
        (DRAFT, CreatorId("wang"), "douyin", "other_creator"),
        (DRAFT, PLATFORM, None, "other_creator"),
        (OWN, DRAFT.creator_id, "kuaishou", "other_platform"),
        (OWN, DRAFT.creator_id, None, "other_platform"),
    ]
    for packet, host_id, platform, code in cases:
        with pytest.raises(Refused) as refused:
            check_host(packet, host_id, platform)
        assert (refused.value.code, refused.value.field) == (code, "room_id")
