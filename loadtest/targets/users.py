"""The users of a service: a CSV or JSON file with a row for each viewer."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from loadtest.targets.port import BadTarget


def read_users(path: Path) -> Sequence[Mapping[str, object]]:
    """Return the rows of a file, JSON (a list of objects) or CSV with a head. Raises BadTarget."""
    try:
        if path.suffix == ".json":
            rows = orjson.loads(path.read_bytes())
        else:
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, orjson.JSONDecodeError, csv.Error) as error:
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
