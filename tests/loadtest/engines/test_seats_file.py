"""The file that says how many viewers there are to be."""

from pathlib import Path

from loadtest.engines.seats_file import SeatsTold, seats_told, tell_seats


def test_what_was_told_last_counts(tmp_path: Path) -> None:
    """Before the first word nobody is to come."""
    path = tmp_path / "seats.json"
    assert seats_told(path) == SeatsTold(0, all=False)
    tell_seats(path, 5, complete=False)
    assert seats_told(path) == SeatsTold(5, all=False)
    tell_seats(path, 3, complete=True)
    assert seats_told(path) == SeatsTold(3, all=True)
    assert list(tmp_path.iterdir()) == [path]
