"""A file by which one process tells another how many viewers there are to be now."""

from pathlib import Path
from typing import NamedTuple

import orjson


class SeatsTold(NamedTuple):
    """How many viewers there are to be, and whether these are all."""

    seats: int
    all: bool


def tell_seats(path: Path, seats: int, *, complete: bool) -> None:
    """Write the file anew, whole at any time."""
    partly = path.with_suffix(".part")
    partly.write_bytes(orjson.dumps([seats, complete]))
    partly.replace(path)


def seats_told(path: Path) -> SeatsTold:
    """Return what the file says; without a file nobody is to come yet."""
    try:
        return SeatsTold(*orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return SeatsTold(0, all=False)
