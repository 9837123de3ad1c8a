"""
Run one of our modules and end it with its parent: ``python -P -m loadtest.engines.lifeline MODULE ARGUMENT...``.

Standard input is the lifeline: a pipe that the parent holds and never writes to. The kernel closes it when the parent
ends, however that happens; the module then gets SIGTERM, and is killed after a timeout.
"""

import _thread
import atexit
import gc
import os
import runpy
import signal
import sys
from collections.abc import Callable
from time import sleep

STOP_TIMEOUT_S = 20.0  # receipts may drain for ten seconds, and the store takes some to stop
OBJECTS_PER_COLLECTION = 50_000  # by default 700, with which imports take a quarter longer


def main(module: str, arguments: list[str]) -> None:
    """Run *module* as the main program with *arguments*."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    # The module may be Locust, and gevent patches threads, read and sleep: this is a native thread with the unpatched
    # functions.
    _thread.start_new_thread(_end_with, (lifeline, os.read, sleep))
    sys.argv = [module, *arguments]
    collect_seldom()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def collect_seldom() -> None:
    """Have the garbage collector examine seldom what is imported and stays, and not once more as the process ends."""
    gc.set_threshold(OBJECTS_PER_COLLECTION)
    atexit.register(gc.freeze)


def _end_with(lifeline: int, read: Callable[[int, int], bytes], pause: Callable[[float], None]) -> None:
    while read(lifeline, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    pause(STOP_TIMEOUT_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
