"""
The generator of a gate: volleys at two servers in turns so short that what the machine does is the same for both.

A block is one volley, and what the server does in the moment after it. Blocks go to one, the other, the other, the
one, and then the other way round; a volley at the yardstick follows each. It runs as its own process, with one loop and
one set of clocks for all: ``python -m scripts.gate.shooter JSON``.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence

import uvloop

from scripts.bench.cpu import cpu_us, machine_us
from scripts.gate.aim import Aim, Fires
from scripts.gate.figures import Block, Surroundings, measured
from server.gateway.open_files import files_max

SETTLE_S = 0.015  # a quarter of what our server does comes after the receipts: announcements
TURNS = (0, 1, 1, 0, 1, 0, 0, 1)  # of the first server and the second


class Shot:
    """A battery, and what its blocks gave."""

    def __init__(self, aim: Aim) -> None:
        self.pids = list(aim.pids)
        self.blocks: list[Block] = []
        self.seconds = 0.0
        self.writing_s = 0.0
        self.writing_cpu_s = 0.0
        self._battery: Fires = aim.battery()

    async def enter(self) -> None:
        """Connect."""
        await self._battery.enter()

    async def fire(self, settle_s: float = 0.0) -> Block:
        """Fire a volley and return its block, with what the server does *settle_s* after it."""
        volley = self._battery.volley
        seen, seconds, before_us = len(volley.waits_ms), volley.seconds, cpu_us(self.pids)
        volley.fire()
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        self._battery.write()
        self.writing_cpu_s += time.thread_time() - began_cpu_s
        self.writing_s += time.perf_counter() - began_s
        await self._battery.landed()
        await asyncio.sleep(settle_s)
        return Block(volley.waits_ms[seen:], volley.seconds - seconds, cpu_us(self.pids) - before_us)

    async def take_block(self) -> None:
        """Fire a volley and keep its block."""
        self.blocks.append(block := await self.fire(SETTLE_S))
        self.seconds += block.seconds


class Clocks:
    """The clocks of the machine and of all processes of a measurement, since they were started."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = [os.getpid(), os.getppid(), *pids]
        self._began_s, self._ours_us, self._machine = time.monotonic(), cpu_us(self._pids), machine_us()

    def around(self, shots: Sequence[Shot]) -> Surroundings:
        """Return what the machine has done besides."""
        took_us = (time.monotonic() - self._began_s) * 1e6
        busy_us, idle_us = (now - then for now, then in zip(machine_us(), self._machine, strict=True))
        others_us = max(0.0, busy_us - (cpu_us(self._pids) - self._ours_us))
        ran = sum(shot.writing_cpu_s for shot in shots) / sum(shot.writing_s for shot in shots)
        return Surroundings(others_us / took_us, idle_us / took_us, max(0.0, 1 - ran))


async def shoot(aims: Sequence[Aim], yardstick: Aim, *, warm_up: int, volleys: int, enough_s: float) -> str:
    """Return the figures of *aims*, one or two, and of the yardstick beside each."""
    shots, yard = [Shot(aim) for aim in aims], Shot(yardstick)
    for each in (*shots, yard):
        await each.enter()
    for _ in range(warm_up):
        for each in (*shots, yard):
            await each.fire(SETTLE_S)
    clocks = Clocks([pid for shot in (*shots, yard) for pid in shot.pids])
    beside: list[list[Block]] = [[] for _ in shots]
    for at in range(volleys * len(shots)):
        if at % len(TURNS) == 0 and sum(shot.seconds for shot in shots) > enough_s * len(shots):
            break
        who = TURNS[at % len(TURNS)] % len(shots)
        await shots[who].take_block()
        beside[who].append(await yard.fire())
    told = {
        "sides": [measured(shot.blocks, knows_cpu=bool(shot.pids)) for shot in shots],
        "yardstick": [sum(one.cpu_us for one in blocks) / (len(blocks) * yardstick.connections) for blocks in beside],
        "around": clocks.around(shots),
    }
    return json.dumps(told)


def main(given: str) -> None:
    """Shoot and print the figures."""
    files_max()  # as many as there may be: each connection is one
    plan = json.loads(given)
    aims, yardstick = [Aim(*aim) for aim in plan.pop("aims")], Aim(*plan.pop("yardstick"))
    print(uvloop.run(shoot(aims, yardstick, **plan)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
