"""A module that hangs on a lifeline ends with it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from loadtest.engines.lifeline import OBJECTS_PER_COLLECTION

TIMEOUT_S = 30.0

WAITS = """
import signal, sys, threading
if "gevent" in sys.argv:
    import gevent.monkey
    gevent.monkey.patch_all()
told = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: told.set())
print(__name__, sys.stdin.read(), *sys.argv[1:], flush=True)
while not told.is_set():
    told.wait(0.05)
print("told to stop", flush=True)
"""


def _start(folder: Path, module: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "loadtest.engines.lifeline", module, *arguments],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("arguments", [("plain",), ("gevent",)])
def test_a_module_is_told_to_stop_when_the_line_is_cut(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """It runs as a program with its arguments and an empty standard input, until the pipe is closed."""
    (tmp_path / "waits.py").write_text(WAITS, "utf-8")
    with _start(tmp_path, "waits", *arguments) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline().split() == ["__main__", *arguments]
        assert process.poll() is None
        process.stdin.close()
        assert process.stdout.readline() == "told to stop\n"
        assert process.wait(TIMEOUT_S) == 0


def test_a_module_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    """A module that ignores SIGTERM is killed after the timeout."""
    (tmp_path / "deaf.py").write_text(
        "import signal, time\n"
        "from loadtest.engines import lifeline\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True)\n"
        "while True:\n    time.sleep(1)\n",
        "utf-8",
    )
    starter = (
        "import sys; from loadtest.engines import lifeline; lifeline.STOP_TIMEOUT_S = 0.2; lifeline.main('deaf', [])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "deaf\n"
        process.stdin.close()
        assert process.wait(TIMEOUT_S) == -9


def test_what_a_module_exits_with_is_kept(tmp_path: Path) -> None:
    """The lifeline adds nothing to an end that comes by itself."""
    (tmp_path / "ends.py").write_text("raise SystemExit(7)", "utf-8")
    with _start(tmp_path, "ends") as process:
        assert process.wait(TIMEOUT_S) == 7


def test_what_is_written_into_the_line_ends_nothing(tmp_path: Path) -> None:
    """Only the end of the pipe counts."""
    (tmp_path / "waits.py").write_text(WAITS, "utf-8")
    with _start(tmp_path, "waits") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdin.write("nonsense")
        process.stdin.flush()
        time.sleep(0.3)  # in which it would end
        assert process.poll() is None
        process.stdin.close()
        assert process.stdout.readline() == "told to stop\n"


def test_the_garbage_collector_examines_seldom_what_stays(tmp_path: Path) -> None:
    """Nor does it once more at the very end, when everything is frozen."""
    (tmp_path / "looks.py").write_text(
        "import gc, os, sys\n"
        "class Last:\n"
        "    def __del__(self, write=os.write, frozen=gc.get_freeze_count):\n"
        "        write(1, b'frozen' if frozen() else b'thawed')\n"
        "sys.last = Last()\n"
        "print(gc.get_threshold()[0], flush=True)\n",
        "utf-8",
    )
    with _start(tmp_path, "looks") as process:
        assert process.stdout is not None
        assert process.stdout.read().split() == [str(OBJECTS_PER_COLLECTION), "frozen"]
