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
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadTarget(f"target.users: {path} must hold a list of objects, or CSV with a head")
    return [{f"user.{name}": value for name, value in row.items()} for row in rows]
