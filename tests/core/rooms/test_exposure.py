"""Exposure and watch time of packets, counted by two sums and a few feed entries."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.ids import PacketId, RoomId
from server.core.rooms.exposure import Exposure, Taken
from server.core.rooms.feed import FactKind, FeedEntry

P1, P2 = PacketId("c1.p1"), PacketId("c1.p2")


def an_entry(kind: str, seq: int, at_ms: int, packet_id: PacketId = P1, *, surface: str = "popup") -> FeedEntry:
    body: dict[str, Any] = {"packet": {"surface": surface}} if kind == "warmup" else {}
    return FeedEntry(RoomId("r1"), f"{seq}-0", FactKind(kind), packet_id, seq, at_ms, body)


@pytest.mark.rule("KS-MON-1")
def test_a_packet_is_exposed_to_who_is_there_and_to_who_comes() -> None:
    """Three receive the warm-up, one joins while it is on air; after it closed nobody more is exposed."""
    exposure = Exposure()
    exposure.delivered(an_entry("warmup", 1, 0), 3, 0)
    exposure.came(3, 10, received=None)
    exposure.delivered(an_entry("open", 2, 20), 4, 20)
    exposure.delivered(an_entry("closed", 3, 30), 4, 30)
    exposure.came(4, 40, received=None)
    exposure.delivered(an_entry("open", 4, 50), 5, 50)
    counts = exposure.take(5, 60).counts[P1]
    assert (counts["exposed"], counts["popup_shown"], "popup_suppressed" in counts) == (4, 4, False)


def test_who_comes_back_is_exposed_once() -> None:
    """One that has received the warm-up is not exposed again; one that was away when it was published is."""
    exposure = Exposure()
    exposure.delivered(an_entry("warmup", 7, 0), 1, 0)
    for received in (7, 6, 8):
        exposure.came(1, 1, received=received)
    assert exposure.take(1, 1).counts[P1]["exposed"] == 2


def test_an_asset_widget_is_a_popup_suppressed() -> None:
    """An asset widget is counted as a suppressed popup."""
    exposure = Exposure()
    exposure.delivered(an_entry("warmup", 1, 0, surface="asset_widget"), 2, 0)
    exposure.delivered(an_entry("open", 2, 5), 2, 5)
    assert exposure.take(2, 5).counts == {P1: {"exposed": 2, "popup_suppressed": 2, "watched_ms": 10}}


def test_watching_is_what_all_watched_while_it_was_on_air() -> None:
    """Two watch 100 ms before it, three 50 ms and two 30 ms while it is on air; one left before, one meanwhile."""
    exposure = Exposure()
    exposure.came(2, 0, received=None)
    exposure.left(2, 100)
    exposure.came(1, 100, received=None)
    exposure.came(2, 100, received=None)
    exposure.delivered(an_entry("warmup", 1, 100), 3, 100)
    exposure.left(3, 150)
    exposure.delivered(an_entry("closed", 2, 180), 2, 180)
    exposure.left(2, 999)
    counts = exposure.take(1, 1_000).counts[P1]
    assert counts == {"exposed": 3, "watched_ms": 210, "left": 1, "watched_before_ms": 200, "left_before": 1}


def test_who_is_sent_away_has_not_left() -> None:
    """Viewers removed by a stopping server do not count as left; their watch time counts."""
    exposure = Exposure()
    exposure.delivered(an_entry("warmup", 1, 0), 2, 0)
    exposure.left(2, 10, by_server=True)
    assert exposure.take(1, 15).counts[P1] == {"exposed": 2, "watched_ms": 25}


def test_packets_that_overlap_have_the_same_time_before_them() -> None:
    """The stretch without any packet ended when the first of them came."""
    exposure = Exposure()
    exposure.delivered(an_entry("changed", 0, 0), 4, 0)
    exposure.delivered(an_entry("warmup", 1, 10), 4, 10)
    exposure.delivered(an_entry("warmup", 2, 15, P2), 4, 15)
    counts = exposure.take(4, 20).counts
    assert [counts[packet_id]["watched_before_ms"] for packet_id in (P1, P2)] == [40, 40]
    assert [counts[packet_id]["watched_ms"] for packet_id in (P1, P2)] == [40, 20]


def test_the_time_before_a_packet_begins_when_the_last_one_went() -> None:
    """Time watched with the first packet is not counted as time without one."""
    exposure = Exposure()
    exposure.delivered(an_entry("warmup", 1, 0), 1, 0)
    exposure.delivered(an_entry("voided", 2, 70), 1, 70)
    exposure.delivered(an_entry("warmup", 3, 75, P2), 1, 75)
    assert exposure.take(1, 75).counts[P2] == {"exposed": 1, "watched_before_ms": 5}


def test_the_first_sell_out_counts_from_the_opening() -> None:
    """A packet that is reopened and sold out again has taken as long as the first time."""
    exposure = Exposure()
    for kind, seq, at_ms in (("warmup", 1, 0), ("open", 2, 100), ("sold_out", 3, 350), ("sold_out", 4, 900)):
        exposure.delivered(an_entry(kind, seq, at_ms), 1, at_ms)
    assert exposure.take(1, 900).sold_out_after_ms == {P1: 250}


def test_what_was_told_before_our_time_is_known_and_not_counted() -> None:
    """A process that starts while a packet is on air counts who comes, and knows since when it is open."""
    exposure = Exposure()
    exposure.recall(an_entry("warmup", 1, 0), 500)
    exposure.recall(an_entry("open", 2, 100), 500)
    assert exposure.take(0, 500) == Taken({}, {})
    exposure.came(0, 500, received=2)
    exposure.came(1, 500, received=None)
    exposure.delivered(an_entry("sold_out", 3, 600), 2, 600)
    assert exposure.take(2, 600) == Taken({P1: {"exposed": 1, "watched_ms": 200}}, {P1: 500})


def test_a_clock_set_back_takes_nothing_away() -> None:
    """A clock that goes back adds nothing."""
    exposure = Exposure()
    exposure.delivered(an_entry("warmup", 1, 0), 1, 100)
    assert exposure.take(1, 40).counts[P1] == {"exposed": 1}
    assert exposure.take(1, 50).counts[P1] == {"watched_ms": 10}


STEPS = st.lists(st.tuples(st.sampled_from(["came", "left", "take"]), st.integers(0, 1_000)), max_size=40)


@given(STEPS, STEPS)
def test_however_often_it_is_taken_the_sums_are_the_same(before: list[tuple[str, int]], on_air: list[Any]) -> None:
    """Sums taken in any number of parts equal those of a log of every viewer's every millisecond."""
    exposure, viewers, now_ms = Exposure(), 0, 0
    total = dict.fromkeys(("exposed", "watched_ms", "left", "watched_before_ms", "left_before"), 0)
    book = dict(total)

    def took() -> None:
        for name, number in exposure.take(viewers, now_ms).counts.get(P1, {}).items():
            total[name] += number

    for watched, gone, steps in (("watched_before_ms", "left_before", before), ("watched_ms", "left", on_air)):
        if steps is on_air:
            exposure.delivered(an_entry("warmup", 1, now_ms), viewers, now_ms)
            book["exposed"] = viewers
        for step, pause_ms in steps:
            now_ms += pause_ms
            book[watched] += viewers * pause_ms
            if step == "came":
                exposure.came(viewers, now_ms, received=None)
                viewers, book["exposed"] = viewers + 1, book["exposed"] + (steps is on_air)
            elif step == "left" and viewers:
                exposure.left(viewers, now_ms)
                viewers, book[gone] = viewers - 1, book[gone] + 1
            elif step == "take":
                took()
    took()
    assert total == book
