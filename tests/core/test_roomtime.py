"""Room time: exact in integers, forwards and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.roomtime import SPEED_MAX, RoomClock

CLOCK = RoomClock(origin_ms=1_000_000, started_ms=5_000, speed=60)


def test_room_time_runs_at_its_speed() -> None:
    """A real second at speed 60 is a minute of room time."""
    assert CLOCK.room_ms(5_000) == 1_000_000
    assert CLOCK.room_ms(6_000) == 1_060_000


def test_room_time_before_the_start_lies_before_the_origin() -> None:
    """The clock is a line, not a ray."""
    assert CLOCK.room_ms(4_999) == 999_940


@given(st.integers(0, 2**50), st.integers(0, 2**50), st.integers(1, SPEED_MAX), st.integers(-(2**50), 2**50))
def test_the_real_instant_is_the_first_that_reaches_a_room_time(
    origin_ms: int, started_ms: int, speed: int, ahead_ms: int
) -> None:
    """At the returned millisecond room time has come, and a millisecond earlier it had not."""
    clock = RoomClock(origin_ms, started_ms, speed)
    real_ms = clock.real_ms(origin_ms + ahead_ms)
    assert clock.room_ms(real_ms - 1) < origin_ms + ahead_ms <= clock.room_ms(real_ms)


def test_the_wait_for_what_has_passed_is_nothing() -> None:
    """A timer is never set into the past."""
    assert CLOCK.real_until(1_060_000, now_real_ms=5_400) == 600
    assert CLOCK.real_until(1_060_000, now_real_ms=7_000) == 0


def test_the_test_clock_stands_still() -> None:
    """At speed 0 room time is the origin, whatever the real time, and no real instant belongs to another."""
    clock = RoomClock(origin_ms=77, started_ms=0, speed=0)
    assert clock.room_ms(10**12) == 77
    with pytest.raises(AssertionError):
        clock.real_ms(78)


@pytest.mark.parametrize("speed", [-1, SPEED_MAX + 1])
def test_a_speed_out_of_bounds_is_no_clock(speed: int) -> None:
    """Room time never runs backwards, nor faster than an hour a second."""
    with pytest.raises(AssertionError):
        RoomClock(0, 0, speed)
