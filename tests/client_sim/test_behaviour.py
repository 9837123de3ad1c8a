"""Behaviours: who sits where, and when they mean to tap."""

from collections import Counter
from dataclasses import replace
from itertools import islice
from random import Random
from statistics import median

import pytest

from client_sim.behaviour import Behaviour, Edge, Seat, Tap, cast, lapse, taps
from server.core.ids import RoomId, ViewerId

ROOMS = [RoomId("r1"), RoomId("r2"), RoomId("r3")]
MIX = {Behaviour.WATCHER: 1.0, Behaviour.EAGER: 6.0, Behaviour.EARLY_BIRD: 1.0, Behaviour.TWO_DEVICES: 2.0}


def seats(count: int, *, seed: int = 1) -> list[Seat]:
    return list(islice(cast(ROOMS, MIX, seed), count))


def test_the_same_seed_brings_the_same_audience() -> None:
    """A cast is a function of its arguments, so that two engines bring the same people."""
    assert seats(500) == seats(500)
    assert seats(500) != seats(500, seed=2)


def test_seats_are_numbered_and_two_devices_sit_side_by_side() -> None:
    """A viewer with two devices takes two consecutive seats of one room, everybody else takes one."""
    audience = seats(601)[:600]
    assert [seat.number for seat in audience] == list(range(600))
    by_viewer: dict[str, list[Seat]] = {}
    for seat in audience[:-1]:
        by_viewer.setdefault(seat.viewer_id, []).append(seat)
    for viewer in list(by_viewer.values())[:-1]:
        expected = 2 if viewer[0].behaviour is Behaviour.TWO_DEVICES else 1
        assert [seat.device for seat in viewer] == list(range(expected))
        assert len({seat.room_id for seat in viewer}) == 1


def test_rooms_fill_evenly() -> None:
    """Viewers take the rooms in turn."""
    viewers = {seat.viewer_id: seat.room_id for seat in seats(300)}
    counts = Counter(viewers.values())
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_small_audience_has_everybody_in_it() -> None:
    """Weights are kept from the first handful on, and no behaviour is tied to a room."""
    viewers = {seat.viewer_id: seat for seat in seats(700)}
    counts = Counter(seat.behaviour for seat in list(viewers.values())[:20])
    assert counts == {
        Behaviour.WATCHER: 2, Behaviour.EAGER: 12, Behaviour.EARLY_BIRD: 2, Behaviour.TWO_DEVICES: 4
    }  # fmt: skip
    early = {seat.room_id for seat in viewers.values() if seat.behaviour is Behaviour.EARLY_BIRD}
    assert early == set(ROOMS)


@pytest.mark.parametrize("behaviour", list(Behaviour))
def test_taps_are_a_function_of_their_luck(behaviour: Behaviour) -> None:
    """The same generator plans the same taps, in order of time."""
    planned = taps(behaviour, Random("1:7:0"), 400)
    assert planned == taps(behaviour, Random("1:7:0"), 400)
    assert planned == sorted(planned, key=lambda tap: tap.offset_ms)


def test_reactions_have_the_median_asked_for() -> None:
    """Half of the eager are quicker than the median, and nobody taps before the opening."""
    offsets = [taps(Behaviour.EAGER, Random(seed), 400)[0].offset_ms for seed in range(4_001)]
    assert median(offsets) == pytest.approx(400, rel=0.05)
    assert min(offsets) > 0


def test_each_behaviour_taps_as_it_is_described() -> None:
    """Watchers never tap, early birds before the opening, double tappers twice, latecomers after the closing."""
    for seed in range(200):
        assert taps(Behaviour.WATCHER, Random(seed), 400) == []
        (early,) = taps(Behaviour.EARLY_BIRD, Random(seed), 400)
        assert early.edge is Edge.OPENING
        assert -300 <= early.offset_ms <= -50
        first, second = taps(Behaviour.DOUBLE_TAPPER, Random(seed), 400)
        assert 50 <= second.offset_ms - first.offset_ms <= 150
        (late,) = taps(Behaviour.LATECOMER, Random(seed), 400)
        assert late.edge is Edge.CLOSING
        assert late.offset_ms > 0


def test_edge_tappers_tap_at_one_end_of_each_window() -> None:
    """Within 20 ms of the opening, or of the closing, each about as often; half of the latter once before it."""
    edges, before = [], 0
    for seed in range(200):
        *sooner, near = taps(Behaviour.EDGE_TAPPER, Random(seed), 400)
        edges.append(near.edge)
        assert -20 <= near.offset_ms <= 20
        assert [tap.edge for tap in sooner] in ([], [Edge.CLOSING] * (near.edge is Edge.CLOSING))
        before += len(sooner)
        assert all(-200 <= tap.offset_ms <= -80 for tap in sooner)
    assert 70 < edges.count(Edge.OPENING) < 130
    assert 30 < before < 70


def test_a_bot_waits_for_nothing_but_the_opening() -> None:
    """It taps on hearing that the packet is open, without a reaction time."""
    assert taps(Behaviour.BOT, Random(1), 400) == [Tap(Edge.HEARING, 0.0)]


def test_who_is_absent_is_a_function_of_luck_and_packet() -> None:
    """The flaky are there for their first packet and drop around later openings; slow readers rest for a while."""
    for seed in range(100):
        assert lapse(Behaviour.EAGER, Random(seed), 1) is None
        assert lapse(Behaviour.FLAKY, Random(seed), 0) is None
        dropped = lapse(Behaviour.FLAKY, Random(seed), 1)
        assert dropped == lapse(Behaviour.FLAKY, Random(seed), 1)
        assert dropped is not None
        assert dropped.lasts_ms == 0
        assert -500 <= dropped.offset_ms <= 1_500
        rest = lapse(Behaviour.SLOW_READER, Random(seed), 0)
        assert rest is not None
        assert 1_000 <= rest.lasts_ms <= 3_000


def test_viewers_have_names_in_turn_and_a_number() -> None:
    """So that no two are called the same; both devices of one are."""
    named = list(islice(cast(ROOMS, MIX, 1, ["mei", "leo"]), 50))
    for seat in named:
        number = int(seat.viewer_id[3:])
        assert seat.viewer_id == f"{('mei', 'leo')[number % 2]}{number}"
    assert [replace(seat, viewer_id=ViewerId(f"v{seat.viewer_id[3:]}")) for seat in named] == seats(50)
