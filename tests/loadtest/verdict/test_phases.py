"""Phases: where in a packet's life a tap stands, by books, declaration or hearsay."""

import pytest

from loadtest.record.declared import DeclaredRecord
from loadtest.verdict.phases import PHASES, PacketTimes, TapPhase, packet_times
from server.core.ids import PacketId
from tests.loadtest.written_run import NS_PER_MS, T0_NS, Line, a_run

FIRST = PacketId("c1.p0")
OPENS_MS, CLOSES_MS = 2_000, 3_000


def at(ms: float) -> int:
    return T0_NS + round(ms * NS_PER_MS)


@pytest.mark.parametrize(
    ("ms", "phases"),
    [
        (999.999, {TapPhase.WARM_UP}),
        (1_000, {TapPhase.OPEN, TapPhase.FIRST_SECOND}),
        (1_500, {TapPhase.SOLD_OUT, TapPhase.FIRST_SECOND}),
        (2_000, {TapPhase.SOLD_OUT}),
        (2_500, {TapPhase.OPEN}),
        (3_000, {TapPhase.AFTER}),
    ],
)
def test_a_tap_belongs_to_the_phase_in_which_it_was_planned(ms: float, phases: set[TapPhase]) -> None:
    """Each begins with its instant; the first second lies across the others."""
    times = PacketTimes(at(1_000), at(3_000), [at(1_500), at(2_500)], [True, False])
    assert times.phases(at(ms)) == phases


def test_without_an_opening_there_is_no_phase() -> None:
    assert PacketTimes(None, at(1)).phases(at(2)) == frozenset()


def test_every_phase_has_its_meaning() -> None:
    assert list(PHASES) == list(TapPhase)


def test_books_and_room_clock_say_when_a_packet_was_open() -> None:
    books, history = a_run().read()
    times = packet_times(books, history, {})[FIRST]
    assert (times.opens_ns, times.closes_ns) == (at(OPENS_MS), at(CLOSES_MS))
    heard = min(fact.t_first for fact in history.facts if fact.type == "sold_out" and fact.packet == FIRST)
    told = [grab.t_reply for grab in history.grabs if grab.status == "exhausted" and grab.packet == FIRST]
    assert times.turns_ns == sorted([heard, min(t for t in told if t is not None)])
    assert times.sold_out == [True, True]


def test_an_end_and_a_void_close_a_packet_early() -> None:
    run = a_run(void_last=True)
    run.of("packet")[0]["ended_at_ms"] = 2_500
    times = packet_times(*run.read(), {})
    assert times[FIRST].closes_ns == at(2_500)
    (void,) = run.of("fact", type="voided")
    assert times[PacketId("c1.p1")].closes_ns == void["t_first"]


def test_without_a_room_clock_viewers_say_when() -> None:
    run = a_run()
    run.history = [line for line in run.history if line["kind"] != "reading"]
    heard: dict[str, Line] = {line["type"]: line for line in run.of("fact", packet=FIRST)}
    times = packet_times(*run.read(), {})[FIRST]
    assert (times.opens_ns, times.closes_ns) == (heard["open"]["t_first"], heard["closed"]["t_first"])


def test_a_declared_packet_opens_as_declared_or_when_it_was_heard() -> None:
    books, history = a_run().read()
    books.packets.clear()
    declared = DeclaredRecord(FIRST, 6, None, at(1), at(9), True, None, None)
    assert packet_times(books, history, {FIRST: declared})[FIRST].opens_ns == at(1)
    heard = packet_times(books, history, {FIRST: declared._replace(opens_ns=None)})[FIRST]
    assert heard.opens_ns == min(fact.t_first for fact in history.facts if (fact.packet, fact.type) == (FIRST, "open"))


def test_shares_that_are_added_open_a_packet_again() -> None:
    run = a_run()
    (empty,) = run.of("fact", packet=FIRST, type="sold_out")
    (closed,) = run.of("fact", packet=FIRST, type="closed")
    closed["type"] = "reopened"
    times = packet_times(*run.read(), {})[FIRST]
    assert times.turns_ns[-1] == closed["t_first"] > empty["t_first"]
    assert times.sold_out == [True, True, False]
