"""The users of a service: a CSV or JSON file with a row for each viewer."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from loadtest.record.given_file import NotTaken, read_given
from loadtest.targets.port import BadTarget

USERS_BYTES_MAX = 1 << 28


def read_users(path: Path) -> Sequence[Mapping[str, object]]:
    """Return the rows of a file, JSON (a list of objects) or CSV with a head. Raises BadTarget."""
    try:
        content = read_given(path, USERS_BYTES_MAX)
        if path.suffix == ".json":
            rows = orjson.loads(content)
        else:
            rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    except (OSError, UnicodeDecodeError, orjson.JSONDecodeError, csv.Error, NotTaken) as error:
        raise BadTarget(f"target.users: {path} cannot be read: {error}") from None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadTarget(f"target.users: {path} must hold a list of objects, or CSV with a head, and a row at least")
    return [_checked(path, number, row) for number, row in enumerate(rows, start=1)]


def _checked(path: Path, number: int, row: Mapping[str, object]) -> Mapping[str, object]:
    """Return a row by the names that templates use; a value with a line break would end a header early."""
    if None in row or None in row.values():
        raise BadTarget(f"target.users: {path} row {number}: has more or fewer values than the head has names")
    for name, value in row.items():
        if isinstance(value, dict | list):
            raise BadTarget(f"target.users: {path} row {number}: {name}: must be a text or a number")
        if isinstance(value, str) and not value.isprintable():
            raise BadTarget(f"target.users: {path} row {number}: {name}: has a line break or another control character")
    return {f"user.{name}": value for name, value in row.items()}
