"""A planted slowdown: a part of all the CPU that a process uses is used once more, in small spins."""

import time
from typing import Any


class Spinner:
    """Uses CPU until it has used a *part* of what the process has used otherwise, since the spinner was made."""

    def __init__(self, part: float) -> None:
        self._part = part
        self._began_s = time.process_time()
        self.spun_s = 0.0

    def spin(self) -> None:
        """Catch up."""
        owed_s = self._part * (time.process_time() - self._began_s - self.spun_s) - self.spun_s
        began_s = time.thread_time()
        while time.thread_time() - began_s < owed_s:
            sum(range(20))
        self.spun_s += time.thread_time() - began_s


def slow_down(desk: Any, part: float) -> None:
    """Have a class of grab desks spin before it hands out the answers of a batch."""
    hand_out = desk._hand_out
    spinners: list[Spinner] = []

    def planted(self: Any, requesters: list[Any], claims: list[Any]) -> None:
        if not spinners:
            spinners.append(Spinner(part))  # what the start has used is not to be repeated
        spinners[0].spin()
        hand_out(self, requesters, claims)

    desk._hand_out = planted
