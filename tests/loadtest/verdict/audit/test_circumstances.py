"""Circumstances: absences with their slack, and room time by the best reading of any process."""

from loadtest.record.books import ClockRecord
from loadtest.record.history import ClockReadingRecord, History
from loadtest.verdict.audit.circumstances import CLOCK_SLACK_NS, Absence, Circumstances, room_times


def test_an_absence_is_near_while_it_lasts_and_a_little_after() -> None:
    """One that did not end is near ever after."""
    run = Circumstances([Absence(100, 200), Absence(1_000, None)])
    assert [run.absent(at, at + 5, 50) for at in (90, 94, 95, 200, 250, 251, 996, 9_000)] == [
        False, False, True, True, True, False, True, True,
    ]  # fmt: skip


def test_room_time_is_that_of_the_quickest_reading() -> None:
    """At speed 60 a minute passes in a second."""
    readings = [ClockReadingRecord(60_000, 7, 9_000, 0), ClockReadingRecord(120_000, 2_000_000_000, 400, 1)]
    times = room_times(History(clocks=readings), ClockRecord(0, 0, 60))
    assert times is not None
    assert times.ns(180_000) == 3_000_000_000
    assert times.error_ns == 200 + CLOCK_SLACK_NS
    assert room_times(History(), ClockRecord(0, 0, 60)) is None
