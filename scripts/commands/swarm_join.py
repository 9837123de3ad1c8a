"""Lets a swarm join a Locust master as a worker: a process of its own does, for Locust patches the one it is in."""

import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from loadtest.targets.credential import leave_token
from loadtest.targets.port import BadTarget
from loadtest.targets.reach import address_of
from loadtest.verdict.weigh import Exit
from scripts.commands.swarm import Visit
from scripts.output import failed
from server.settings import clean_environment
from server.signals import on_signals

PORT = 5557  # Locust's own default


def run_worker(visit: Visit, master: str) -> int:
    """Work for the *master*, HOST or HOST:PORT, until it or a signal says that it is over; return the exit code."""
    try:
        address = address_of(f"tcp://{master if _has_port(master) else f'{master}:{PORT}'}")
        socket.getaddrinfo(address.host, address.port)
    except BadTarget:
        return failed(f"master: {master} must read like HOST or HOST:PORT", Exit.USAGE)
    except (OSError, UnicodeError) as error:
        return failed(f"master: {address.host} is not known: {error}", Exit.ENVIRONMENT)
    if wrong := _wrong(visit):
        return failed(wrong, Exit.USAGE)
    with tempfile.TemporaryDirectory(prefix="redrain-swarm-") as folder:
        arguments = [
            "--master-host",
            address.host,
            "--master-port",
            str(address.port),
            *_arguments(visit, Path(folder)),
        ]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "loadtest.engines.lifeline", "loadtest.run.swarm_worker", *arguments],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches it once, as SIGTERM, and it can leave in order
            env=clean_environment(),
        )
        with process, on_signals(process.terminate, signal.SIGINT, signal.SIGTERM):
            return process.wait()


def _has_port(master: str) -> bool:
    return master.rpartition("]")[2].rpartition(":")[2].isdecimal()


def _wrong(visit: Visit) -> str:
    """Return which option a worker cannot have, or ""."""
    masters = {"viewers": visit.viewers, "seed": visit.seed, "history": visit.history, "json": visit.json}
    given = next((name for name, value in masters.items() if value is not None), "directed" if visit.directed else "")
    if given:
        return f"{given}: a worker takes it from its master; give it there"
    return visit.wrong()


def _arguments(visit: Visit, folder: Path) -> list[str]:
    arguments = ["--target", visit.target, "--scenario", visit.scenario]
    numbers = {"--processes": visit.processes, "--max-rate": visit.max_rate, "--ca-file": visit.ca_file}
    arguments += [word for name, value in numbers.items() if value is not None for word in (name, str(value))]
    arguments += ["--allow-remote"] * visit.allow_remote
    if visit.token:
        arguments += ["--token-file", str(leave_token(visit.token, folder / "token"))]
    return arguments
