"""A swarm that waits for a master. One that has found it works in tests/e2e/test_distributed.py."""

import signal
import subprocess
import sys

from loadtest.verdict.weigh import Exit
from tests.waiting import PATIENCE_S


def test_whoever_waits_for_a_master_can_be_told_to_end() -> None:
    """No master answers: SIGTERM ends the waiting."""
    code = "import sys, loadtest.run.swarm_worker as it; print('here', flush=True); sys.exit(it.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "--master-host", "127.0.0.1", "--master-port", "9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        code_of_end = None
        while code_of_end is None:  # its handler may not be there yet at the first signal
            worker.send_signal(signal.SIGTERM)
            try:
                code_of_end = worker.wait(PATIENCE_S / 60)
            except subprocess.TimeoutExpired:
                continue
    assert code_of_end in (Exit.INTERRUPTED, -signal.SIGTERM)
