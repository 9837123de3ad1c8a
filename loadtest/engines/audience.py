"""The audience of one engine process: its seats, its recorder, its files and figures."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import orjson

from client_sim.arrivals import Arrivals, SeatTaps, TapCounts, arrival_offsets_s
from client_sim.behaviour import Behaviour, Seat, cast
from client_sim.pace import Pace
from client_sim.recorder import BATCH_LINES, Recorder
from client_sim.viewer import Viewer
from loadtest.engines.curtain import Curtain
from loadtest.engines.generator_sampler import GeneratorSampler
from loadtest.engines.locust_figures import figures_line, pour
from loadtest.engines.own_clock import own_clock
from loadtest.record.history_writer import HistoryWriter, line_of
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import TargetScenario
from loadtest.targets.port import Target

TICK_S = 0.25  # how often figures and progress are updated
FAILURES_TOLD = 3  # the commonest
BACKLOG_LINES = 10 * BATCH_LINES  # above this the history is written at the rate at which it grows


class Audience:
    """
    The part of a scenario's audience that this process runs.

    *part* is (process number, process count), *seats* how many seats the whole audience has. Without a *folder* no
    history is written, and progress goes to *watched* if given; all counts for Locust's statistics go to *figures*.
    *max_rate* limits the requests a second of all processes together. Unless *directed*, the audience itself starts a
    storm on another service. The engine calls ``tick`` every ``TICK_S``, ``write`` until it has caught up, and
    ``finish`` once, after the last viewer has left.
    """

    def __init__(
        self,
        scenario: Scenario | TargetScenario,
        *,
        target: Target,
        seed: int,
        folder: Path | None,
        part: tuple[int, int],
        seats: int,
        nth: int,
        watched: Path | None = None,
        directed: bool = True,
        max_rate: float | None = None,
        figures: Path | None = None,
    ) -> None:
        name = f"{os.getpid()}" if nth == 0 else f"{os.getpid()}-{nth}"
        self._history = _new_file(folder, f"history-{name}.jsonl")
        self._progress = _new_file(folder or watched, f"progress-{name}.jsonl")
        self._figures = None if figures is None else figures.open("wb")
        self.target = target
        self.history_path = None if self._history is None else Path(self._history.name)
        self.recorder = Recorder(None if self._history is None else HistoryWriter(self._history))
        self.recorder.on_clock(own_clock())
        self.ending = False
        self._seed = seed
        self._reaction_median_ms = scenario.audience.reaction_median_ms
        index, count = part
        everybody = cast(scenario.room_ids, scenario.audience.mix, seed, scenario.audience.names)
        self._seats: Iterator[Seat] = islice(everybody, index, None, count)
        self._seat_taps = _of_one_seat(scenario, seed, seats)
        self.recorder.taps = None if self._seat_taps is None else TapCounts()
        self._offsets_s: Iterator[float] | None = None
        if scenario.audience.arrivals is not None:
            mine, rng = len(range(index, seats, count)), Random(f"{seed}:{index}:arrivals")
            self._offsets_s = arrival_offsets_s(scenario.audience.arrivals.arrivals.part(count), rng, mine)
        self._began = time.monotonic()
        self._pace = None if max_rate is None else Pace(max_rate / count)
        self._curtain: Curtain | None = None
        if isinstance(scenario, TargetScenario):
            self._curtain = Curtain(scenario.packets, (folder or watched) if directed else None)
        self._taken = self._viewers = 0
        self._told_latencies: Counter[float] = Counter()
        self._failures: Counter[str] = Counter()
        self._all_seated = False
        self._phase = "connecting"
        self._health = GeneratorSampler()
        self.finished = False

    def take_seat(self) -> Viewer:
        """Return the viewer of the next free seat."""
        self._taken += 1
        seat = next(self._seats)
        self._viewers += seat.device == 0
        seat = replace(seat, viewer_id=self.target.name_of(seat.viewer_id))
        taps = self._taps_of(seat)
        return Viewer(seat, self._seed, self._reaction_median_ms, self.recorder, self._pace, seat_taps=taps)

    def give_back(self, seats: int) -> None:
        """Count so many seats as free again: their viewers leave, and others will come."""
        self._taken -= seats

    def next_arrival_s(self) -> float | None:
        """Return in how many seconds the next viewer comes, each once; None if the engine says when."""
        if self._offsets_s is None:
            return None
        if not self._taken:
            self._began = time.monotonic()
        return max(0.0, self._began + next(self._offsets_s, 0.0) - time.monotonic())

    def _taps_of(self, seat: Seat) -> SeatTaps | None:
        if self._seat_taps is None or self.recorder.taps is None or seat.behaviour is Behaviour.WATCHER:
            return None
        return SeatTaps(self._seat_taps, self.recorder.taps, Random(f"{self._seed}:{seat.number}:taps"))

    @property
    def waits_for_curtain(self) -> bool:
        """Tell whether packets must still be announced to viewers because the target does not announce them."""
        return self._curtain is not None and not self._curtain.raised

    @property
    def start_ns(self) -> int | None:
        """Return from when the packets of another service count, once that is known."""
        return None if self._curtain is None else self._curtain.start_ns

    def announcements(self) -> list[dict[str, Any]]:
        """Return the packets to announce to every viewer now: once, and never if the target announces them."""
        return (
            [] if self._curtain is None else self._curtain.look(time.monotonic_ns(), all_connected=self.all_connected())
        )

    def all_seated(self) -> None:
        """Record that no viewer is connecting for the first time any more."""
        self._all_seated = True

    def all_connected(self) -> bool:
        """Tell whether every viewer of this process has its seat and was welcomed."""
        return self._all_seated and 0 < self._taken <= self.recorder.connected

    def end(self) -> None:
        """Stop connecting and reconnecting viewers."""
        self.ending = True

    def tick(self, stats: Any, lag_ms: float | None = None) -> None:
        """
        Write the progress, update Locust's *stats* (None without Locust), and sample the process's health.

        *lag_ms* is the lag of the engine's event loop.
        """
        if self.finished:
            return
        series, failures = self.recorder.take_series()
        for (_, name, reason), count in failures.items():
            self._failures[f"{name}: {reason}"] += count
        if stats is not None:
            pour(series, failures, stats)
        if self._figures is not None:
            self._figures.write(figures_line(series, failures, all_connected=self.all_connected()))
            self._figures.flush()
        if lag_ms is not None:
            self.recorder.health(self._health.sample(lag_ms))
        if self._progress is not None:
            self._progress.write(orjson.dumps(self.progress()) + b"\n")
            self._progress.flush()
        if self._history is not None:
            self._history.flush()  # whoever watches the run reads it as it grows

    def write(self) -> bool:
        """Write one batch of the history; return whether the backlog is so large that the caller should write on."""
        return not self.finished and self.recorder.flush() > BACKLOG_LINES

    def progress(self) -> dict[str, Any]:
        """
        Return the audience's progress as one line of the progress file.

        ``latencies`` has only the counts that are new since the last line, ``shares`` only the new shares, ``facts``
        only the messages that have arrived over more connections since.
        """
        if self.ending:
            self._phase = "leaving"
        elif self._phase == "connecting" and self.all_connected():
            self._phase = "watching"
        recorder, figures = self.recorder, self.recorder.figures
        latencies = {ms: count for ms, count in figures.latencies.items() if count != self._told_latencies[ms]}
        self._told_latencies.update({ms: count - self._told_latencies[ms] for ms, count in latencies.items()})
        return {
            "t_ns": time.monotonic_ns(),
            "phase": self._phase,
            "seats": self._taken,
            "connected": recorder.connected,
            "viewers": self._viewers,
            "present": recorder.present,
            "rooms": +recorder.present_in,
            "comments": recorder.comments,
            "likes": recorder.likes,
            "offered": figures.offered,
            "answered": figures.answered,
            "lost": figures.lost,
            "unread": figures.unread,
            "failed": recorder.failed,
            "failures": dict(self._failures.most_common(FAILURES_TOLD)),
            "latencies": {f"{ms:g}": count for ms, count in latencies.items()},
            "max_ms": figures.max_ms,
            "shares": figures.take_new_shares(),
            "facts": [line_of(fact) for fact in recorder.take_new_facts()],
        }

    def finish(self, stats: Any) -> None:
        """Write the last figures and the end of the history, and close the files."""
        if self.finished:
            return
        self.end()
        self.recorder.finish()
        self.tick(stats)
        self.finished = True
        for file in (self._history, self._progress, self._figures):
            if file is not None:
                file.close()


def _of_one_seat(scenario: Scenario | TargetScenario, seed: int, seats: int) -> Arrivals | None:
    """Return the taps that one seat of the whole audience has by the scenario's model; watchers have none."""
    if scenario.taps is None:
        return None
    everybody = cast(scenario.room_ids, scenario.audience.mix, seed)
    tapping = sum(seat.behaviour is not Behaviour.WATCHER for seat in islice(everybody, seats))
    return scenario.taps.arrivals.part(max(1, tapping))


def _new_file(folder: Path | None, name: str) -> BinaryIO | None:
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / name).open("wb")
