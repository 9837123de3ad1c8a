"""Machine load: who used the machine's processors during a run: its own processes, others, nobody, or a hypervisor."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from loadtest.record.run_folder import RunFacts
from loadtest.run.machine_watch import MachineWatch

LOOK_EVERY_S = 1.0  # listing the machine's processes takes some milliseconds
SPANS_MAX = 4_000  # an hour; then two become one, so that a soak of days has no more
_PRESSURE = Path("/proc/pressure/cpu")
_NS_PER_US = 1_000

Span = list[int | None]


class CpuTimes(NamedTuple):
    """Seconds of processor time of one process: its own, and that of its children that have ended."""

    own: float
    ended: float


class MachineLoad(MachineWatch):
    """
    Watches the machine from ``start`` to ``stop``; ``spans`` then has a line for each second.

    A line (``RunFacts.machine_load``) tells from when to when, by the monotonic clock, and the nanoseconds of
    processor time of this process with its descendants, of all others, idle, and stolen, and how long something waited
    for a processor (None where the kernel does not say).
    """

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._tree: dict[psutil.Process, CpuTimes] = {}
        super().__init__("machine load")

    def _watch(self) -> None:
        self._ours_s()
        before, looked, waited = psutil.cpu_times(), time.monotonic_ns(), _waited_ns()
        is_over = False
        while not is_over:
            is_over = self._over.wait(LOOK_EVERY_S)
            ours_s = self._ours_s()
            after, now, waited_now = psutil.cpu_times(), time.monotonic_ns(), _waited_ns()
            spent = {name: value - getattr(before, name) for name, value in after._asdict().items()}
            # Interrupts are left out: those of the run's own traffic are nobody else's work.
            others_s = sum(spent.get(name, 0.0) for name in ("user", "nice", "system")) - ours_s
            idle_s = spent["idle"] + spent.get("iowait", 0.0)
            times = (round(1e9 * max(0.0, each)) for each in (ours_s, others_s, idle_s, spent.get("steal", 0.0)))
            stalled = None if waited is None or waited_now is None else waited_now - waited
            self.spans.append([looked, now, *times, stalled])
            if len(self.spans) >= SPANS_MAX:
                self.spans = halved(self.spans)
            before, looked, waited = after, now, waited_now

    def _ours_s(self) -> float:
        """Return the processor time of our processes since the last call. One that has lost its parent stays ours."""
        me = psutil.Process()
        found = {me, *self._tree}
        with suppress(psutil.Error):
            found.update(me.children(recursive=True))
        now = {process: times for process in found if (times := _times_of(process)) is not None}
        nothing = CpuTimes(0.0, 0.0)
        own_s = sum(times.own - self._tree.get(process, nothing).own for process, times in now.items())
        ended_s = sum(times.ended - self._tree.get(process, nothing).ended for process, times in now.items())
        counted_s = sum(sum(times) for process, times in self._tree.items() if process not in now)
        self._tree = now
        return own_s + max(0.0, ended_s - counted_s)


@contextmanager
def machine_watched(facts: RunFacts) -> Iterator[None]:
    """Watch the machine during the block, and write down in *facts* what it did."""
    load = MachineLoad()
    load.start()
    try:
        yield
    finally:
        load.stop()
        facts.machine_load = load.spans


def halved(spans: list[Span]) -> list[Span]:
    """Return spans of twice the length: two that follow each other become one; a last odd one stays."""
    pairs = zip(spans[::2], spans[1::2], strict=False)
    joined = [
        [one[0], other[1], *(_sum(*each) for each in zip(one[2:], other[2:], strict=True))] for one, other in pairs
    ]
    return joined + spans[2 * len(joined) :]


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _times_of(process: psutil.Process) -> CpuTimes | None:
    """Return the times of a process, None if it has ended or is another by now."""
    try:
        if not process.is_running():
            return None
        times = process.cpu_times()
    except psutil.Error:
        return None
    return CpuTimes(
        times.user + times.system,
        getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0),
    )


def _waited_ns() -> int | None:
    """Return how long something has waited for a processor in all; None if the kernel does not say."""
    try:
        return int(_PRESSURE.read_text("ascii").partition("\n")[0].rpartition("total=")[2]) * _NS_PER_US
    except (OSError, ValueError):
        return None
