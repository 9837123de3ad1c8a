"""Turns: the processes that a measurement of one server, or of two in turns, takes, and the figures that it gives."""

import json
import os
import signal
import threading
from collections.abc import Sequence
from typing import NamedTuple

from scripts.bench.grab import CONNECTIONS, WARM_UP_VOLLEYS
from scripts.bench.process import BenchFailed, bench_process
from scripts.bench.subjects import floor
from scripts.gate.aim import Aim
from scripts.gate.figures import LegFigures, SideFigures, Surroundings

WITHIN_S = 90.0  # some 5 s on an idle machine


class NotOver(Exception):  # noqa: N818 - no fault of either side
    """Volleys took much longer than they take on any machine that has time for them."""

    def __str__(self) -> str:
        """Say so."""
        return f"volleys were not over after {WITHIN_S:.0f} s: the machine, or the generator, had no time for them"


class Turns(NamedTuple):
    """The figures of one server, or of two that were fired at in turns; ``yardstick`` is that beside each."""

    sides: list[SideFigures]
    yardstick: list[float]
    around: Surroundings


def take_turns(aims: Sequence[Aim], *, volleys: int, enough_s: float) -> Turns:
    """
    Fire so many volleys at each of the *aims*, one or two, or for *enough_s* at each; the first begins.

    Raises NotOver or BenchFailed.
    """
    over = threading.Event()
    with floor(1, CONNECTIONS) as fixed:
        yardstick = Aim(fixed.url, fixed.pids, CONNECTIONS, fixed.packet_ids)
        plan = {
            "aims": aims, "yardstick": yardstick, "warm_up": WARM_UP_VOLLEYS, "volleys": volleys, "enough_s": enough_s,
        }  # fmt: skip
        try:
            with bench_process("scripts.gate.shooter", json.dumps(plan)) as shooter:
                watch = threading.Timer(WITHIN_S, _end, (shooter.pid, over))
                watch.start()
                try:
                    told = json.loads(shooter.line())
                finally:
                    watch.cancel()
        except BenchFailed:
            if over.is_set():
                raise NotOver from None
            raise
    sides = [SideFigures(*(LegFigures(*figures) for figures in side)) for side in told["sides"]]
    return Turns(sides, told["yardstick"], Surroundings(*told["around"]))


def _end(pid: int, over: threading.Event) -> None:
    over.set()
    os.kill(pid, signal.SIGKILL)
