"""A swarm on its own, and how it ends."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from loadtest.engines.progress import ProgressFiles
from loadtest.verdict.weigh import Exit
from scripts.commands.swarm import Visit, run_swarm

NOWHERE = "http://127.0.0.1:9"


def test_a_swarm_that_nobody_can_join_is_30_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends an audience that was never there, and that is no success."""
    folder = tmp_path / "history"

    def interrupt() -> None:
        files = ProgressFiles(folder)
        while not files.look().failed:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    impatient = threading.Thread(target=interrupt, daemon=True)
    impatient.start()
    code = run_swarm(Visit(NOWHERE, "locust", viewers=3, history=folder, directed=True, processes=1))
    impatient.join()
    assert code == Exit.ENVIRONMENT
    assert f"{NOWHERE}: none of 3 viewers got in: connect: Connection refused" in capsys.readouterr().err
