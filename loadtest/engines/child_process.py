"""A child process of a run: one of our modules, with its log in a file, that ends when the run does."""

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from loadtest.verdict.weigh import Exit
from server.settings import clean_environment

STOP_TIMEOUT_S = 60.0
LOG_TAIL_LINES = 15


class ProcessFailed(Exception):  # noqa: N818 - shown to the user
    """A process of the storm failed. ``exit_code`` is the exit code for the storm."""

    def __init__(self, text: str, exit_code: Exit) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Build(NamedTuple):
    """
    A copy of this project whose modules are run: its root folder, and the interpreter that has its dependencies.

    ``hooks`` is a folder that comes before them, whose ``sitecustomize`` Python imports as it starts.
    """

    root: Path
    python: Path
    hooks: Path | None = None

    @property
    def path(self) -> str:
        """Return what Python is to search first for modules."""
        return os.pathsep.join(map(str, filter(None, (self.hooks, self.root))))


class ChildProcess:
    """
    One process with its log in a file.

    It gets its own session, so that Ctrl-C reaches only the storm, which then stops its children in order; and a
    lifeline, so that it ends even if the storm is killed. ``-P`` keeps the working directory, which may hold folders
    named like ours, off the import path. Of the variables that are ours it inherits only those *kept*, and gets the
    *given*. The modules are those of *build*, by default our own.
    """

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        log: Path,
        *,
        kept: Collection[str] = (),
        given: Mapping[str, str] = MappingProxyType({}),
        build: Build | None = None,
    ) -> None:
        self.name = name
        self.log = log
        python = sys.executable if build is None else str(build.python)
        path = {} if build is None else {"PYTHONPATH": build.path}
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own modules
                [python, "-P", "-m", "loadtest.engines.lifeline", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**clean_environment(kept), **given, **path},
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self._process.poll() is None

    def tail(self) -> str:
        """Return the last lines of its log."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def check(self) -> None:
        """Raise ProcessFailed if it has ended, with the end of its log and its exit code if that is one of ours."""
        code = self._process.poll()
        if code is not None:
            known = Exit(code) if code in set(Exit) and code != Exit.PASS else Exit.ENVIRONMENT
            raise ProcessFailed(f"the {self.name} ended with status {code}:\n{self.tail()}", known)

    def ask_to_end(self) -> None:
        """Ask it to end without waiting."""
        if self.alive():
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Ask it to end, wait, and return its status; kill it after a timeout."""
        self.ask_to_end()
        try:
            return self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            assert self._process.stdin is not None
            self._process.stdin.close()
