"""Conflicts of a launch with the creator's other packets and the platform's own."""

from dataclasses import replace
from datetime import datetime

import pytest

from server.core.ids import RoomId
from server.core.packets.blackout import PROMOTION_818, BlackoutMode, Enforcement
from server.core.packets.packet import PacketState
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import LaunchMode, Rulebook
from tests.core.launching import DAY, MANUAL, MINUTE, NOW, SECOND, exact, launched, plan, refusal, relative, scheduled


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
    assert refusal(scheduled(95 * MINUTE), rulebook=with_calendar) == ("blackout", "warmup_at_ms", "DY-BLK-1")
