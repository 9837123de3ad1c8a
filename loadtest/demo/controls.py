"""The buttons of a demo's dashboard: break something on purpose, to see that it shows."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import requests

from loadtest.demo.programme import programme_of
from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.crowd import Crowd, SilentView
from loadtest.engines.engine_process import CrowdOrder
from loadtest.run.director import Director
from loadtest.run.nemesis import StoreOfRun
from loadtest.targets.access import Access
from loadtest.targets.requester import Requester, SetUpFailed

NAIVE = "naive"
BACK_WITHIN_S = 60.0
LOOK_EVERY_S = 0.05


class Breakage:
    """One button: ``press`` begins, in a thread of its own, unless it is ``busy``; ``close`` waits for its end."""

    def __init__(self, act: Callable[[Callable[[], bool]], None], say: Callable[[str], None]) -> None:
        self._act = act
        self._say = say
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
                self._thread = threading.Thread(target=self._run, name="breakage")
                self._thread.start()

    def close(self) -> None:
        """End what it does, and do nothing more."""
        with self._lock:
            self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._act(self._over.is_set)
        except (ProcessFailed, SetUpFailed, OSError) as problem:
            if not self._over.is_set():
                self._say(str(problem))


def kill_store(home: Path, stopped: Callable[[], bool]) -> None:
    """Kill the store of the server in *home*, and wait until another one answers in its place."""
    store = StoreOfRun(home)
    pid = store.pid()
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + BACK_WITHIN_S
    while not stopped() and time.monotonic() < deadline:
        if store.pid() != pid and store.ask(b"PING") == b"+PONG\r\n":
            return
        time.sleep(LOOK_EVERY_S)


def run_naive(url: str, access: Access, speed: int, stopped: Callable[[], bool]) -> None:
    """Launch a packet of the naive allocator before viewers who all tap at once. Raises ProcessFailed, SetUpFailed."""
    text = (resources.files("loadtest") / "demo" / "rooms" / "naive.toml").read_text("utf-8")
    scenario = programme_of(text, viewers=None, speed=speed)
    audience = scenario.audience
    with tempfile.TemporaryDirectory(prefix="redrain-naive-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "naive.toml"
        path.write_text(text, "utf-8")
        order = CrowdOrder(
            host=url,
            scenario=str(path),
            viewers=audience.viewers,
            seats=audience.viewers,
            arrivals_per_second=audience.arrivals_per_second,
            seed=scenario.seed,
            reaction_median_ms=audience.reaction_median_ms,
            access=access,
        )
        crowd = Crowd("swarm", Path(folder), order, processes=1, view=SilentView(), history=False)
        try:
            crowd.connect(stopped)
            _recharge(url, access, scenario.creators[-1].recharge_fen)
            Director(url, scenario, audience.viewers, lambda _: None, allocator=NAIVE, access=access).perform(stopped)
        finally:
            crowd.leave()


def _recharge(url: str, access: Access, amount_fen: int) -> None:
    key = f"naive-{time.monotonic_ns()}"
    try:
        Requester(url, access).post("/api/creators/platform/recharge", {"amount_fen": amount_fen}, key=key)
    except requests.RequestException as error:
        raise SetUpFailed(str(error)) from error
