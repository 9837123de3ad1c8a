"""Resource samples: the memory and the open files of server, store and generator while a storm runs."""

import time
from collections.abc import Callable, Mapping, Sequence

import psutil

from loadtest.record.run_folder import RESOURCE_SAMPLES_MAX, Resources
from loadtest.run.machine_watch import MachineWatch

EVERY_S = 1.0
Roles = Mapping[str, Callable[[], Sequence[int]]]
"""Returns the processes of each role, which may change."""


class ResourceSampler(MachineWatch):
    """
    Samples some processes by their roles, and how long the server takes to answer, from ``start`` to ``stop``.

    *probe* asks the server once and returns when it has answered. In a long run every second sample is dropped again
    and again, so that a bounded number is kept.
    """

    def __init__(self, roles: Roles, probe: Callable[[], object] | None = None) -> None:
        self.samples: Resources = {role: [] for role in (*roles, *(["probe"] if probe else []))}
        self._roles = roles
        self._probe = probe
        self._every_s = EVERY_S
        super().__init__("resources")

    def look(self) -> None:
        """Take one sample of everything."""
        for role, pids in self._roles.items():
            found = [sample for pid in pids() if (sample := _of_process(pid)) is not None]
            if found:
                self.samples[role].append([time.monotonic_ns(), *map(sum, zip(*found, strict=True))])
        if self._probe is not None:
            asked_ns = time.monotonic_ns()
            try:
                self._probe()
            except OSError:  # the server is away: its log and the faults say so
                return
            self.samples["probe"].append([asked_ns, time.monotonic_ns() - asked_ns, 0])

    def _watch(self) -> None:
        while not self._over.wait(self._every_s):
            self.look()
            if max(map(len, self.samples.values()), default=0) >= RESOURCE_SAMPLES_MAX:
                self.samples = {role: kept[::2] for role, kept in self.samples.items()}
                self._every_s *= 2


def _of_process(pid: int) -> tuple[int, int] | None:
    """Return the resident bytes and the open files of a process, or None if it has ended."""
    try:
        process = psutil.Process(pid)
        return process.memory_info().rss, process.num_fds()
    except psutil.Error:
        return None
