"""Exposure and watch time of packets, counted by two sums and a few feed entries."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.ids import PacketId, RoomId
from server.core.rooms import exposure as module
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
    exposure.delivered(an_entry("warmup", 1, 0), "abc", 0)
    exposure.came("d", 3, 10)
    exposure.delivered(an_entry("open", 2, 20), "abcd", 20)
    exposure.delivered(an_entry("closed", 3, 30), "abcd", 30)
    exposure.came("e", 4, 40)
    exposure.delivered(an_entry("open", 4, 50), "abcde", 50)
    taken = exposure.take(5, 60)
    assert (taken.exposed, taken.counts[P1]["popup_shown"], "popup_suppressed" in taken.counts[P1]) == (
        {P1: [*"abcd"]},
        4,
        False,
    )


@pytest.mark.rule("KS-MON-1")
def test_who_comes_back_is_exposed_once_and_has_left_once() -> None:
    """However often it comes and goes while a packet is on air, or while none is (AMB-51)."""
    exposure = Exposure()
    for packet_id, seq in ((P1, 1), (P2, 10)):
        exposure.left("a", 1, 0)
        exposure.came("a", 0, 0)
        exposure.left("a", 1, 0)
        exposure.delivered(an_entry("warmup", seq, 0, packet_id), "b", 0)
        for _ in range(2):
            exposure.came("a", 1, 1)
            exposure.left("a", 2, 1)
        taken = exposure.take(1, 1)
        assert taken.exposed == {packet_id: ["b", "a"]}
        assert (taken.counts[packet_id]["left"], taken.counts[packet_id]["left_before"]) == (1, 1)
        exposure.came("a", 1, 1)
        assert exposure.take(2, 1) == Taken({}, {}, {})
        exposure.left("a", 2, 1)
        exposure.delivered(an_entry("closed", seq + 1, 0, packet_id), "b", 1)


def test_more_leavers_than_can_be_remembered_count_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two, one is remembered; the other counts twice."""
    monkeypatch.setattr(module, "GONE_MAX", 1)
    exposure = Exposure()
    exposure.delivered(an_entry("warmup", 1, 0), "ab", 0)
    for viewer_id in "abab":
        exposure.left(viewer_id, 2, 0)
    assert exposure.take(0, 0).counts[P1]["left"] == 3


def test_an_asset_widget_is_a_popup_suppressed() -> None:
    """An asset widget is counted as a suppressed popup."""
    exposure = Exposure()
    exposure.delivered(an_entry("warmup", 1, 0, surface="asset_widget"), "ab", 0)
    exposure.delivered(an_entry("open", 2, 5), "ab", 5)
    assert exposure.take(2, 5).counts == {P1: {"popup_suppressed": 2, "watched_ms": 10}}


def test_watching_is_what_all_watched_while_it_was_on_air() -> None:
    """Two watch 100 ms before it, three 50 ms and two 30 ms while it is on air; one left before, one meanwhile."""
    exposure = Exposure()
    exposure.came("c", 2, 0)
    exposure.left("c", 2, 100)
    exposure.came("d", 1, 100)
    exposure.came("e", 2, 100)
    exposure.delivered(an_entry("warmup", 1, 100), "ade", 100)
    exposure.left("e", 3, 150)
    exposure.delivered(an_entry("closed", 2, 180), "ad", 180)
    exposure.left("d", 2, 999)
    counts = exposure.take(1, 1_000).counts[P1]
    assert counts == {"watched_ms": 210, "left": 1, "watched_before_ms": 200, "left_before": 1}


def test_who_is_sent_away_has_not_left() -> None:
    """Viewers removed by a stopping server do not count as left; their watch time counts."""
    exposure = Exposure()
    exposure.delivered(an_entry("warmup", 1, 0), "ab", 0)
    exposure.left("b", 2, 10, by_server=True)
    assert exposure.take(1, 15).counts[P1] == {"watched_ms": 25}


def test_packets_that_overlap_have_the_same_time_before_them() -> None:
    """The stretch without any packet ended when the first of them came."""
    exposure = Exposure()
    exposure.delivered(an_entry("changed", 0, 0), "abcd", 0)
    exposure.delivered(an_entry("warmup", 1, 10), "abcd", 10)
    exposure.delivered(an_entry("warmup", 2, 15, P2), "abcd", 15)
    counts = exposure.take(4, 20).counts
    assert [counts[packet_id]["watched_before_ms"] for packet_id in (P1, P2)] == [40, 40]
    assert [counts[packet_id]["watched_ms"] for packet_id in (P1, P2)] == [40, 20]


def test_the_time_before_a_packet_begins_when_the_last_one_went() -> None:
    """Time watched with the first packet is not counted as time without one."""
    exposure = Exposure()
    exposure.delivered(an_entry("warmup", 1, 0), "a", 0)
    exposure.delivered(an_entry("voided", 2, 70), "a", 70)
    exposure.delivered(an_entry("warmup", 3, 75, P2), "a", 75)
    assert exposure.take(1, 75).counts[P2] == {"watched_before_ms": 5}


def test_the_first_sell_out_counts_from_the_opening() -> None:
    """A packet that is reopened and sold out again has taken as long as the first time."""
    exposure = Exposure()
    for kind, seq, at_ms in (("warmup", 1, 0), ("open", 2, 100), ("sold_out", 3, 350), ("sold_out", 4, 900)):
        exposure.delivered(an_entry(kind, seq, at_ms), "a", at_ms)
    assert exposure.take(1, 900).sold_out_after_ms == {P1: 250}


def test_what_was_told_before_our_time_is_known_and_not_counted() -> None:
    """A process that starts while a packet is on air counts who comes, and knows since when it is open."""
    exposure = Exposure()
    exposure.recall(an_entry("warmup", 1, 0), 500)
    exposure.recall(an_entry("open", 2, 100), 500)
    assert exposure.take(0, 500) == Taken({}, {}, {})
    exposure.came("a", 0, 500)
    exposure.came("b", 1, 500)
    exposure.delivered(an_entry("sold_out", 3, 600), "ab", 600)
    assert exposure.take(2, 600) == Taken({P1: {"watched_ms": 200}}, {P1: 500}, {P1: ["a", "b"]})


def test_a_clock_set_back_takes_nothing_away() -> None:
    """A clock that goes back adds nothing."""
    exposure = Exposure()
    exposure.delivered(an_entry("warmup", 1, 0), "a", 100)
    assert exposure.take(1, 40) == Taken({}, {}, {P1: ["a"]})
    assert exposure.take(1, 50).counts[P1] == {"watched_ms": 10}


STEPS = st.lists(st.tuples(st.sampled_from("abcd,"), st.integers(0, 1_000)), max_size=40)


@given(STEPS, STEPS)
def test_however_often_it_is_taken_the_sums_are_the_same(
    before: list[tuple[str, int]], on_air: list[tuple[str, int]]
) -> None:
    """
    Sums taken in any number of parts equal those of a log of every viewer's every millisecond.

    A letter comes or, if it is there, leaves; a comma takes.
    """
    exposure, present, now_ms = Exposure(), dict[str, None](), 0
    total = dict.fromkeys(("watched_ms", "left", "watched_before_ms", "left_before"), 0)
    book, exposed = dict(total), list[str]()

    def took() -> None:
        taken = exposure.take(len(present), now_ms)
        exposed.extend(taken.exposed.get(P1, ()))
        for name, number in taken.counts.get(P1, {}).items():
            total[name] += number

    seen = set[str]()
    for watched, left, steps in (("watched_before_ms", "left_before", before), ("watched_ms", "left", on_air)):
        gone = set[str]()
        if steps is on_air:
            exposure.delivered(an_entry("warmup", 1, now_ms), present, now_ms)
            seen = set(present)
        for step, pause_ms in steps:
            now_ms += pause_ms
            book[watched] += len(present) * pause_ms
            if step == ",":
                took()
            elif step in present:
                exposure.left(step, len(present), now_ms)
                del present[step]
                gone.add(step)
            else:
                exposure.came(step, len(present), now_ms)
                present[step] = None
                seen |= {step} if left == "left" else set()
        book[left] = len(gone)
    took()
    assert total == book
    assert sorted(exposed) == sorted(seen)
