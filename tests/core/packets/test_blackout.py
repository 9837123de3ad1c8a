"""Blackouts: the vectors of section 6 to the second, and calendars that somebody else wrote."""

from datetime import date, datetime, timedelta, timezone
from random import Random

import pytest

from server.core.packets.blackout import NO_BLACKOUTS, PROMOTION_818, BlackoutCalendar, MonthDay, Season, Slot, Stretch

SHANGHAI = timezone(timedelta(hours=8))
MINUTE = 60_000
HOUR = 60 * MINUTE


def at(text: str, year: int = 2023) -> int:
    """Return an instant of Shanghai's wall clock, ``08-01 19:29:59``, in ms since 1970 UTC."""
    return int(datetime.fromisoformat(f"{year}-{text}").replace(tzinfo=SHANGHAI).timestamp() * 1000)


def is_black(calendar: BlackoutCalendar, instant_ms: int) -> bool:
    return calendar.touched(instant_ms, instant_ms + 1) is not None


def a_calendar(date_from: str, date_to: str, *slots: str) -> BlackoutCalendar:
    return BlackoutCalendar.of([{"date_from": date_from, "date_to": date_to, "slots": slots}])


@pytest.mark.rule("DY-BLK-1")
@pytest.mark.parametrize(
    ("text", "black"),
    [
        ("08-01 19:29:59", False),
        ("08-01 19:30:00", True),
        ("08-01 19:59:59", True),
        ("08-01 20:00:00", False),
        ("08-18 22:45:00", True),
        ("08-19 20:45:00", False),
        ("07-31 19:45:00", False),
        ("08-05 20:29:59", False),
        ("08-05 20:30:00", True),
        ("08-05 20:59:59", True),
        ("08-05 21:00:00", False),
        ("08-05 21:30:00", True),
        ("08-05 22:00:00", False),
        ("08-05 22:30:00", True),
        ("08-18 22:59:59", True),
        ("08-18 23:00:00", False),
        ("08-05 00:00:00", False),
    ],
)
def test_the_vectors_of_the_818_promotion(text: str, *, black: bool) -> None:
    """Each slot holds its first second and not its end, on the first and the last day and on none outside."""
    assert is_black(PROMOTION_818, at(text)) is black


@pytest.mark.rule("DY-BLK-1")
def test_a_slot_holds_to_the_millisecond() -> None:
    """Slots are half-open in milliseconds, as all intervals are."""
    start_ms, end_ms = at("08-01 19:30:00"), at("08-01 20:00:00")
    edges = (start_ms - 1, start_ms, end_ms - 1, end_ms)
    assert [is_black(PROMOTION_818, edge) for edge in edges] == [False, True, True, False]


@pytest.mark.rule("DY-BLK-3")
@pytest.mark.parametrize("year", [1999, 2023, 2024, 2031])
def test_a_season_without_a_year_comes_every_year(year: int) -> None:
    """The source gives no year; its days recur."""
    assert is_black(PROMOTION_818, at("08-01 19:30:00", year))
    assert not is_black(PROMOTION_818, at("08-19 19:30:00", year))


@pytest.mark.rule("DY-BLK-3")
def test_a_season_with_a_year_is_of_that_year() -> None:
    """A date that carries its year does not recur."""
    calendar = a_calendar("2024-08-01", "2024-08-18", "19:30-20:00")
    assert [is_black(calendar, at("08-10 19:45:00", year)) for year in (2023, 2024, 2025)] == [False, True, False]


@pytest.mark.rule("DY-BLK-3")
@pytest.mark.parametrize(
    ("text", "black"),
    [
        ("08-01 23:29:59", False),
        ("08-01 23:30:00", True),
        ("08-02 00:29:59", True),
        ("08-02 00:30:00", False),
        ("08-01 00:10:00", False),
        ("08-19 00:29:59", True),
        ("08-19 23:30:00", False),
    ],
)
def test_a_slot_past_midnight_belongs_to_the_day_it_begins_on(text: str, *, black: bool) -> None:
    """The last day's slot runs into a day outside the season, and nothing runs into its first day."""
    assert is_black(a_calendar("08-01", "08-18", "23:30-00:30"), at(text)) is black


@pytest.mark.rule("DY-BLK-3")
@pytest.mark.parametrize("slot", ["00:00-24:00", "00:00-00:00"])
def test_a_slot_may_last_a_whole_day(slot: str) -> None:
    """An end that is not after the start is the next day's."""
    calendar = a_calendar("08-02", "08-02", slot)
    edges = ("08-01 23:59:59", "08-02 00:00:00", "08-02 23:59:59", "08-03 00:00:00")
    assert [is_black(calendar, at(edge)) for edge in edges] == [False, True, True, False]


@pytest.mark.rule("DY-BLK-3")
def test_a_season_may_run_over_new_year() -> None:
    """Its last day of the year is then before its first one."""
    calendar = a_calendar("12-30", "01-02", "12:00-13:00")
    days = ("12-29", "12-30", "12-31", "01-01", "01-02", "01-03", "07-01")
    found = [is_black(calendar, at(f"{day} 12:00:00")) for day in days]
    assert found == [False, True, True, True, True, False, False]


@pytest.mark.rule("DY-BLK-2")
def test_the_calendar_is_data() -> None:
    """The calendar has exactly the entries read, and an empty one forbids nothing."""
    entry = {"date_from": "08-01", "date_to": "08-18", "slots": ["19:30-20:00"]}
    read = BlackoutCalendar.of([entry, {"date_from": "2024-02-29", "date_to": "2024-03-01", "slots": []}])
    assert read.seasons == (
        Season(MonthDay(8, 1), MonthDay(8, 18), (Slot(19 * HOUR + 30 * MINUTE, 20 * HOUR),)),
        Season(date(2024, 2, 29), date(2024, 3, 1), ()),
    )
    assert BlackoutCalendar.of([]) == NO_BLACKOUTS
    assert not is_black(NO_BLACKOUTS, at("08-01 19:30:00"))


@pytest.mark.rule("DY-BLK-2")
@pytest.mark.parametrize(
    ("date_from", "date_to", "slot"),
    [
        ("08-01", "2024-08-18", "19:30-20:00"),
        ("2024-08-18", "2024-08-01", "19:30-20:00"),
        ("02-30", "03-01", "19:30-20:00"),
        ("august", "08-18", "19:30-20:00"),
        ("08-01", "08-18", "19:30"),
        ("08-01", "08-18", "7:30-20:00"),
        ("08-01", "08-18", "19:60-20:00"),
        ("08-01", "08-18", "19:30-24:01"),
        ("08-01", "08-18", "24:00-01:00"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(date_from: str, date_to: str, slot: str) -> None:
    """A slip in the data is found when it is read, not on the evening."""
    with pytest.raises(ValueError, match="blackout: "):
        a_calendar(date_from, date_to, slot)


@pytest.mark.rule("DY-BLK-2")
def test_an_entry_with_a_strange_field_is_refused() -> None:
    """A field that would be ignored is a mistake."""
    with pytest.raises(ValueError, match="slot"):
        BlackoutCalendar.of([{"date_from": "08-01", "date_to": "08-18", "slot": ["19:30-20:00"]}])


@pytest.mark.rule("DY-BLK-1")
@pytest.mark.parametrize(
    ("from_text", "until_text", "touched"),
    [
        ("08-05 19:00:00", "08-05 19:30:00", False),
        ("08-05 19:00:00", "08-05 19:30:01", True),
        ("08-05 19:59:59", "08-05 20:15:00", True),
        ("08-05 20:00:00", "08-05 20:30:00", False),
        ("08-05 19:00:00", "08-05 23:30:00", True),
        ("08-05 23:00:00", "08-06 19:30:00", False),
        ("08-05 19:40:00", "08-05 19:40:00", False),
    ],
)
def test_a_stretch_of_time_touches_a_slot_or_not(from_text: str, until_text: str, *, touched: bool) -> None:
    """Touching ends do not meet, and no time at all touches nothing."""
    assert (PROMOTION_818.touched(at(from_text), at(until_text)) is not None) is touched


def test_the_first_slot_that_is_touched_is_named() -> None:
    """A person is told the day and the hours by Shanghai's clock."""
    stretch = PROMOTION_818.touched(at("08-04 23:30:00"), at("08-07 00:00:00"))
    assert stretch == Stretch(at("08-05 19:30:00"), at("08-05 20:00:00"))
    assert str(stretch) == "2023-08-05 19:30 to 20:00"


@pytest.mark.rule("DY-BLK-1")
def test_the_promotion_agrees_with_the_sentence_it_comes_from() -> None:
    """For two thousand random instants of three years, against the rule's own words and the wall clock."""
    rng = Random(818)
    found = 0
    for _ in range(2_000):
        year, month = rng.choice([2022, 2023, 2024]), rng.choice([7, 8, 8, 8, 9])
        moment = datetime(year, month, rng.randint(1, 30), rng.randint(18, 23), rng.randint(0, 59), tzinfo=SHANGHAI)
        of_day = moment.hour * 60 + moment.minute
        asked = month == 8 and moment.day <= 18 and any(h * 60 + 30 <= of_day < h * 60 + 60 for h in (19, 20, 21, 22))
        assert is_black(PROMOTION_818, int(moment.timestamp() * 1000)) is asked
        found += asked
    assert found > 200
