"""The buttons of a dashboard: something is broken on purpose, to see that it shows and that it comes back."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import requests

from loadtest.engines.child_process import ProcessFailed
from loadtest.run.nemesis import StoreOfRun
from loadtest.targets.access import http_session
from loadtest.targets.requester import SetUpFailed
from loadtest.watch.server_source import ServerSource

NAIVE = "naive"
LOOK_EVERY_S = 0.01
BACK_WITHIN_S = 60.0
ASK_TIMEOUT_S = 2.0
STEPS_SHOWN_S = 20.0  # after a recovery

Work = Callable[[Callable[[], bool]], None]
"""The work of a button. It ends early once the function that it is given returns true."""


class Button:
    """A control whose *work* is done in a thread of its own; *source* is told if it fails."""

    offered = True

    def __init__(self, name: str, source: ServerSource, work: Work) -> None:
        self._name = name
        self._source = source
        self._work = work
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Tell whether it is still at it."""
        return self._thread is not None and self._thread.is_alive()

    def press(self) -> None:
        """Begin, unless it is busy, and return at once."""
        with self._lock:
            if not self.busy and not self._over.is_set():
                self._thread = threading.Thread(target=self._run, name=self._name)
                self._thread.start()

    def close(self) -> None:
        """End the work, and begin it no more."""
        with self._lock:
            self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._work(self._over.is_set)
        except (OSError, ValueError, SetUpFailed, ProcessFailed) as error:
            if not self._over.is_set():
                self._source.say("control_failed", name=self._name, detail=str(error).partition("\n")[0])


class KillStore(Button):
    """Kills the embedded store of the server folder *home* with SIGKILL, and follows its recovery step by step."""

    def __init__(self, source: ServerSource, url: str, home: Path) -> None:
        super().__init__("kill_store", source, self._kill)
        self._store = StoreOfRun(home)
        self._url = url
        self._http = http_session()
        self._reached: dict[str, int | None] = {}
        self._over_s = 0.0
        source.steps = self.steps

    def steps(self) -> tuple[tuple[str, int | None], ...]:
        """Return the steps of the recovery and when each was reached, in ms after the kill; none some time after it."""
        shown = self.busy or time.monotonic() < self._over_s + STEPS_SHOWN_S
        return tuple(self._reached.items()) if shown else ()

    def _kill(self, stopped: Callable[[], bool]) -> None:
        pid = self._store.pid()
        began_s = time.monotonic()
        self._reached = {"killed": 0, "process": None, "answers": None, "ready": None, "books": None}
        os.kill(pid, signal.SIGKILL)
        self._source.say("store_killed")
        for step, reached in (
            ("process", lambda: self._store.pid() != pid),
            ("answers", lambda: self._store.ask(b"PING") == b"+PONG\r\n"),
            ("ready", self._is_ready),
            ("books", lambda: self._source.checked_ns > began_s * 1e9),
        ):
            while not _holds(reached) and not stopped():
                if time.monotonic() > began_s + BACK_WITHIN_S:
                    raise OSError(f"{step}: not within {BACK_WITHIN_S:.0f} s")
                time.sleep(LOOK_EVERY_S)
            self._reached = {**self._reached, step: round((time.monotonic() - began_s) * 1000)}
        self._over_s = time.monotonic()
        self._source.say("store_back", span=f"{(self._reached['ready'] or 0) / 1000:.2f} s")

    def _is_ready(self) -> bool:
        try:
            return self._http.get(f"{self._url}/readyz", timeout=ASK_TIMEOUT_S).ok
        except requests.RequestException:
            return False


def _holds(reached: Callable[[], bool]) -> bool:
    with suppress(OSError, ValueError):  # while the note of the new process is being written
        return reached()
    return False


class ForgetNaive:
    """Takes the packets of ``naive`` out of the badge again; it is there while something is red."""

    busy = False

    def __init__(self, source: ServerSource) -> None:
        self._source = source

    @property
    def offered(self) -> bool:
        """Tell whether there is something to forget."""
        return self._source.is_red

    def press(self) -> None:
        """Forget them."""
        self._source.forgive(NAIVE)

    def close(self) -> None:
        """Do nothing: there is nothing to end."""
