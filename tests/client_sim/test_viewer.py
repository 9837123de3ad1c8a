"""The simulated viewer: no loop, no clock; instants are passed in."""

from itertools import pairwise
from random import Random

import pytest

from client_sim.arrivals import ArrivalModel, Arrivals, SeatTaps, TapCounts, poisson_s
from client_sim.behaviour import Behaviour
from client_sim.viewer import ATTEMPTS_MAX
from server.core.packets.claim import ClaimStatus
from server.core.rooms import messages
from tests.client_sim.room_talk import MS, NOON_MS, Sitting, fact, grabs, on_screen, payloads, receipt, warmup, welcome


def pings(sitting: Sitting, until_ms: float) -> list[float]:
    asked = []
    while (wake_ns := sitting.viewer.next_wakeup_ns()) is not None and wake_ns <= until_ms * MS:
        asked += [wake_ns / MS for sent in payloads(sitting.viewer.wake(wake_ns)) if b'"ping"' in sent]
    return asked


def test_it_asks_for_the_time_when_it_comes_in_and_now_and_then() -> None:
    """Three pings about 100 ms apart, then one every 20 s or so."""
    sitting = Sitting(Behaviour.WATCHER)
    sitting.open(0)
    assert payloads(sitting.hear(welcome(), 0)) == [b'{"type":"ping","client_ms":0}']
    asked = [0.0, *pings(sitting, 90_000)]
    assert len(asked) > 5
    assert all(70 <= later - earlier <= 130 for earlier, later in pairwise(asked[:3]))
    assert all(14_000 <= later - earlier <= 26_000 for earlier, later in pairwise(asked[2:]))


def test_a_tap_follows_the_opening_as_the_best_ping_knows_it() -> None:
    """A pong moves a tap that is planned already, by exactly what the welcome was wrong by."""
    plain, corrected = Sitting(), Sitting()
    for sitting in (plain, corrected):
        sitting.connect()
        sitting.hear(warmup(1, grab_in_ms=2_000), 1)
    corrected.hear(messages.pong(0, NOON_MS - 290), 20)  # the room is 300 ms behind what the welcome said
    expected_ms, _ = plain.next_tap()
    tapped_ms, _ = corrected.next_tap()
    assert expected_ms > 2_000
    assert tapped_ms == pytest.approx(expected_ms + 300)


def test_room_time_runs_at_its_speed() -> None:
    """Two minutes of room time at speed 60 are two seconds."""
    sitting = Sitting(Behaviour.EARLY_BIRD)
    sitting.connect(speed=60)
    sitting.hear(warmup(1, grab_in_ms=120_000), 0)
    tapped_ms, _ = sitting.next_tap()
    assert 1_700 <= tapped_ms <= 1_950


def test_an_early_bird_taps_again_after_the_opening() -> None:
    """Told that it was too early, it makes another tap, with a new request id."""
    sitting = Sitting(Behaviour.EARLY_BIRD)
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    ((first_ms, first_id),) = sitting.wait_until(1_000)
    sitting.hear(receipt(first_id, ClaimStatus.TOO_EARLY), first_ms + 1)
    ((second_ms, second_id),) = sitting.wait_until(5_000)
    assert first_ms < 1_000 < second_ms <= 1_120
    assert second_id != first_id


def test_who_is_always_too_early_gives_up() -> None:
    """A server that always says too early is not tapped for ever."""
    sitting = Sitting(Behaviour.EARLY_BIRD)
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    taps = 0
    while tapped := sitting.wait_until(4_000):
        taps += len(tapped)
        for at_ms, request_id in tapped:
            sitting.hear(receipt(request_id, ClaimStatus.TOO_EARLY), at_ms + 1)
    assert taps == 4


def test_a_double_tapper_makes_two_taps_whatever_it_is_told() -> None:
    """How many grabs it makes does not depend on how quick the answer is."""
    for answer_after_ms in (1, 400):
        sitting = Sitting(Behaviour.DOUBLE_TAPPER)
        sitting.connect()
        sitting.hear(warmup(1, grab_in_ms=1_000), 0)
        first_ms, first_id = sitting.next_tap()
        if answer_after_ms == 1:
            sitting.hear(receipt(first_id, ClaimStatus.EXHAUSTED), first_ms + 1)
        second_ms, second_id = sitting.next_tap()
        assert 50 <= second_ms - first_ms <= 150
        assert second_id != first_id


def test_the_luck_of_a_tap_is_that_of_seat_and_packet() -> None:
    """Connecting later or hearing of the packet from the welcome changes nothing."""
    early, late = Sitting(number=5), Sitting(number=5)
    early.connect()
    early.hear(warmup(1, grab_in_ms=2_000), 0)
    late.connect(on_screen(grab_in_ms=2_000, phase="warming"), at_ms=900)
    assert early.wait_until(9_000) == late.wait_until(9_000)


def test_who_comes_in_late_reacts_to_what_is_on_screen() -> None:
    """A window that is open already is tapped after the usual reaction, and one that is over is not."""
    sitting = Sitting()
    sitting.connect(
        on_screen(grab_in_ms=-5_000, phase="grabbing"), on_screen("anna.0", grab_in_ms=-9_000, phase="settled")
    )
    ((tapped_ms, _),) = sitting.wait_until(4_000)
    assert tapped_ms > 50


def test_a_latecomer_taps_after_the_window() -> None:
    """It is planned from the closing."""
    sitting = Sitting(Behaviour.LATECOMER)
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    ((tapped_ms, _),) = sitting.wait_until(9_000)
    assert 4_050 <= tapped_ms <= 4_500


def test_a_voided_packet_is_not_tapped() -> None:
    """It has gone from the screen."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    sitting.hear(fact("voided", 2, at_ms=500), 500)
    assert sitting.wait_until(4_900) == []


def test_no_receipt_in_time_is_unknown_and_tried_again_with_the_same_id() -> None:
    """The outcome is recorded as info, the tap is repeated, and the answer then counts."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    first_ms, first_id = sitting.next_tap()
    ((second_ms, second_id),) = sitting.wait_until(first_ms + 5_001)
    assert second_id == first_id
    assert second_ms == pytest.approx(first_ms + 5_000)
    sitting.hear(receipt(first_id, ClaimStatus.GRANTED), second_ms + 3)
    lost, won = sitting.lines("grab")
    assert (lost["type"], lost["t_reply"], lost["status"]) == ("info", None, None)
    assert (lost["t_gave_up"], won["t_gave_up"]) == (round(second_ms * MS), None)
    assert (won["type"], won["request_id"], won["index"]) == ("ok", first_id, 0)
    assert sitting.recorder.failed == 1


def test_a_tap_without_an_answer_is_tried_again_after_coming_back() -> None:
    """A disconnect leaves the outcome unknown; the same id goes out on the next connection, which resumes."""
    sitting = Sitting()
    assert sitting.path == "/ws/rooms/r1?viewer=v0"
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    at_ms, request_id = sitting.next_tap()
    sitting.viewer.closed(round((at_ms + 1) * MS), 1006)
    assert sitting.viewer.next_wakeup_ns() is None
    assert sitting.path == "/ws/rooms/r1?viewer=v0&epoch=e1&seq=1"
    assert grabs(sitting.connect(at_ms=at_ms + 500, seq=1)) == [request_id]
    sitting.hear(receipt(request_id, ClaimStatus.EXHAUSTED), at_ms + 601)
    unknown, refused = sitting.lines("grab")
    assert (unknown["type"], unknown["conn"]) == ("info", "0.0")
    assert (refused["type"], refused["conn"], refused["status"]) == ("fail", "0.1", "exhausted")


def test_a_receipt_for_a_tap_that_was_not_made_is_on_record() -> None:
    """One for another seat's request, and one for its own request of another packet, with what they say."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    at_ms, request_id = sitting.next_tap()
    sitting.hear(receipt("7-0", ClaimStatus.GRANTED), at_ms + 1)
    sitting.hear(receipt(request_id, ClaimStatus.EXHAUSTED, packet_id="anna.2"), at_ms + 2)
    other, packet = sitting.lines("stray")
    assert (other["conn"], other["viewer"], other["request_id"], other["index"]) == ("0.0", "v0", "7-0", 0)
    assert (packet["request_id"], packet["packet"], packet["status"]) == (request_id, "anna.2", "exhausted")


def test_a_receipt_after_all_ends_the_trying() -> None:
    """If the first receipt comes while a retry is planned, the retry is not made; the receipt is on record."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    at_ms, request_id = sitting.next_tap()
    sitting.hear(receipt(request_id, ClaimStatus.UNAVAILABLE), at_ms + 1)
    sitting.hear(receipt(request_id, ClaimStatus.GRANTED), at_ms + 2)
    assert sitting.wait_until(at_ms + 4_000) == []
    told = sitting.lines("grab")
    assert [(line["status"], line["again"]) for line in told] == [("unavailable", False), ("granted", True)]


@pytest.mark.parametrize("status", [ClaimStatus.RATE_LIMITED, ClaimStatus.UNAVAILABLE])
def test_who_is_turned_away_tries_the_same_tap_a_few_times(status: ClaimStatus) -> None:
    """The id stays, the pauses grow to a second and a half at most, and eight attempts are enough."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    tapped = []
    for _ in range(ATTEMPTS_MAX):
        at_ms, request_id = sitting.next_tap(30_000)
        tapped.append((at_ms, request_id))
        sitting.hear(receipt(request_id, status), at_ms + 1)
    assert sitting.wait_until(30_000) == []
    assert len({request_id for _, request_id in tapped}) == 1
    pauses_ms = [later - sooner for (sooner, _), (later, _) in pairwise(tapped)]
    assert pauses_ms[0] < pauses_ms[2] < pauses_ms[4]
    assert max(pauses_ms) <= 1_501
    assert sitting.recorder.failed == (ATTEMPTS_MAX if status is ClaimStatus.UNAVAILABLE else 0)


@pytest.mark.parametrize(
    "status", [ClaimStatus.GRANTED, ClaimStatus.EXHAUSTED, ClaimStatus.TOO_LATE, ClaimStatus.VOIDED]
)
def test_a_final_answer_ends_it(status: ClaimStatus) -> None:
    """Nobody taps on after a final answer, and none of these is a failure."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    at_ms, request_id = sitting.next_tap()
    sitting.hear(receipt(request_id, status), at_ms + 1)
    assert sitting.wait_until(30_000) == []
    assert sitting.recorder.failed == 0


def test_a_grab_is_what_the_server_understands_and_small() -> None:
    """It parses, and it fits a frame under 126 bytes with the longest ids."""
    sitting = Sitting(number=2**32)
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=0, packet_id="a" * 18 + "." + "b" * 17), 0)
    wake_ns = 5_000 * MS
    (payload,) = [sent for sent in payloads(sitting.viewer.wake(wake_ns)) if b'"grab"' in sent]
    assert isinstance(messages.decode(payload), messages.GrabMessage)
    assert len(payload) < 126


def test_who_leaves_only_waits() -> None:
    """No more taps after leave(), but a receipt on its way is still taken."""
    sitting = Sitting(Behaviour.DOUBLE_TAPPER)
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    first_ms, request_id = sitting.next_tap()
    sitting.viewer.leave(0)
    before = sitting.viewer.waiting
    sitting.hear(receipt(request_id, ClaimStatus.GRANTED), first_ms + 5)
    assert (before, sitting.viewer.waiting) == (True, False)
    assert sitting.wait_until(4_000) == []


def test_errors_and_nonsense_are_failures_and_nothing_else_happens() -> None:
    """An error message, a text that is none, and a receipt nobody asked for are counted by name."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(messages.error("bad_field", "x"), 1)
    sitting.hear(messages.error("rate_limited", "said too much"), 1)
    sitting.hear(b"not json", 2)
    sitting.hear(receipt("ffff-0", ClaimStatus.EXHAUSTED), 3)
    _, failures = sitting.recorder.take_series()
    assert sorted(name for _, name, _ in failures) == ["error", "message", "receipt"]
    assert sitting.lines("grab") == []


def test_the_opening_is_recorded_with_how_far_off_the_countdown_was() -> None:
    """A viewer whose only reading is a slow welcome is off by what the best clock of the process knows better."""
    good = Sitting(Behaviour.WATCHER)
    bad = Sitting(Behaviour.WATCHER, number=1, recorder=good.recorder)
    good.connect()
    good.hear(messages.pong(0, NOON_MS + 1), 2)
    bad.open(0)
    bad.hear(welcome(), 40)
    for sitting in (good, bad):
        sitting.hear(warmup(1, grab_in_ms=1_000, at_ms=50), 50)
        sitting.hear(fact("open", 2, at_ms=1_000), 1_001)
    arrivals = good.lines("arrival")
    assert [arrival["conn"] for arrival in arrivals] == ["0.0", "1.0"]
    assert [arrival["start_skew_ns"] for arrival in arrivals] == [0, 40 * MS]
    assert arrivals[0]["t"] == 1_001 * MS


def test_nothing_is_sent_before_the_welcome() -> None:
    """Bytes sent before the server has let the viewer in would be lost."""
    sitting = Sitting()
    sitting.open(0)
    assert sitting.viewer.next_wakeup_ns() is None
    assert grabs(sitting.viewer.wake(10_000 * MS)) == []


def test_who_comes_back_shows_its_token_until_it_is_refused() -> None:
    """At first a name, then the token of the last welcome, and the name again if a server does not know that."""
    sitting = Sitting(Behaviour.WATCHER)
    assert "viewer=" in sitting.path
    sitting.open(0)
    sitting.hear(welcome().replace(b'"resume":""', b'"resume":"abc"'), 0)
    sitting.viewer.closed(1, 1006)
    assert "?resume=abc&epoch=" in sitting.path
    assert "viewer=" not in sitting.path
    sitting.viewer.admission.rejected()
    assert "resume=" not in sitting.path
    assert "&epoch=" in sitting.path


def by_model(model: ArrivalModel, **more: float) -> Sitting:
    """Return a viewer whose taps a model plans."""
    counts = TapCounts()
    sitting = Sitting(seat_taps=SeatTaps(Arrivals(model, **more), counts, Random(1)))
    sitting.recorder.taps = counts
    return sitting


def two_packets(sitting: Sitting) -> None:
    """Announce one that is open from 1 to 4 s, and one from 2 to 5 s."""
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    sitting.hear(warmup(2, grab_in_ms=2_000, packet_id="anna.2"), 0)


def test_an_open_viewer_taps_what_is_open_though_nobody_answers() -> None:
    """From the first opening on, by its own process, at the packets that are open; what finds none is counted."""
    sitting = by_model(ArrivalModel.OPEN, from_per_second=20, to_per_second=20, lasts_s=6)
    two_packets(sitting)
    tapped = sitting.wait_until(6_900)
    planned = [1_000 + at * 1_000 for at in poisson_s(Random(1), 20, 20, 6)]
    assert tapped[0][0] == pytest.approx(planned[0], abs=0.001)
    sitting.viewer.leave(6_900 * MS)
    lines = sitting.history()
    first = {line["request_id"]: line for line in reversed(lines) if line["kind"] == "grab"}
    sent = list(first.values())
    assert {line["packet"] for line in sent if line["t_intended"] < 2_000 * MS} == {"anna.1"}
    assert {line["packet"] for line in sent if line["t_intended"] >= 4_000 * MS} == {"anna.2"}
    assert {line["packet"] for line in sent if 2_000 * MS <= line["t_intended"] < 4_000 * MS} == {"anna.1", "anna.2"}
    (counts,) = (line for line in lines if line["kind"] == "taps")
    assert counts == {
        "kind": "taps", "planned": sum(at <= 6_900 for at in planned), "sent": len(sent),
        "no_packet": sum(5_000 <= at <= 6_900 for at in planned),
    }  # fmt: skip


def test_an_open_viewer_that_wakes_late_sends_all_it_owes() -> None:
    """Every tap keeps its planned instant: the delay is in its latency, and no tap is left out."""
    sitting = by_model(ArrivalModel.OPEN, from_per_second=20, to_per_second=20, lasts_s=2)
    two_packets(sitting)
    late = grabs(sitting.viewer.wake(3_500 * MS))
    planned = [1_000 + at * 1_000 for at in poisson_s(Random(1), 20, 20, 2)]
    assert len(late) == len(planned) > 20
    intended = [line["t_intended"] / MS for line in sitting.lines("grab")]
    assert intended == pytest.approx(planned, abs=0.001)


def test_a_closed_viewer_taps_again_once_it_is_answered() -> None:
    """One tap at a time; told to come later it asks again with the same id, and thinks only after the answer."""
    sitting = by_model(ArrivalModel.CLOSED, think_ms=10, lasts_s=3)
    two_packets(sitting)
    at_ms, first = sitting.next_tap()
    assert sitting.wait_until(at_ms + 400) == []
    sitting.hear(receipt(first, ClaimStatus.RATE_LIMITED), at_ms + 400)
    again_ms, again = sitting.next_tap()
    assert again == first
    sitting.hear(receipt(first, ClaimStatus.GRANTED), again_ms + 1)
    second_ms, second = sitting.next_tap()
    assert second != first
    assert again_ms + 1 < second_ms < again_ms + 200


def test_a_barrier_has_everybody_tap_at_each_opening() -> None:
    """Once each, within its spread; a voided packet is nobody's debt."""
    sitting = by_model(ArrivalModel.BARRIER, spread_ms=5)
    two_packets(sitting)
    sitting.hear(fact("voided", 3, packet_id="anna.2", at_ms=900), 900)
    ((at_ms, _),) = sitting.wait_until(4_000)
    assert 1_000 <= at_ms <= 1_005
    assert sitting.recorder.taps == TapCounts(planned=1, sent=1)


def test_nobody_taps_an_ended_packet_by_a_model() -> None:
    """Once its closing is heard, it is no longer open, whatever its plan was."""
    sitting = by_model(ArrivalModel.OPEN, from_per_second=20, to_per_second=20, lasts_s=2)
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    sitting.hear(fact("closed", 2, at_ms=1_500), 1_500)
    taps = sitting.wait_until(2_900)
    assert all(at_ms <= 1_500 for at_ms, _ in taps)
