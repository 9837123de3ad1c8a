"""
The record that a Locust run leaves: the master, or the only process, gathers the histories and writes the rest.

A worker that sees the master's folder writes its history there; another one keeps it until the master has taken it,
piece by piece, at the end of the run (docs/guide.md).
"""

import secrets
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import gevent.queue

from loadtest.engines.audience import Audience
from loadtest.engines.own_clock import own_clock
from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.run.audience_record import facts_of_audience
from loadtest.scenarios.crowd_scenario import scenario_text
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import TargetScenario

ASK, ANSWER = "redrain_history_asked", "redrain_history"
"""The messages by which a master asks for a piece of a history, and a worker answers."""

MISSING = "missing"  # the state, in Locust's words, of a worker that is not heard of any more
PIECE_BYTES = 256 * 1024  # one on its way at a time, so that neither side holds a history in memory
LOOK_EVERY_S = 0.1
GONE_S = 5.0  # a worker that the master does not know for so long has ended
SILENT_S = 120.0  # a worker that lives and does not answer: its viewers leave within seconds
WRITTEN_S = 20.0  # until the history of a worker that has quit is whole
_END = b'{"kind":"end"'
_TAIL_BYTES = 256


class HistoryKeeper:
    """The side of a worker: where its history goes, and the pieces of it that the master asks for."""

    def __init__(self, runner: Any, audience: Callable[[], Audience | None]) -> None:
        self._runner = runner
        self._audience = audience
        self._own: Path | None = None
        runner.register_message(ASK, self._answer, concurrent=True)

    def folder(self, options: Any) -> Path:
        """Return where to write: the master's folder if it is here, else one of our own."""
        self._clear()
        shared = Path(options.history_folder)
        if (shared / options.history_mark).exists():
            return shared
        self._own = Path(tempfile.mkdtemp(prefix="redrain-history-"))
        return self._own

    def _answer(self, msg: Any, **_: Any) -> None:
        audience = self._audience()
        while audience is not None and not audience.finished:
            gevent.sleep(LOOK_EVERY_S)
        path = None if audience is None else audience.history_path
        if path is None or self._own is None:
            self._runner.send_message(ANSWER, {"size": 0})
            return
        offset = int(msg.data["offset"])
        with path.open("rb") as file:
            file.seek(offset)
            piece = file.read(PIECE_BYTES)
        self._runner.send_message(ANSWER, {"size": (size := path.stat().st_size), "offset": offset, "piece": piece})
        if offset >= size:
            self._clear()  # the master has it all

    def _clear(self) -> None:
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)
            self._own = None


class HistoryCollector:
    """The side of a master: takes the histories of workers that do not see its folder."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self._answers: dict[str, gevent.queue.Queue[dict[str, Any]]] = {}
        runner.register_message(ANSWER, self._take)

    def collect(self, workers: Collection[str], folder: Path) -> None:
        """Write the history of each worker that has it elsewhere into *folder*; one that has ended gives none."""
        gevent.joinall([gevent.spawn(self._fetch, worker, folder) for worker in workers])

    def _take(self, msg: Any, **_: Any) -> None:
        if (queue := self._answers.get(msg.node_id)) is not None:
            queue.put(msg.data)

    def _fetch(self, worker: str, folder: Path) -> None:
        path = folder / f"history-w{self._runner.get_worker_index(worker)}.jsonl"
        self._answers[worker] = gevent.queue.Queue()
        offset = 0
        while (answer := self._ask(worker, offset)) is not None and (size := int(answer["size"])):
            if offset >= size:
                break
            with path.open("ab") as file:
                file.write(answer["piece"])
            offset += len(answer["piece"])
        del self._answers[worker]

    def _ask(self, worker: str, offset: int) -> dict[str, Any] | None:
        """Return the answer of a worker; None if it has ended, or is silent."""
        self._runner.send_message(ASK, {"offset": offset}, client_id=worker)
        deadline, gone = time.monotonic() + SILENT_S, time.monotonic() + GONE_S
        while time.monotonic() < deadline:
            try:
                answer: dict[str, Any] = self._answers[worker].get(timeout=LOOK_EVERY_S)
            except gevent.queue.Empty:
                known = self._runner.clients.get(worker)
                if known is not None and known.state != MISSING:
                    gone = time.monotonic() + GONE_S + self._runner.environment.stop_timeout
                elif time.monotonic() >= gone:
                    return None
            else:
                if answer.get("offset", offset) == offset:
                    return answer
        return None


class LocustRecord:
    """The folder of one run, from its start until everything stands in it. ``workers`` are those of the master."""

    def __init__(self, environment: Any, scenario: Scenario | TargetScenario, folder: Path) -> None:
        options, runner = environment.parsed_options, environment.runner
        self.folder = RunFolder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder.scenario.write_text(scenario_text(options.scenario), "utf-8")
        self._mark = folder / f".run-{secrets.token_hex(8)}"
        self._mark.touch()
        options.history_folder, options.history_mark = str(folder), self._mark.name  # travel to the workers
        self._runner = runner
        self.workers = set(getattr(runner, "clients", ()))
        viewers = runner.target_user_count or options.num_users or 1
        self.facts: RunFacts = facts_of_audience(
            scenario,
            engine="locust",
            viewers=viewers,
            seats=viewers,
            repeat_command=_command(options),
            processes=max(1, len(self.workers)),
            target_adapter=options.target_adapter,
            token=bool(options.token),
        )
        self.facts.clock = own_clock()

    def gather(self, collector: HistoryCollector | None) -> None:
        """Have all viewers leave, and bring the histories into the folder; one that is cut off is set aside."""
        if collector is not None:
            for worker in [*self._runner.clients.running, *self._runner.clients.spawning]:
                self._runner.send_message("stop", client_id=worker.id)  # else they stop when the master has ended
            collector.collect(self.workers | set(self._runner.clients), self.folder.path)
            self._wait_for_workers()
        self._mark.unlink(missing_ok=True)
        deadline = time.monotonic() + WRITTEN_S
        while len(self._whole()) < self.facts.processes and time.monotonic() < deadline:
            gevent.sleep(LOOK_EVERY_S)
        whole = self._whole()
        for path in set(self.folder.path.glob("history-*.jsonl")) - set(whole):
            path.rename(path.with_name(f"cut-off-{path.name}"))
        self.facts.processes = max(self.facts.processes, len(whole))
        if len(whole) < self.facts.processes:
            self.facts.notes.append(f"{self.facts.processes - len(whole)} workers left no whole history")

    def discard(self) -> None:
        """Take back what was written before a run that does not begin."""
        for path in (self._mark, self.folder.scenario):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # others have written into it
            self.folder.path.rmdir()

    def _wait_for_workers(self) -> None:
        """Wait until those that stopped are ready again: a master that quits tells only those."""
        deadline = time.monotonic() + self._runner.environment.stop_timeout + GONE_S
        while self.workers - set(self._runner.clients) and time.monotonic() < deadline:
            gevent.sleep(LOOK_EVERY_S)

    def _whole(self) -> list[Path]:
        return [path for path in self.folder.path.glob("history-*.jsonl") if _is_whole(path)]


def free_folder(given: Path) -> Path:
    """Return the folder of the next run: *given*, or for each later run of a web UI one within."""
    given, number = given.resolve(), 1
    folder = given
    while folder.exists() and any(folder.iterdir()):
        number += 1
        folder = given / f"run-{number}"
    return folder


def _is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        lines = file.read().splitlines(keepends=True)
    return bool(lines) and lines[-1].startswith(_END) and lines[-1].endswith(b"\n")


def _command(options: Any) -> str:
    """Return the command line, without the credential."""
    secret = options.token or None
    return shlex.join(["locust", *(word.replace(secret, "...") if secret else word for word in sys.argv[1:])])
