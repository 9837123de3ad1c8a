"""The countdown: what a viewer makes of the server's time."""

from client_sim.countdown import Countdown

MS = 1_000_000


def test_the_welcome_gives_a_first_reading() -> None:
    """Room instants lie on the local clock from the first message on, at the speed of the room."""
    countdown = Countdown(1_000, 50 * MS, speed=60)
    assert countdown.local_ns(1_000) == 50 * MS
    assert countdown.local_ns(1_000 + 60 * 20) == 70 * MS


def test_a_pong_is_placed_in_the_middle_of_its_way() -> None:
    """The server's time belongs to the instant halfway between ping and pong."""
    countdown = Countdown(0, 0, speed=1)
    asked = countdown.ask(100 * MS)
    assert countdown.answered(asked, 5_000, 110 * MS) == 10 * MS
    assert countdown.local_ns(5_000) == 105 * MS


def test_the_shortest_way_wins() -> None:
    """A longer round trip does not replace a shorter one; a shorter one does."""
    countdown = Countdown(0, 0, speed=1)
    assert countdown.answered(countdown.ask(100 * MS), 5_000, 104 * MS) is not None
    assert countdown.answered(countdown.ask(200 * MS), 9_999, 290 * MS) is None
    assert countdown.local_ns(5_000) == 102 * MS
    assert countdown.answered(countdown.ask(300 * MS), 5_200, 302 * MS) == 2 * MS
    assert countdown.local_ns(5_200) == 301 * MS


def test_an_old_reading_ages() -> None:
    """Clocks drift: after hours a slightly longer way is the better reading."""
    countdown = Countdown(0, 0, speed=1)
    countdown.answered(countdown.ask(0), 0, 2 * MS)
    hour_ns = 3_600_000 * MS
    assert countdown.answered(countdown.ask(hour_ns), 3_600_000, hour_ns + 3 * MS) == 3 * MS


def test_a_pong_that_nobody_asked_for_changes_nothing() -> None:
    """Only the answer to the ping on its way is a reading, and only once."""
    countdown = Countdown(0, 0, speed=1)
    asked = countdown.ask(100 * MS)
    assert countdown.answered(asked + 1, 77, 101 * MS) is None
    assert countdown.answered(asked, 100, 101 * MS) is not None
    assert countdown.answered(asked, 88, 102 * MS) is None


def test_room_time_is_read_off_the_local_clock() -> None:
    """It is the inverse: whole milliseconds that have passed."""
    countdown = Countdown(1_000, 50 * MS, speed=60)
    assert countdown.room_ms(70 * MS) == 1_000 + 60 * 20
    assert countdown.room_ms(70 * MS - 1) == 1_000 + 60 * 20 - 1
