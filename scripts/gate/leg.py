"""Turns: the processes that a measurement of one server, or of two in turns, takes, and the figures that it gives."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from scripts.bench.grab import CONNECTIONS, WARM_UP_VOLLEYS
from scripts.bench.process import bench_process
from scripts.bench.subjects import floor
from scripts.gate.aim import Aim
from scripts.gate.figures import LegFigures, SideFigures, Surroundings


class Turns(NamedTuple):
    """The figures of one server, or of two that were fired at in turns; ``yardstick`` is that beside each."""

    sides: list[SideFigures]
    yardstick: list[float]
    around: Surroundings


def take_turns(aims: Sequence[Aim], *, volleys: int, enough_s: float, first: int = 0) -> Turns:
    """
    Fire so many volleys at each of the *aims*, one or two, or for *enough_s* at each; the one numbered *first* begins.

    Raises BenchFailed.
    """
    with floor(1, CONNECTIONS) as fixed:
        yardstick = Aim(fixed.url, fixed.pids, CONNECTIONS, fixed.packet_ids)
        plan = {
            "aims": aims, "yardstick": yardstick, "warm_up": WARM_UP_VOLLEYS, "volleys": volleys, "enough_s": enough_s,
            "first": first,
        }  # fmt: skip
        with bench_process("scripts.gate.shooter", json.dumps(plan)) as shooter:
            told = json.loads(shooter.line())
    sides = [SideFigures(*(LegFigures(*figures) for figures in side)) for side in told["sides"]]
    return Turns(sides, told["yardstick"], Surroundings(*told["around"]))
