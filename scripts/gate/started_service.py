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
PORT = "PORT"
PORT_PLACE = "{port}"
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0
LOOK_EVERY_S = 0.05
LOG_TAIL_LINES = 15


class ServiceFailed(Exception):  # noqa: N818 - shown to the user
    """The service did not start, or has ended; the text has the end of what it said."""


class Started(NamedTuple):
    """A running service: the process that the command became, and where it listens."""

    process: "subprocess.Popen[bytes]"
    address: Address

    @property
    def pids(self) -> list[int]:
        """Return the ids of the process and of all that it has started."""
        parent = psutil.Process(self.process.pid)
        return [parent.pid, *(child.pid for child in parent.children(recursive=True))]


@contextmanager
def running(command: str, usual: Address, own: Address, log: Path) -> Iterator[Started]:
    """
    Run a shell's *command* until the block ends; it is ready when its *own* address takes connections, or the *usual*.

    Its own port is ``{port}`` in the command, and PORT in its environment. Both addresses must be free before, the
    usual one only if it might be taken. The command finds the folder of *log* in LEG_FOLDER: it is empty, and a place
    for data that no other leg has seen. Raises ServiceFailed.
    """
    addresses = [own] if PORT_PLACE in command else [own, usual]
    for address in addresses:
        if _takes_connections(address):
            raise ServiceFailed(
                f"{address.netloc} is in use already: stop what listens there, the gate starts the service"
            )
    environment = {**clean_environment(), LEG_FOLDER: str(log.parent), PORT: str(own.port)}
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command.replace(PORT_PLACE, str(own.port))], stdout=output, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, env=environment, start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise ServiceFailed(f"{command!r} cannot be run: {error}") from None
    try:
        yield Started(process, _listening(command, process, addresses, log))
        if process.poll() is not None:
            raise ServiceFailed(f"{command!r} has ended with status {process.returncode}:\n{_tail(log)}")
    finally:
        _stop(process)


def _listening(command: str, process: "subprocess.Popen[bytes]", addresses: list[Address], log: Path) -> Address:
    """Return the first of the addresses that takes connections."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() <= deadline:
        for address in addresses:
            if _takes_connections(address):
                return address
        if process.poll() is not None:
            raise ServiceFailed(f"{command!r} ended with status {process.returncode}:\n{_tail(log)}")
        time.sleep(LOOK_EVERY_S)
    where = " or ".join(f"{address.host}:{address.port}" for address in addresses)
    raise ServiceFailed(f"{command!r} does not listen on {where} within {READY_WITHIN_S:.0f} s")


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
