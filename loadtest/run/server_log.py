"""Errors in the log of a storm's own server: they are findings, even if every receipt agrees with the books."""

import re
from collections.abc import Iterator

from server.store.allocators.guard import SAID

ERRORS_MAX = 100  # kinds; a log with more has the rest to read for itself
CHECKED = "checked"
_LEVEL = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?:ERROR|CRITICAL) (.*)")  # as server/app.py formats lines
_TRACEBACK = "Traceback (most recent call last):"


def server_errors(log: str) -> list[str]:
    """Return each kind of error once, in order: lines of level error, tracebacks by their last line, allocators'."""
    return list(dict.fromkeys(_errors(log.splitlines())))[:ERRORS_MAX]


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
