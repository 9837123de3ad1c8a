"""
One timeline: the times of a history's processes, whose hosts count from different instants, on one clock.

Two clocks are related by what their processes read of the room clock. A name tells which processes share a clock; their
readings have the last word, since a name may be copied with its host.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from loadtest.record.history import ClockReadingRecord, ClockRelation, Grabs, History

ESTIMATES_NS = 10_000_000
"""How far the estimates that two of the server's processes have of the store's clock may be apart."""

_NS_PER_MS = 1_000_000
_EARLIER = frozenset({"t_intended", "t_sent", "t_close"})
_LATER = frozenset({"t_reply", "t_gave_up", "t_welcome", "t_first", "t_last"})
Interval = tuple[int, int]


def bring_together(history: History, processes: int) -> None:
    """Add to the times of each process what brings them onto the clock of the one with the most grabs."""
    relations = list(_relations(history, processes))
    history.relations = relations
    offsets = {relation.process: relation.offset_ns for relation in relations if relation.offset_ns}
    if offsets:
        for name, records in _changed(history, offsets, lambda _, at_ns, offset_ns: at_ns + offset_ns):
            setattr(history, name, records)


def widened(history: History) -> History:
    """
    Return the history with each tap as early as it may have been sent, and each answer as late as it may have come.

    Only times of processes on another clock change, by the error of its relation.
    """
    if not history.relations:
        return history
    errors = {each.process: _span_ns(history) if each.error_ns is None else each.error_ns for each in history.relations}
    return replace(history, **dict(_changed(history, errors, _by_error)))


def error_ns_of(history: History, process: int) -> int:
    """Return how wrong the times of a process may be in the timeline, as far as that is known."""
    return next((each.error_ns or 0 for each in history.relations if each.process == process), 0)


def clock_error_ms(history: History) -> float | None:
    """Return how wrong times of any process may be in the timeline: 0 on one clock, None if one is not related."""
    errors = [relation.error_ns for relation in history.relations]
    return None if None in errors else max((each for each in errors if each is not None), default=0) / _NS_PER_MS


def _relations(history: History, processes: int) -> Iterator[ClockRelation]:
    names = {own.process: own.clock for own in history.own_clocks}
    readings: dict[int, list[ClockReadingRecord]] = {process: [] for process in range(processes)}
    for reading in history.clocks:
        if reading.speed:
            readings[reading.process].append(reading)
    grabs = history.grabs.by_process
    base = max(range(processes), key=lambda process: (bool(readings[process]), grabs[process]), default=0)
    for process in range(processes):
        if process == base:
            continue
        known = readings[process] or [each for each in history.clocks if names.get(each.process) == names.get(process)]
        found = _offset(known, readings[base])
        if names.get(process) == names.get(base):  # also of old histories, which have no names
            if found is not None and abs(found[0]) > found[1]:
                yield ClockRelation(process, *found)
        elif found is not None:
            yield ClockRelation(process, *found)
        else:
            yield ClockRelation(process, _guess(history, process, base), None)


def _offset(readings: Iterable[ClockReadingRecord], base: list[ClockReadingRecord]) -> tuple[int, int] | None:
    """Return what to add to the clock of *readings*, and the error of that; None without readings."""
    spans = [_span(reading, min(base, key=_distance(reading))) for reading in readings if reading.speed] if base else []
    if not spans:
        return None
    low, high = max(span[0] for span in spans), min(span[1] for span in spans)
    if low > high:  # the clocks drifted apart: no one offset is right all the time
        low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    return (low + high) // 2, (high - low + 1) // 2


def _distance(reading: ClockReadingRecord) -> Callable[[ClockReadingRecord], int]:
    return lambda other: abs(other.server_ms - reading.server_ms)


def _span(reading: ClockReadingRecord, base: ClockReadingRecord) -> Interval:
    """Return between which offsets the clocks of two readings are for certain; room time is told in whole ms."""
    speed = reading.speed or 1
    same_ns = base.t + (reading.server_ms - base.server_ms) * _NS_PER_MS // speed
    error_ns = (reading.rtt_ns + base.rtt_ns) // 2 + _NS_PER_MS // speed + ESTIMATES_NS
    return same_ns - reading.t - error_ns, same_ns - reading.t + error_ns


def _guess(history: History, process: int, base: int) -> int:
    """Return the offset with which both processes begin at once, so that at least their spans lie together."""
    return _first_ns(history, base) - _first_ns(history, process)


def _first_ns(history: History, process: int) -> int:
    opened = (conn.t_open for conn in history.conns if conn.process == process)
    sent = (grab.t_intended for grab in history.grabs if grab.process == process)
    return min((*opened, *sent), default=0)


def _span_ns(history: History) -> int:
    times = [at for grab in history.grabs for at in (grab.t_sent, grab.t_reply) if at is not None]
    times += [at for conn in history.conns for at in (conn.t_open, conn.t_close) if at is not None]
    return max(times, default=0) - min(times, default=0) + _NS_PER_MS


def _by_error(name: str, at_ns: int, error_ns: int) -> int:
    return at_ns - error_ns if name in _EARLIER else at_ns + error_ns if name in _LATER else at_ns


def _changed(
    history: History, by_process: Mapping[int, int], changed: Callable[[str, int, int], int]
) -> Iterator[tuple[str, Any]]:
    """Yield the records whose times *changed* makes of a field's name, its time and the number of these processes."""
    for each in fields(history):
        records: list[Any] | Grabs = getattr(history, each.name)
        first = next(iter(records), None)
        names = [] if first is None else [name for name in type(first)._fields if name[:2] in ("t", "t_")]
        if names:
            make = Grabs if isinstance(records, Grabs) else list
            yield each.name, make(_record(record, names, by_process, changed) for record in records)


def _record(
    record: Any, names: list[str], by_process: Mapping[int, int], changed: Callable[[str, int, int], int]
) -> Any:
    by = by_process.get(record.process)
    if by is None:
        return record
    known = ((name, getattr(record, name)) for name in names)
    return record._replace(**{name: changed(name, at_ns, by) for name, at_ns in known if at_ns is not None})
