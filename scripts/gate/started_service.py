"""A service that the gate starts by the user's own command, and stops with all that it has started."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from loadtest.targets.port import Address
from server.settings import clean_environment

LEG_FOLDER = "LEG_FOLDER"
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0
LOOK_EVERY_S = 0.05
LOG_TAIL_LINES = 15


class ServiceFailed(Exception):  # noqa: N818 - shown to the user
    """The service did not start, or has ended; the text has the end of what it said."""


class Service(NamedTuple):
    """A running service: the process that the command became."""

    process: "subprocess.Popen[bytes]"

    @property
    def pids(self) -> list[int]:
        """Return the ids of the process and of all that it has started."""
        parent = psutil.Process(self.process.pid)
        return [parent.pid, *(child.pid for child in parent.children(recursive=True))]


@contextmanager
def running(command: str, address: Address, log: Path) -> Iterator[Service]:
    """
    Run a shell's *command* until the block ends; it is ready when *address* takes connections.

    The address must be free before. The command finds the folder of *log* in LEG_FOLDER: it is empty, and a place for
    data that no other leg has seen. Raises ServiceFailed.
    """
    if _takes_connections(address):
        raise ServiceFailed(f"{address.netloc} is in use already: stop what listens there, the gate starts the service")
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env={**clean_environment(), LEG_FOLDER: str(log.parent)}, start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise ServiceFailed(f"{command!r} cannot be run: {error}") from None
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while not _takes_connections(address):
            if process.poll() is not None:
                raise ServiceFailed(f"{command!r} ended with status {process.returncode}:\n{_tail(log)}")
            if time.monotonic() > deadline:
                raise ServiceFailed(f"{command!r} does not listen on {address.netloc} within {READY_WITHIN_S:.0f} s")
            time.sleep(LOOK_EVERY_S)
        yield Service(process)
        if process.poll() is not None:
            raise ServiceFailed(f"{command!r} has ended with status {process.returncode}:\n{_tail(log)}")
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_WITHIN_S)
        os.killpg(process.pid, signal.SIGKILL)  # what has not ended, and what it left behind
    process.wait()


def _takes_connections(address: Address) -> bool:
    try:
        socket.create_connection((address.host, address.port), 1.0).close()
    except OSError:
        return False
    return True


def _tail(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-LOG_TAIL_LINES:])
