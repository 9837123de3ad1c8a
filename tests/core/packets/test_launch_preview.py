"""A preview says what the launch would: the same refusal, and what is in its way."""

from dataclasses import replace

import pytest

from server.core.packets.launch import LaunchRequest
from server.core.packets.launch_preview import LaunchPreview, preview_of
from server.core.packets.packet import Packet
from server.core.rulebooks.platforms import DOUYIN
from server.core.rulebooks.rulebook import LaunchMode, Rulebook
from tests.core.launching import DAY, DRAFT, MINUTE, NOW, ROOM, SECOND, exact, launched, plan, relative

AT_2030 = 150 * MINUTE  # NOW is 18:00 on a day of the promotion; its second slot is 20:30 to 21:00
SLOT_END = NOW + 180 * MINUTE


def seen(
    request: LaunchRequest, *others: Packet, packet: Packet = DRAFT, rulebook: Rulebook = DOUYIN, now_ms: int = NOW
) -> LaunchPreview:
    return preview_of(request, packet=packet, rulebook=rulebook, now_ms=now_ms, others=others)


def _allowed(nearest: LaunchRequest | None, *others: Packet, now_ms: int = NOW) -> tuple[int, int]:
    """Return warm-up and opening of the nearest start, which the launch itself grants."""
    assert nearest is not None
    schedule = plan(nearest, *others, now_ms=now_ms).schedule
    return schedule.warmup_at_ms, schedule.grab_at_ms


def test_a_granted_launch_is_shown_as_it_will_be() -> None:
    """The plan itself, and the packets that it overlaps with."""
    request = exact(20 * MINUTE, 25 * MINUTE)
    other = launched(15 * MINUTE, 22 * MINUTE)
    found = seen(request, other)
    assert found == LaunchPreview(launch=plan(request, other), schedule=plan(request).schedule, overlaps=(other,))


@pytest.mark.rule("DY-LAU-3")
def test_times_that_are_refused_have_no_schedule() -> None:
    """Nothing lies in the way of a launch that has no time."""
    found = seen(relative(MINUTE))
    assert found.refused is not None
    assert (found.refused.rule, found.schedule, found.nearest) == ("DY-LAU-3", None, None)


@pytest.mark.rule("DY-BLK-1")
def test_a_warm_up_in_a_slot_is_offered_its_end() -> None:
    """As long a warm-up, at the slot's end; the fraction of a second that no opening may have is rounded up."""
    found = seen(exact(AT_2030 + 11 * MINUTE, AT_2030 + 16 * MINUTE))
    assert found.refused is not None
    assert found.refused.rule == "DY-BLK-1"
    assert found.blackout is not None
    assert (found.blackout.start_ms, found.blackout.end_ms) == (NOW + AT_2030, SLOT_END)
    assert _allowed(found.nearest) == (SLOT_END, SLOT_END + 5 * MINUTE)
    odd = seen(exact(AT_2030 + 1, AT_2030 + 5 * MINUTE))
    assert _allowed(odd.nearest) == (SLOT_END + 1, SLOT_END + 5 * MINUTE)


@pytest.mark.rule("DY-LAU-9")
def test_packets_in_the_way_of_the_next_start_are_passed_by() -> None:
    """After the slot two packets are on screen: the start is when the first of them leaves it."""
    others = [launched(181 * MINUTE, 200 * MINUTE), launched(182 * MINUTE, 190 * MINUTE)]
    found = seen(exact(AT_2030, AT_2030 + MINUTE), *others)
    assert _allowed(found.nearest, *others)[0] == NOW + 190 * MINUTE


@pytest.mark.rule("DY-LAU-6")
def test_a_start_that_would_begin_at_once_is_passed_by() -> None:
    """At 20:57 a warm-up at 21:00 begins at once, in the slot: the next is more than five minutes from now."""
    now_ms = NOW + 177 * MINUTE
    found = seen(relative(4 * MINUTE), now_ms=now_ms)
    assert found.refused is not None
    assert found.refused.rule == "DY-BLK-1"
    warmup_at_ms, grab_at_ms = _allowed(found.nearest, now_ms=now_ms)
    assert now_ms + 5 * MINUTE < warmup_at_ms <= now_ms + 5 * MINUTE + SECOND
    assert grab_at_ms - warmup_at_ms == 4 * MINUTE


def test_where_nothing_is_free_nothing_is_offered() -> None:
    """The packet can be used until the slot ends; and a platform that is never free has no next start."""
    short = replace(DRAFT, use_end_at_ms=SLOT_END)
    assert seen(exact(AT_2030, AT_2030 + MINUTE), packet=short).nearest is None
    always = [launched(0, 8 * DAY // MINUTE * MINUTE), launched(0, 8 * DAY // MINUTE * MINUTE)]
    assert seen(exact(AT_2030, AT_2030 + MINUTE), *always).nearest is None


def test_a_platform_without_exact_launches_is_offered_a_scheduled_one() -> None:
    """Its warm-up and opening are one instant."""
    rulebook = replace(DOUYIN, launch_modes=frozenset({LaunchMode.SCHEDULED}))
    found = seen(LaunchRequest(ROOM, LaunchMode.SCHEDULED, grab_at_ms=NOW + AT_2030), rulebook=rulebook)
    assert found.nearest is not None
    assert (found.nearest.mode, found.nearest.grab_at_ms) == (LaunchMode.SCHEDULED, SLOT_END)
