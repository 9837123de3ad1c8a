"""Machine waits: how long the processes of a storm's own server waited for a processor or for the disk, and when."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from loadtest.record.run_folder import WAITS_MAX
from loadtest.run.machine_watch import MachineWatch

LOOK_EVERY_S = 0.05
TOLD_NS = 5_000_000  # shorter waits are ordinary, and would only fill the run's folder
_PROC = Path("/proc")
_STEAL = 8  # of cpu user nice system idle iowait irq softirq steal
_NS_PER_TICK = 10_000_000


class MachineWaits(MachineWatch):
    """
    Watches processes from ``start`` to ``stop``; ``waits`` then says from when to when, and how long they waited.

    Instants are of the monotonic clock and all figures nanoseconds. Waits of several processes add up: a fact passes
    from one to the next. A system without such accounts has no waits.
    """

    def __init__(self, pids: Callable[[], Sequence[int]]) -> None:
        """Watch the processes that *pids* returns, which may change."""
        self.waits: list[list[int]] = []
        self._pids = pids
        super().__init__("machine waits")

    def _watch(self) -> None:
        looked, before, stolen = time.monotonic_ns(), dict[int, int](), _stolen_ns()
        while not self._over.wait(LOOK_EVERY_S):
            now, stolen_now = time.monotonic_ns(), _stolen_ns()
            after = {pid: waited for pid in self._pids() if (waited := _queued_ns(pid)) is not None}
            waited_ns = sum(waited - before.get(pid, waited) for pid, waited in after.items()) + stolen_now - stolen
            waited_ns += sum(now - looked for pid in after if _is_at_disk(pid))
            if waited_ns >= TOLD_NS:
                self.waits.append([looked, now, waited_ns])
            if len(self.waits) >= WAITS_MAX:
                self.waits = merged(self.waits)
            looked, before, stolen = now, after, stolen_now


def merged(waits: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return half as many waits, each of two neighbours: from when the first began until the second ended."""
    pairs = [waits[number : number + 2] for number in range(0, len(waits), 2)]
    return [[pair[0][0], pair[-1][1], sum(each[2] for each in pair)] for pair in pairs]


def _queued_ns(pid: int) -> int | None:
    """Return how long a process's first thread has waited for a processor in all; None if that is not known."""
    try:
        return int((_PROC / str(pid) / "schedstat").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _is_at_disk(pid: int) -> bool:
    """Tell whether a process waits for a disk at this moment."""
    try:
        return (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] == "D"
    except (OSError, IndexError):
        return False


def _stolen_ns() -> int:
    """Return how long a hypervisor has withheld the machine's processors in all."""
    try:
        return int((_PROC / "stat").read_text("ascii").partition("\n")[0].split()[_STEAL]) * _NS_PER_TICK
    except (OSError, ValueError, IndexError):
        return 0
