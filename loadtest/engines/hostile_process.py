"""The hostile clients of a storm as a process of their own: they misbehave until it is told to end."""

import argparse
import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import orjson

from loadtest.engines.misdeeds import Victim, commit
from loadtest.record.given_file import replace_file
from loadtest.scenarios.hostile import HostileSpec, Misdeed
from loadtest.scenarios.scenario import load_scenario
from loadtest.targets.reach import is_loopback
from loadtest.verdict.weigh import Exit

PAUSE_S = (0.05, 0.4)  # of a client, between two misdeeds
ADDRESSES = 40  # of this machine, from which they come: each has limits of its own, and honest viewers have another
_FIRST_ADDRESS = 100
Outcomes = dict[Misdeed, Counter[str]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Misbehave until SIGTERM, and write what came of it; return the exit code."""
    parser = argparse.ArgumentParser(prog="hostile", description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--outcomes", type=Path, required=True, help="The file for what came of it.")
    options = parser.parse_args(arguments)
    scenario = load_scenario(options.scenario)
    assert scenario.hostile is not None
    outcomes: Outcomes = {misdeed: Counter() for misdeed, weight in scenario.hostile.mix.items() if weight}

    def keep() -> None:
        told = {str(each): dict(counts) for each, counts in outcomes.items()}
        replace_file(options.outcomes, orjson.dumps(told))

    victims = [
        victim_of(options.host, [str(room) for room in scenario.room_ids], number)
        for number in range(scenario.hostile.clients)
    ]
    asyncio.run(_misbehave(scenario.hostile, victims, outcomes, options.seed, keep))
    keep()
    return Exit.PASS


async def _misbehave(
    hostile: HostileSpec, victims: Sequence[Victim], outcomes: Outcomes, seed: int, begun: Callable[[], None]
) -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    begun()
    clients = [
        loop.create_task(_client(hostile, victim, outcomes, Random(f"{seed}:{number}:hostile")))
        for number, victim in enumerate(victims)
    ]
    await over.wait()
    for client in clients:
        client.cancel()
    for ended in await asyncio.gather(*clients, return_exceptions=True):
        if not isinstance(ended, asyncio.CancelledError):
            raise ended or AssertionError("a hostile client never ends by itself")


def victim_of(host: str, rooms: Sequence[str], number: int) -> Victim:
    """Return what client *number* attacks, and from which address of this machine, if the server is on it."""
    url = urlsplit(host)
    name = url.hostname or ""
    local = f"127.0.0.{_FIRST_ADDRESS + number % ADDRESSES}" if is_loopback(name) else ""
    return Victim(name, url.port or 80, rooms[number % len(rooms)], local)


async def _client(hostile: HostileSpec, victim: Victim, outcomes: Outcomes, rng: Random) -> None:
    misdeeds, weights = list(outcomes), [hostile.mix[misdeed] for misdeed in outcomes]
    while True:
        (misdeed,) = rng.choices(misdeeds, weights)
        try:
            outcome = await commit(misdeed, victim, rng)
        except TimeoutError:
            outcome = "no answer"
        except OSError as error:
            outcome = f"no connection: {type(error).__name__}"
        outcomes[misdeed][outcome] += 1
        await asyncio.sleep(rng.uniform(*PAUSE_S))


if __name__ == "__main__":
    sys.exit(main())
