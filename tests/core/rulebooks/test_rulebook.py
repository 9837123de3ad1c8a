"""Rulebooks: until when a packet can be voided."""

import pytest

from server.core.packets.packet import Schedule
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU
from server.core.rulebooks.rulebook import Rulebook

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
SCHEDULE = Schedule(10 * MINUTE, 15 * MINUTE, 25 * MINUTE)


@pytest.mark.rule("ALL-REV-1")
@pytest.mark.rule("DY-VOI-2")
@pytest.mark.parametrize("rulebook", [DOUYIN, KUAISHOU], ids=lambda rulebook: rulebook.platform)
def test_a_void_must_come_two_minutes_before_the_warm_up(rulebook: Rulebook) -> None:
    """Kuaishou states no void; what holds for its reversal holds for its limit too (ALL-REV-1)."""
    assert rulebook.voidable_until_ms(SCHEDULE) == 8 * MINUTE


@pytest.mark.rule("DY-VOI-2")
def test_what_warms_up_at_once_was_never_voidable() -> None:
    """A warm-up that begins with the launch lies within the two minutes (AMB-11)."""
    now_ms = 10 * MINUTE
    assert DOUYIN.voidable_until_ms(Schedule(now_ms, now_ms + 1, now_ms + 2)) < now_ms
