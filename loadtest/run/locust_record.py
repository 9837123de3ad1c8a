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
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import gevent.queue

from loadtest.engines.own_clock import own_clock
from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.run.audience_record import facts_of_audience
from loadtest.scenarios.crowd_scenario import scenario_text
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import TargetScenario

ASK, ANSWER = "redrain_history_asked", "redrain_history"
"""The messages by which a master asks for a piece of a history, and a worker answers."""

MISSING = "missing"  # the state, in Locust's words, of a worker that is not heard of any more
RUNNING = "running"
PIECE_BYTES = 256 * 1024  # one on its way at a time, so that neither side holds a history in memory
LOOK_EVERY_S = 0.1
GONE_S = 5.0  # a worker that the master does not know for so long has ended
SILENT_S = 120.0  # a worker that lives and does not answer: its viewers leave within seconds
LEAVES_S = 15.0  # viewers wait for their last receipts for some seconds
WRITTEN_S = 20.0  # until the history of a worker that has quit is whole
_END = b'{"kind":"end"'
_TAIL_BYTES = 256


class HistoryKeeper:
    """The side of a worker: where its *histories* go, None until they are whole, and the pieces that are asked for."""

    def __init__(self, runner: Any, histories: Callable[[], Sequence[Path] | None]) -> None:
        self._runner = runner
        self._histories = histories
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
        while (paths := self._histories()) is None:
            gevent.sleep(LOOK_EVERY_S)
        number, offset = int(msg.data["file"]), int(msg.data["offset"])
        answer: dict[str, Any] = {"file": number, "offset": offset, "files": len(paths), "here": self._own is None}
        if self._own is not None and number < len(paths):
            with paths[number].open("rb") as file:
                file.seek(offset)
                answer["piece"] = file.read(PIECE_BYTES)
        self._runner.send_message(ANSWER, answer)
        if number >= len(paths):
            self._clear()  # the master has them all

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

    def collect(self, workers: Collection[str], folder: Path) -> int:
        """
        Write the histories of workers that have them elsewhere into *folder*; a worker that has ended gives none.

        Returns how many there should be in the folder then.
        """
        fetching = [gevent.spawn(self._fetch, worker, folder) for worker in workers]
        gevent.joinall(fetching)
        return sum(each.value or 1 for each in fetching)

    def _take(self, msg: Any, **_: Any) -> None:
        if (queue := self._answers.get(msg.node_id)) is not None:
            queue.put(msg.data)

    def _fetch(self, worker: str, folder: Path) -> int:
        """Take all histories of a worker; return how many it has, 0 if it did not say."""
        name = f"history-w{self._runner.get_worker_index(worker)}"
        self._answers[worker] = gevent.queue.Queue()
        number = offset = files = 0
        while (answer := self._ask(worker, number, offset)) is not None:
            files = int(answer["files"])
            if answer["here"] or number >= files:
                break
            if piece := answer["piece"]:
                with (folder / f"{name}-{number}.jsonl").open("ab") as file:
                    file.write(piece)
                offset += len(piece)
            else:
                number, offset = number + 1, 0
        del self._answers[worker]
        return files

    def _ask(self, worker: str, number: int, offset: int) -> dict[str, Any] | None:
        """Return the answer of a worker; None if it has ended, or is silent."""
        self._runner.send_message(ASK, {"file": number, "offset": offset}, client_id=worker)
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
                if (answer["file"], answer["offset"]) == (number, offset):
                    return answer
        return None


def let_workers_leave(runner: Any) -> None:
    """Have the workers of a master stop: else they do when it has ended, and their last counts are lost."""
    for worker in [*runner.clients.running, *runner.clients.spawning]:
        runner.send_message("stop", client_id=worker.id)


def wait_for_workers(runner: Any, workers: Collection[str]) -> None:
    """Wait until *workers* that stopped are ready again: a master that quits tells only those."""
    gone = time.monotonic() + runner.environment.stop_timeout + GONE_S
    deadline = gone + LEAVES_S
    while (now := time.monotonic()) < deadline:
        known = runner.clients
        if all(now >= gone if worker not in known else known[worker].state != RUNNING for worker in workers):
            return
        gevent.sleep(LOOK_EVERY_S)


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
            self.facts.processes = collector.collect(self.workers | set(self._runner.clients), self.folder.path)
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
