"""Errors in the log of a storm's own server: they are findings, even if every receipt agrees with the books."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from server.store.allocators.guard import SAID

ERRORS_MAX = 100  # kinds; a log with more has the rest to read for itself
_LEVEL = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?:ERROR|CRITICAL) (.*)")  # as server/app.py formats lines
_AWAY = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) WARNING redrain: (.+?) "
    r"(?:does not work: (the store is unavailable)|works again)"
)
_TRACEBACK = "Traceback (most recent call last):"


def server_errors(log: str) -> list[str]:
    """Return each kind of error once, in order: lines of level error, tracebacks by their last line, allocators'."""
    return list(dict.fromkeys(_errors(log.splitlines())))[:ERRORS_MAX]


def store_absences(log: str, ahead_ns: int) -> list[list[int | None]]:
    """
    Return from when to when the store was away, as the server's parts have told the log, by the monotonic clock.

    *ahead_ns* is how far the time of day is ahead of it. An absence ends when every part works again, or never (None).
    """
    absences: list[list[int | None]] = []
    away: Counter[str] = Counter()
    for line in log.splitlines():
        told = _AWAY.match(line)
        if told is None:
            continue
        at_ns = round(datetime.strptime(told[1], "%Y-%m-%d %H:%M:%S,%f").timestamp() * 1e9) - ahead_ns  # noqa: DTZ007 - the log's own zone
        if told[3]:
            if not away:
                absences.append([at_ns, None])
            away[told[2]] += 1
        elif away[told[2]]:
            away[told[2]] -= 1
            away = +away
            if not away:
                absences[-1][1] = at_ns
    return absences


def _errors(lines: list[str]) -> Iterator[str]:
    said, in_traceback = "", False
    for line in lines:
        if in_traceback and (not line or line.startswith(" ")):
            continue
        if in_traceback:  # the line that names the exception ends its traceback
            in_traceback = False
            yield f"{said}: {line}" if said else line
            said = ""
        elif line.startswith(_TRACEBACK):
            in_traceback = True
        else:
            if said:
                yield said
            found = _LEVEL.match(line)
            said = found[1] if found else ""
            if line.startswith(SAID):
                yield line.removeprefix("redrain: ")
    if said or in_traceback:
        yield said or "a traceback that is cut off"
