"""Machine waits: a process that did not get a processor is seen to have waited."""

import os
import subprocess
import sys

from loadtest.run.machine_waits import MachineWaits, merged
from tests.waiting import until

BUSY = [sys.executable, "-c", "while True: pass"]


def test_a_process_that_shares_its_processor_waits() -> None:
    """Two busy processes on one processor: each waits for about half of the time, by the kernel's own account."""
    processor = min(os.sched_getaffinity(0))
    busy = [subprocess.Popen(BUSY, preexec_fn=lambda: os.sched_setaffinity(0, {processor})) for _ in range(2)]  # noqa: PLW1509 - no threads yet
    waits = MachineWaits(lambda: [process.pid for process in busy] + [2**22 + 1])
    waits.start()
    try:
        until(lambda: waits.waits)
    finally:
        waits.stop()
        for process in busy:
            process.kill()
            process.wait()
    t_from, t_to, waited_ns = waits.waits[0]
    assert t_from < t_to
    assert waited_ns > 0


def test_the_waits_of_a_long_run_are_told_together() -> None:
    """Half as many, of the same sum, so that a record of any length can be read."""
    assert merged([[0, 1, 5], [2, 3, 6], [9, 10, 7]]) == [[0, 3, 11], [9, 10, 7]]
