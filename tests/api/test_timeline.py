"""The timeline of an evening over HTTP."""

import pytest

from tests.api.caller import Caller

DAY_MS = 86_400_000
EVENING_MS = 1_691_229_600_000  # 18:00 in Shanghai on 5 August 2023, a day of the promotion
HOUR_MS = 3_600_000


@pytest.mark.rule("DY-BLK-1")
def test_the_slots_of_an_evening_are_shown(api: Caller) -> None:
    """The platform's slots that begin or go on between the two instants, in order."""
    creator_id = api.creator(1_000, "douyin")
    path = f"/api/creators/{creator_id}/timeline?from_ms={EVENING_MS + 105 * 60_000}&to_ms={EVENING_MS + 3 * HOUR_MS}"
    shown = api.get(path)
    assert (shown["packets"], shown["overlap_max"]) == ([], 2)
    slots = [(slot["from_ms"] - EVENING_MS, slot["to_ms"] - EVENING_MS) for slot in shown["slots"]]
    assert slots == [(1.5 * HOUR_MS, 2 * HOUR_MS), (2.5 * HOUR_MS, 3 * HOUR_MS)]


def test_packets_are_shown_while_they_are_on_screen(api: Caller) -> None:
    """A launched packet from its warm-up to its end; a draft and a voided one are on no screen."""
    creator_id, room_id, packet_id = api.on_air(HOUR_MS)
    api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 2_000})
    api.packet(creator_id)
    voided = api.packet(creator_id)
    api.post(f"/api/packets/{voided}/launch", {"room_id": room_id, "mode": "manual"})
    api.post(f"/api/packets/{voided}/void")
    packet = api.get(f"/api/packets/{packet_id}")
    warmup, end = packet["warmup_at_ms"], packet["claim_end_at_ms"]

    def on(from_ms: int, to_ms: int) -> list[str]:
        shown = api.get(f"/api/creators/{creator_id}/timeline?from_ms={from_ms}&to_ms={to_ms}")
        return [each["packet_id"] for each in shown["packets"]]

    assert on(warmup, end) == on(end - 1, end + 1) == on(warmup - 1, warmup + 1) == [packet_id]
    assert on(end, end + 1) == on(warmup - 1, warmup) == []


def test_a_timeline_is_of_an_evening_and_not_of_a_year(api: Caller) -> None:
    """Eight days at most, and forward."""
    creator_id = api.creator(1_000)
    assert api.get(f"/api/creators/{creator_id}/timeline?from_ms=0&to_ms={8 * DAY_MS}")["slots"] == []
    for query in (f"from_ms=0&to_ms={8 * DAY_MS + 1}", "from_ms=1&to_ms=1", "from_ms=0"):
        assert api.not_shown(f"/api/creators/{creator_id}/timeline?{query}")[:2] == (422, "bad_field")
