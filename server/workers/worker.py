"""
One worker of a server, ``python -P -m server.workers.worker``: it shares the port with its siblings.

The first line of standard input holds its configuration. After that, the pipe is a lifeline: it closes when the parent
ends, however that happens, and then the worker ends.
"""

import asyncio
import os
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import uvloop

from server.app import CannotServe, open_port, serve_on, set_up_logging
from server.settings import Settings
from server.store.connection import StoreUnavailable, StoreUnfit
from server.store.embedded.folder import StoreNotStarted

READY = b"ready\n"
ENVIRONMENT = 30
END_TIMEOUT_S = 20.0  # receipts may drain for ten seconds, and the store winds down in some


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """A worker's configuration: the server's settings with the port, and the sockets of its siblings."""

    settings: dict[str, Any]
    sibling: str
    siblings: list[str]

    def line(self) -> bytes:
        """Return the configuration as the line that a worker reads."""
        return orjson.dumps(asdict(self)) + b"\n"


def main() -> int:
    """Read the configuration, serve, and return the exit code."""
    orders = WorkerConfig(**orjson.loads(sys.stdin.buffer.readline()))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    settings = Settings(**orders.settings)
    set_up_logging()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_work(settings, orders))
    except (CannotServe, StoreUnavailable, StoreUnfit, StoreNotStarted) as error:
        sys.stderr.write(f"redrain: {error}\n")
        return ENVIRONMENT
    return 0


async def _work(settings: Settings, orders: WorkerConfig) -> None:
    with open_port(settings, shared=True) as listener:
        others = [Path(other) for other in orders.siblings]
        await serve_on(listener, settings, _say_ready, sibling=Path(orders.sibling), siblings=others)


def _say_ready() -> None:
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_TIMEOUT_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
