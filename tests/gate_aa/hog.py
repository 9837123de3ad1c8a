"""A CPU hog beside a run: a process that only counts, at random times or always."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_S = 10.0
COUNT = "import sys, time\nend = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < end: sum(range(1000))"


@contextmanager
def hog(times: str, seed: int) -> Iterator[list[float]]:
    """
    Keep processors busy while the block runs: one ``at times``, all of them ``always``, none by "".

    It yields a list of how many seconds each spell has lasted.
    """
    spells: list[float] = []
    over = threading.Event()
    threads = [
        threading.Thread(target=_spells, args=(over, spells, times == "always", random.Random(f"{seed} {number}")))
        for number in range({"": 0, "at times": 1}.get(times, os.cpu_count() or 1))
    ]
    for thread in threads:
        thread.start()
    try:
        yield spells
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _spells(over: threading.Event, spells: list[float], always: bool, rng: random.Random) -> None:
    while not over.is_set():
        if not always and over.wait(rng.uniform(0.0, LONGEST_S)):
            return
        lasts_s = rng.uniform(0.5, LONGEST_S)  # it ends by itself, whatever becomes of us
        with subprocess.Popen([sys.executable, "-c", COUNT, str(lasts_s)]) as process:
            over.wait(lasts_s)
            process.kill()
        spells.append(lasts_s)
