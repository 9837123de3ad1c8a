"""Machine load: what the run's own processes used is its own, also when they have ended."""

import subprocess
import sys
import time

from loadtest.run.machine_load import MachineLoad, halved

BURN_S = 0.4
BURN = [sys.executable, "-c", f"import time\nwhile time.process_time() < {BURN_S}: pass"]


def test_what_children_used_is_not_lost_when_they_end() -> None:
    """One that begins and ends between two looks is counted as ours; the lines follow each other without a gap."""
    load = MachineLoad()
    load.start()
    subprocess.run(BURN, check=True)
    load.stop()
    assert sum(span[2] or 0 for span in load.spans) >= 0.9e9 * BURN_S
    assert all(value is None or value >= 0 for span in load.spans for value in span)
    assert [span[0] for span in load.spans[1:]] == [span[1] for span in load.spans[:-1]]
    assert (load.spans[-1][1] or 0) <= time.monotonic_ns()


def test_long_runs_have_longer_spans() -> None:
    """Nothing is lost but detail; what is unknown in one half is unknown in both."""
    spans: list[list[int | None]] = [[0, 1, 1, 2, 3, 4, 5], [1, 2, 1, 2, 3, 4, 5], [2, 3, 1, 1, 1, 1, None]]
    assert halved(spans) == [[0, 2, 2, 4, 6, 8, 10], [2, 3, 1, 1, 1, 1, None]]
    assert halved([*spans, spans[0]])[1] == [2, 1, 2, 3, 4, 5, None]
