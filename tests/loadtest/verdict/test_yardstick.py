"""The yardstick: a machine that was not the same for both sides voids what it timed."""

from loadtest.verdict.comparison import Pair
from loadtest.verdict.yardstick import check_yardstick

STEADY = Pair(100, 101)


def test_a_steady_machine_keeps_every_pair() -> None:
    """Within five per cent nothing is left out."""
    found = check_yardstick([STEADY] * 6)
    assert (found.ok, found.note, found.steady) == (True, "", [0, 1, 2, 3, 4, 5])


def test_a_moved_pair_leaves_with_its_neighbour() -> None:
    """Two pairs are one turn of base, head, head, base: half of it would favour a side."""
    found = check_yardstick([STEADY, STEADY, Pair(100, 130), STEADY, STEADY, STEADY])
    assert (found.ok, found.steady) == (True, [0, 1, 4, 5])


def test_a_machine_that_moves_most_of_the_time_voids() -> None:
    """More than half of the pairs moved: there was no quiet half."""
    found = check_yardstick([STEADY, Pair(100, 110), Pair(100, 90), Pair(0, 5)])
    assert not found.ok
    assert "within 3 of 4 pairs" in found.note


def test_a_machine_that_favours_one_side_voids() -> None:
    """Every other head's leg ran on a machine that was a fifth slower."""
    found = check_yardstick([Pair(100, 104.9), Pair(100, 125)] * 4)
    assert not found.ok
    assert "+15% beside the head" in found.note
