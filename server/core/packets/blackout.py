"""
Blackouts: stretches of the day that warm-ups must leave to the platform's own packets (section 6 of the rules).

The calendar is data (DY-BLK-2): days from one to another, both inclusive, and the slots of each of these days. Slots
are half-open and belong to the day on which they begin, also if they run past midnight (DY-BLK-3). Days and hours are
those of the business time zone, a fixed UTC+8.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Self

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_SHANGHAI_MS = 8 * 3_600_000
_LEAP_YEAR = 2024  # it has every day there is


class BlackoutMode(StrEnum):
    """The part of a warm-up that must not lie in a slot (AMB-10): its start, or all of it up to the opening."""

    WARMUP_START = "warmup_start"
    OVERLAP = "overlap"


class Enforcement(StrEnum):
    """The consequence of a launch into a slot (AMB-10)."""

    REJECT = "reject"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of a day, in ms after its midnight; it runs past the next one if it does not end after its start."""

    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        assert 0 <= self.start_ms < _DAY_MS
        assert 0 <= self.end_ms <= _DAY_MS

    @property
    def length_ms(self) -> int:
        """Return the slot's length: at most a whole day (DY-BLK-3)."""
        return self.end_ms - self.start_ms + (_DAY_MS if self.end_ms <= self.start_ms else 0)


@dataclass(frozen=True, slots=True, order=True)
class MonthDay:
    """A day of every year."""

    month: int
    day: int


@dataclass(frozen=True, slots=True)
class Season:
    """
    Days with the same slots, from ``first`` to ``last`` inclusive: both of one year, or both of every year.

    A season of every year may run over New Year: its last day then comes before its first one.
    """

    first: date | MonthDay
    last: date | MonthDay
    slots: tuple[Slot, ...]

    def has(self, day: date) -> bool:
        """Return whether *day* is one of the season's."""
        if isinstance(self.first, date) and isinstance(self.last, date):
            return self.first <= day <= self.last
        assert isinstance(self.first, MonthDay)
        assert isinstance(self.last, MonthDay)
        of_year = MonthDay(day.month, day.day)
        if self.first <= self.last:
            return self.first <= of_year <= self.last
        return of_year >= self.first or of_year <= self.last


@dataclass(frozen=True, slots=True)
class Stretch:
    """A slot on a day: from ``start_ms`` until before ``end_ms``, in ms since 1970 UTC."""

    start_ms: int
    end_ms: int

    def __str__(self) -> str:
        """Format it in Shanghai's local time."""
        return f"{_wall_clock(self.start_ms):%Y-%m-%d %H:%M} to {_wall_clock(self.end_ms):%H:%M}"


@dataclass(frozen=True, slots=True)
class BlackoutCalendar:
    """All seasons of a platform; an empty one forbids nothing."""

    seasons: tuple[Season, ...] = ()

    @classmethod
    def of(cls, entries: Sequence[Mapping[str, Any]]) -> Self:
        """
        Read a calendar from plain data: entries of ``date_from``, ``date_to`` and ``slots``.

        Dates read ``08-01`` (of every year) or ``2024-08-01`` (of that one), slots ``19:30-20:00``. Raises ValueError
        for anything else.
        """
        return cls(tuple(_season(entry) for entry in entries))

    def touched(self, from_ms: int, until_ms: int) -> Stretch | None:
        """Return the first stretch with an instant from *from_ms* until before *until_ms*, or None."""
        return next(iter(self.between(from_ms, until_ms)), None) if from_ms < until_ms else None

    def between(self, from_ms: int, until_ms: int) -> list[Stretch]:
        """Return the stretches with an instant from *from_ms* until before *until_ms*, in order."""
        return sorted(
            {
                stretch
                for stretch in self._stretches(from_ms, until_ms)
                if stretch.start_ms < until_ms and from_ms < stretch.end_ms
            },
            key=lambda stretch: (stretch.start_ms, stretch.end_ms),
        )

    def _stretches(self, from_ms: int, until_ms: int) -> Iterator[Stretch]:
        """Yield the stretches that begin on these days or, since they may run past midnight, on the day before."""
        if not self.seasons:
            return
        for number in range((from_ms + _SHANGHAI_MS) // _DAY_MS - 1, (until_ms + _SHANGHAI_MS) // _DAY_MS + 1):
            midnight_ms = number * _DAY_MS - _SHANGHAI_MS
            day = _wall_clock(midnight_ms).date()
            for season in self.seasons:
                if season.has(day):
                    for slot in season.slots:
                        start_ms = midnight_ms + slot.start_ms
                        yield Stretch(start_ms, start_ms + slot.length_ms)


def _wall_clock(instant_ms: int) -> datetime:
    return datetime.fromtimestamp((instant_ms + _SHANGHAI_MS) // 1000, UTC)


def _season(entry: Mapping[str, Any]) -> Season:
    if set(entry) != {"date_from", "date_to", "slots"}:
        raise ValueError(f"blackout: an entry has date_from, date_to and slots, not {', '.join(sorted(entry))}")
    first, last = _day(entry["date_from"]), _day(entry["date_to"])
    if type(first) is not type(last):
        raise ValueError(f"blackout: {entry['date_from']} to {entry['date_to']}: either both carry a year or neither")
    if isinstance(first, date) and isinstance(last, date) and last < first:
        raise ValueError(f"blackout: {entry['date_to']} comes before {entry['date_from']}")
    return Season(first, last, tuple(_slot(slot) for slot in entry["slots"]))


def _day(text: str) -> date | MonthDay:
    of_every_year = text.count("-") == 1
    try:
        day = date.fromisoformat(f"{_LEAP_YEAR}-{text}" if of_every_year else text)
    except ValueError as error:
        raise ValueError(f"blackout: {text}: {error}") from None
    return MonthDay(day.month, day.day) if of_every_year else day


def _slot(text: str) -> Slot:
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"blackout: {text}: a slot reads 19:30-20:00")
    start_ms, end_ms = _of_day_ms(start), _of_day_ms(end)
    if start_ms == _DAY_MS:
        raise ValueError(f"blackout: {text}: a slot begins before midnight")
    return Slot(start_ms, end_ms)


def _of_day_ms(text: str) -> int:
    hours, _, minutes = text.partition(":")
    if len(hours) != 2 or len(minutes) != 2 or not (hours + minutes).isdigit():
        raise ValueError(f"blackout: {text}: a time reads 19:30")
    of_day_ms = (int(hours) * 60 + int(minutes)) * _MINUTE_MS
    if int(minutes) > 59 or of_day_ms > _DAY_MS:
        raise ValueError(f"blackout: {text}: no such time of day")
    return of_day_ms


NO_BLACKOUTS = BlackoutCalendar()

PROMOTION_818 = BlackoutCalendar.of(
    [
        {
            "date_from": "08-01",
            "date_to": "08-18",
            "slots": ["19:30-20:00", "20:30-21:00", "21:30-22:00", "22:30-23:00"],
        }
    ]
)
"""The 818 promotion: the platform's own packets go out in these slots (DY-BLK-1)."""
