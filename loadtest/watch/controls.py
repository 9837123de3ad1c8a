"""The buttons of a demo's dashboard: a store that is killed and comes back, and a packet that is over-issued."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import requests

from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.crowd import SilentView
from loadtest.record.run_folder import RunFolder
from loadtest.run.nemesis import StoreOfRun
from loadtest.run.provision import provision
from loadtest.run.storm import StormPlan, carry_out, facts_of
from loadtest.scenarios.crowd_scenario import toml_table, validated
from loadtest.scenarios.scenario import Scenario
from loadtest.targets.access import Access, http_session
from loadtest.targets.requester import SetUpFailed
from loadtest.watch.server_source import ServerSource
from server.store.allocators.registry import BUILT_IN

NAIVE = "naive"
DELAY_MS, WINDOW_MS = 3_000, 3_000  # real
SCENARIO = """
name = "naive"
speed = {speed}

[audience]
viewers = 240
arrivals_per_second = 400
reaction_median_ms = 300

[[creators]]
creator_id = "naive-lab"
recharge_fen = 10_000_000
platform = "lab"

[[rooms]]
room_id = "naive-lab"
creator_id = "naive-lab"
title = "naive"

[[packets]]
name = "naive"
room_id = "naive-lab"
platform = "lab"
share_count = 60
total_fen = 20_000
launch_at_ms = 0
mode = "relative"
delay_ms = {delay_ms}
claim_window_ms = {window_ms}
"""
LOOK_EVERY_S = 0.01
BACK_WITHIN_S = 60.0
CLEAN_UP_S = 30.0  # a naive packet and its audience come and go in less
ASK_TIMEOUT_S = 2.0
STEPS_SHOWN_S = 20.0
"""After a recovery its steps are shown for so long."""


class Button:
    """A control that works in a thread of its own; *source* is told of what fails."""

    def __init__(self, name: str, source: ServerSource, work: Callable[[], None]) -> None:
        self._name = name
        self._source = source
        self._work = work
        self._thread: threading.Thread | None = None

    @property
    def offered(self) -> bool:
        """Tell that it is always there."""
        return True

    @property
    def busy(self) -> bool:
        """Tell whether it is still at it."""
        return self._thread is not None and self._thread.is_alive()

    def press(self) -> None:
        """Begin, unless it is busy."""
        if not self.busy:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Wait until it has cleaned up behind itself."""
        if self._thread is not None:
            self._thread.join(CLEAN_UP_S)

    def _run(self) -> None:
        try:
            self._work()
        except (OSError, ValueError, SetUpFailed, ProcessFailed) as error:
            self._source.say("control_failed", name=self._name, detail=str(error).splitlines()[0])


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
        return tuple(self._reached.items()) if shown and self._reached else ()

    def _kill(self) -> None:
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
            self._await(step, reached, began_s)
            self._reached = {**self._reached, step: round((time.monotonic() - began_s) * 1000)}
        self._source.say("store_back", span=f"{(self._reached['ready'] or 0) / 1000:.2f} s")
        self._over_s = time.monotonic()

    def _is_ready(self) -> bool:
        try:
            return self._http.get(f"{self._url}/readyz", timeout=ASK_TIMEOUT_S).ok
        except requests.RequestException:
            return False

    @staticmethod
    def _await(step: str, reached: Callable[[], bool], began_s: float) -> None:
        while time.monotonic() < began_s + BACK_WITHIN_S:
            with suppress(OSError, ValueError):  # while the note of the new process is being written
                if reached():
                    return
            time.sleep(LOOK_EVERY_S)
        raise OSError(f"{step}: not within {BACK_WITHIN_S:.0f} s")


class RunNaive(Button):
    """
    Runs one packet with the allocator ``naive`` in a room and before an audience of its own: it will be over-issued.

    The server must run with --diagnostics, at *speed*. The audience writes a history, so that the badge can show the
    receipts of the two owners of a share.
    """

    def __init__(self, source: ServerSource, url: str, access: Access, *, speed: int) -> None:
        super().__init__(NAIVE, source, self._perform)
        self._url = url
        self._access = access
        self._text = SCENARIO.format(speed=speed, delay_ms=DELAY_MS * speed, window_ms=WINDOW_MS * speed)

    def _perform(self) -> None:
        self._source.say(NAIVE)
        with tempfile.TemporaryDirectory(prefix="redrain-naive-", ignore_cleanup_errors=True) as path:
            folder = RunFolder(Path(path))
            scenario = validated(Scenario, toml_table(NAIVE, self._text), source=NAIVE, text=self._text)
            provisioned = provision(scenario, engine="swarm", processes=1, target=self._url)
            folder.scenario.write_text(self._text, "utf-8")
            plan = StormPlan(
                provisioned.scenario, folder, allocator=BUILT_IN[NAIVE], targets=[self._url], engine="swarm",
                access=self._access,
            )  # fmt: skip
            self._source.hear(folder.path)
            facts = facts_of(plan, datetime.now(UTC), name=NAIVE, provisioned=provisioned)
            carry_out(plan, facts, SilentView())


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
