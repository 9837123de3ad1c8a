"""CPU time used by processes, as the operating system counts it."""

import sys
import time

import psutil

_IS_LINUX = sys.platform.startswith("linux")
_OF_ALL_THREADS = 2  # clock_getcpuclockid(3): how Linux names the CPU clock of another process


def cpu_us(pids: list[int]) -> float:
    """Return user and system time of *pids*, summed, in microseconds."""
    return sum(map(_cpu_ns, pids)) / 1e3


def machine_us() -> tuple[float, float]:
    """Return how long the machine's processors have worked or were stolen, and how long they were idle, summed."""
    times = psutil.cpu_times()
    idle_s = times.idle + getattr(times, "iowait", 0.0)
    guest_s = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # counted in user and nice as well
    return (sum(times) - idle_s - guest_s) * 1e6, idle_s * 1e6


def _cpu_ns(pid: int) -> float:
    if _IS_LINUX:
        return time.clock_gettime_ns(~pid << 3 | _OF_ALL_THREADS)
    return float(sum(psutil.Process(pid).cpu_times()[:2])) * 1e9
