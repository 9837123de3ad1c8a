"""The health of the load generator, sampled by each of its processes while it runs."""

import os
import time
from pathlib import Path
from typing import Any

_STAT = Path("/proc/stat")
_STEAL = 7  # of user nice system idle iowait irq softirq steal


class GeneratorSampler:
    """Samples this process and the machine's stolen time, each time since the last sample."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()
        self._ticks = _machine_ticks()

    def sample(self, lag_ms: float) -> dict[str, Any]:
        """
        Return the fields of a ``health`` line (ARCHITECTURE.md).

        *lag_ms* is the lag of the event loop; ``cpu`` is in cores, ``steal`` the fraction of machine time taken by the
        hypervisor.
        """
        wall, cpu, ticks = time.monotonic(), time.process_time(), _machine_ticks()
        spent_s = max(wall - self._wall, 1e-6)
        all_ticks = ticks[0] - self._ticks[0]
        line = {
            "t": time.monotonic_ns(),
            "lag_ms": round(lag_ms, 3),
            "cpu": round((cpu - self._cpu) / spent_s, 4),
            "steal": round((ticks[1] - self._ticks[1]) / all_ticks, 4) if all_ticks > 0 else 0.0,
            "descriptors": open_descriptors(),
        }
        self._wall, self._cpu, self._ticks = wall, cpu, ticks
        return line


def open_descriptors() -> int:
    """Return how many files and sockets the process has open; 0 where that is not cheap to know."""
    try:
        return os.stat("/proc/self/fd").st_size  # counted by the kernel, nothing is listed
    except OSError:
        return 0


def _machine_ticks() -> tuple[int, int]:
    """Return the machine's total and stolen ticks; zeros where the system does not report them."""
    try:
        fields = [int(field) for field in _STAT.read_text("ascii").partition("\n")[0].split()[1:9]]
    except (OSError, ValueError):
        return (0, 0)
    return (sum(fields), fields[_STEAL] if len(fields) > _STEAL else 0)
