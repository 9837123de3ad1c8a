"""One process of a swarm: runs a part of the audience on uvloop until it is told to end."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from loadtest.engines.audience import TICK_S, Audience
from loadtest.engines.seats_file import seats_told
from loadtest.engines.swarm import Swarm
from loadtest.scenarios.crowd_scenario import BadScenario
from loadtest.scenarios.target_scenario import folder_of, read_scenario
from loadtest.targets.access import Access
from loadtest.targets.credential import take_token
from loadtest.targets.port import BadTarget
from loadtest.targets.registry import target_of
from loadtest.verdict.weigh import Exit

LOOK_EVERY_S = 0.1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one part of an audience; return the exit code."""
    options = _options(arguments)
    try:
        audience = _audience(options)
    except (BadScenario, BadTarget) as bad:
        sys.stderr.write(f"{bad}\n")
        return Exit.USAGE
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_attend(audience, options))
    return Exit.PASS


async def _attend(audience: Audience, options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    told_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_end.set)
    swarm = Swarm(audience.target, audience.take_seat, audience.recorder)
    keeping = loop.create_task(_keep(audience, swarm))
    coming = _arrive if options.seats_file is None else _follow
    arriving = loop.create_task(coming(swarm, audience, options))
    ending = loop.create_task(told_to_end.wait())
    await asyncio.wait((arriving, ending), return_when=asyncio.FIRST_COMPLETED)
    if arriving.done():
        arriving.result()
    audience.end()
    arriving.cancel()
    await swarm.leave()
    audience.finish(None)
    await keeping


async def _follow(swarm: Swarm, audience: Audience, options: argparse.Namespace) -> None:
    """Have as many viewers as the file of seats says, which another process changes."""
    seated, settled = 0, False
    while True:
        told = seats_told(options.seats_file)
        if told.seats > seated:
            await swarm.arrive(told.seats, options.arrivals_per_second, audience.next_arrival_s)
        elif told.seats < seated:
            audience.give_back(seated - told.seats)
            await swarm.send_home(told.seats)
        seated = told.seats
        if told.all:
            audience.all_seated()
            if not settled and audience.all_connected():
                settled = True
                swarm.settle()
        await asyncio.sleep(LOOK_EVERY_S)


async def _arrive(swarm: Swarm, audience: Audience, options: argparse.Namespace) -> None:
    await swarm.arrive(options.seats, options.arrivals_per_second, audience.next_arrival_s)
    audience.all_seated()
    while not audience.all_connected():  # noqa: ASYNC110 - a cheap check of a counter, before the load starts
        await asyncio.sleep(LOOK_EVERY_S)
    swarm.settle()
    await asyncio.Event().wait()


async def _keep(audience: Audience, swarm: Swarm) -> None:
    """Keep history and progress up to date until the audience has finished."""
    lag_ms = 0.0
    while not audience.finished:
        audience.tick(None, lag_ms)
        if packets := audience.announcements():
            swarm.announce(packets)
        while audience.write():  # noqa: ASYNC110 - yields to the loop between batches
            await asyncio.sleep(0)
        due = time.monotonic() + TICK_S
        await asyncio.sleep(TICK_S)
        lag_ms = max(0.0, (time.monotonic() - due) * 1000)


def _audience(options: argparse.Namespace) -> Audience:
    scenario = read_scenario(options.scenario).before(seed=options.seed, reaction_median_ms=options.reaction_median_ms)
    token = "" if options.token_file is None else take_token(options.token_file)
    return Audience(
        scenario,
        target=target_of(
            scenario,
            host=options.host,
            access=Access(token, options.ca_file),
            adapter=options.target_adapter,
            folder=folder_of(options.scenario),
        ),
        seed=scenario.seed,
        folder=options.history,
        watched=options.watched,
        part=options.part,
        seats=options.all_seats or options.seats,
        nth=0,
        max_rate=options.max_rate,
        figures=options.figures,
    )


def _part(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    return int(index), int(count)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="swarming", description=__doc__)
    parser.add_argument("--host", required=True, help="Base URLs of the servers, separated by commas.")
    parser.add_argument("--scenario", required=True, help="A shipped scenario's name, or a TOML file.")
    parser.add_argument("--seats", type=int, required=True, help="Seats of this part.")
    parser.add_argument("--all-seats", type=int, default=None, help="Seats of all parts (default: of this one).")
    parser.add_argument("--part", type=_part, default=(0, 1), help="index/count")
    parser.add_argument("--seats-file", type=Path, default=None, help="File that says how many viewers there are now.")
    parser.add_argument("--figures", type=Path, default=None, help="File for all counts, for Locust's statistics.")
    parser.add_argument("--arrivals-per-second", type=float, required=True)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--reaction-median-ms", type=int, default=None)
    parser.add_argument("--history", type=Path, default=None, help="Folder of the history and the progress.")
    parser.add_argument("--watched", type=Path, default=None, help="Folder of the progress only, without a history.")
    parser.add_argument("--target-adapter", default="", help="Your package.module:Class that speaks to the target.")
    parser.add_argument("--max-rate", type=float, default=None, help="Most requests a second, of all parts together.")
    parser.add_argument("--ca-file", default=None, help="Certificates to trust instead of the system's.")
    parser.add_argument("--token-file", type=Path, default=None, help="File with an admin's credential, read once.")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
