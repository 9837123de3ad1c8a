"""A pace hands out slots, never more than so many in any second."""

from itertools import pairwise

from client_sim.pace import Pace

S = 1_000_000_000


def test_slots_are_evenly_spaced_and_never_early() -> None:
    """A crowd at one instant gets one slot after the other."""
    pace = Pace(50)
    slots = [pace.slot(S) for _ in range(101)]
    assert slots[0] == S
    assert slots[100] == 3 * S
    assert len({later - earlier for earlier, later in pairwise(slots)}) == 1


def test_a_quiet_time_saves_nothing_up() -> None:
    """After a pause the next slots are as far apart as ever."""
    pace = Pace(10)
    assert [pace.slot(0), pace.slot(9 * S), pace.slot(9 * S)] == [0, 9 * S, 9 * S + S // 10]
