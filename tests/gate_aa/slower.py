"""A planted slowdown: a part of the CPU that a process uses for its work is used once more, in small spins."""

import time
from typing import Any


class Spinner:
    """Uses a *part* of what was ``used_s`` once more."""

    def __init__(self, part: float) -> None:
        self._part = part
        self.used_s = 0.0
        self.spun_s = 0.0

    def spin(self) -> None:
        """Catch up."""
        owed_s = self._part * self.used_s - self.spun_s
        began_s = time.thread_time()
        while time.thread_time() - began_s < owed_s:
            sum(range(20))
        self.spun_s += time.thread_time() - began_s


def slow_down(desk: Any, part: float) -> None:
    """Have a class of grab desks spin before it hands out answers: by what batches cost, from their first grab on."""
    take, hand_out = desk.take, desk._hand_out
    spinner = Spinner(part)
    taken_s: list[float] = []

    def noting(self: Any, *grab: Any) -> None:
        if not taken_s:
            taken_s.append(time.process_time())
        take(self, *grab)

    def spinning(self: Any, requesters: list[Any], claims: list[Any]) -> None:
        began_s = time.process_time()
        spinner.used_s += began_s - (taken_s.pop() if taken_s else began_s)
        spinner.spin()
        began_s = time.process_time()
        hand_out(self, requesters, claims)
        spinner.used_s += time.process_time() - began_s

    desk.take, desk._hand_out = noting, spinning
