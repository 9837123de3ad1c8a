"""
Python instructions: how many a server executes for a grab, which no other work on the machine changes.

Python itself counts them, in a server that imports a module of ours as it starts; that works with any revision.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import server
from loadtest.engines.child_process import Build
from scripts.bench.process import BenchFailed
from scripts.gate import hooks

TOLD_WITHIN_S = 60.0


@contextmanager
def counted(build: Build | None) -> Iterator[Build]:
    """Yield *build*, by default our own, with a folder of its own whose module counts."""
    with TemporaryDirectory(prefix="redrain-", ignore_cleanup_errors=True) as folder:
        shutil.copy(Path(hooks.__path__[0], "sitecustomize.py"), folder)
        ours = Build(Path(server.__path__[0]).parent, Path(sys.executable)) if build is None else build
        yield ours._replace(hooks=Path(folder))


class Instructions:
    """The count of one process of a build that is ``counted``; the first reading starts it."""

    def __init__(self, build: Build, pid: int) -> None:
        assert build.hooks is not None
        self._file = build.hooks / str(pid)
        self._pid = pid
        self._asked = 0

    def read(self) -> int:
        """Return how many instructions there were since the first reading. Raises BenchFailed."""
        self._asked += 1
        os.kill(self._pid, signal.SIGUSR2)
        deadline_s = time.monotonic() + TOLD_WITHIN_S
        while time.monotonic() < deadline_s:
            if self._file.exists():
                asked, instructions = map(int, self._file.read_text("ascii").split())
                if asked == self._asked:
                    return instructions
            time.sleep(0.001)
        raise BenchFailed(f"the server did not say within {TOLD_WITHIN_S:.0f} s how many instructions it executed")
