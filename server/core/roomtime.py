"""Room time: the simulation's clock, computed from real time in integers (docs/protocol.md)."""

from dataclasses import dataclass

SPEED_MAX = 3_600  # an hour of room time in a second
ORIGIN_MS_MIN = 946_684_800_000  # 2000-01-01 UTC: an instant in seconds is below it
ORIGIN_MS_MAX = 4_102_444_800_000  # 2100-01-01 UTC: one in microseconds or nanoseconds is above it


@dataclass(frozen=True, slots=True)
class RoomClock:
    """
    The one stored record from which every process and script computes room time.

    ``origin_ms`` is the room time at the real instant ``started_ms``; both are milliseconds since 1970 UTC.
    ``speed`` is a whole number of room milliseconds per real one; 0 is the test clock, whose room time is
    ``origin_ms`` until an administrator moves it.
    """

    origin_ms: int
    started_ms: int
    speed: int

    def __post_init__(self) -> None:
        assert 0 <= self.speed <= SPEED_MAX

    def room_ms(self, real_ms: int) -> int:
        """Return the room time at real instant *real_ms*."""
        return self.origin_ms + (real_ms - self.started_ms) * self.speed

    def real_ms(self, room_ms: int) -> int:
        """Return the first real millisecond at which room time has reached *room_ms*. The test clock has none."""
        assert self.speed > 0
        return self.started_ms - (self.origin_ms - room_ms) // self.speed

    def real_until(self, room_ms: int, *, now_real_ms: int) -> int:
        """Return the real milliseconds from *now_real_ms* until room time reaches *room_ms*, at least 0."""
        return max(0, self.real_ms(room_ms) - now_real_ms)
