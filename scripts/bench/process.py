"""A process of a benchmark, with what it says on standard error kept for the case that it fails."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

TAIL_LINES = 15


class BenchFailed(Exception):  # noqa: N818 - shown to the user
    """A process of a benchmark did not do its part; the text has the end of what it said."""


class BenchProcess:
    """One of our modules as a process that answers lines with lines."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    def go(self) -> None:
        """Write an empty line: it goes on."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def line(self, expected: str | None = None) -> str:
        """Return its next line. Raises BenchFailed if it has ended, or says something else than *expected*."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline().removesuffix("\n")
        if not line or (expected is not None and line != expected):
            raise BenchFailed(f"it said {line!r} instead of {expected or 'a line'!r}")
        return line


@contextmanager
def bench_process(module: str, *arguments: str) -> Iterator[BenchProcess]:
    """Run a module while the block runs. Raises BenchFailed."""
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield BenchProcess(process)
        except BenchFailed as failed:
            process.kill()
            errors.seek(0)
            said = "".join(errors.readlines()[-TAIL_LINES:])
            raise BenchFailed(f"{module}: {failed}\n{said}".rstrip()) from None
        finally:
            process.kill()
            process.communicate()
