"""The processes of a storm: a server of its own, and an engine that brings the audience. Each is a subprocess."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from loadtest.targets.admission import leave_token
from loadtest.verdict.weigh import Exit

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
LOOK_EVERY_S = 0.02
LOG_TAIL_LINES = 15
ENGINES = ("locust", "swarm")


class ProcessFailed(Exception):  # noqa: N818 - said to a person
    """A process of the storm did not do its work. ``exit_code`` is what the storm should end with."""

    def __init__(self, text: str, exit_code: Exit) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Subprocess:
    """
    One process with its log in a file.

    It gets a session of its own, so that Ctrl-C reaches the storm alone, which then stops things in order; and a
    lifeline, so that it ends even if the storm cannot stop anything any more. ``-P`` keeps the working directory, which
    may hold folders named like ours, off the import path.
    """

    def __init__(self, name: str, module: str, arguments: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own modules
                [sys.executable, "-P", "-m", "loadtest.engines.lifeline", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self._process.poll() is None

    def tail(self) -> str:
        """Return the last lines of its log."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def check(self) -> None:
        """Raise ProcessFailed if it has ended, with what it said last and its own exit code if that is one of ours."""
        code = self._process.poll()
        if code is not None:
            known = Exit(code) if code in set(Exit) and code != Exit.PASS else Exit.ENVIRONMENT
            raise ProcessFailed(f"the {self.name} ended with status {code}:\n{self.tail()}", known)

    def ask_to_end(self) -> None:
        """Ask it to end, and do not wait."""
        if self.alive():
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Ask it to end, wait, and return its status; kill it if it does not listen."""
        self.ask_to_end()
        try:
            return self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            assert self._process.stdin is not None
            self._process.stdin.close()


class ServerProcess(Subprocess):
    """
    A server with a fresh store of its own (or the one that REDRAIN_STORE_URL names) on a free port.

    It is an *insecure* one unless told otherwise: whoever starts it is alone with it on this machine.
    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str],
        rulebooks: Mapping[str, Any] | None = None,
        *,
        insecure: bool = True,
    ) -> None:
        """Start it; *rulebooks* has a table per platform whose limits it is to override."""
        folder.mkdir(parents=True, exist_ok=True)
        self._ready_file = folder / "server.url"
        arguments = ["serve", "--port", "0", "--home", str(folder / "home")]
        arguments += ["--ready-file", str(self._ready_file), *["--insecure"] * insecure, *options]
        if rulebooks:
            overrides = folder / "rulebooks.toml"
            overrides.write_text(toml_of(rulebooks), "utf-8")
            arguments += ["--rulebooks", str(overrides)]
        super().__init__("server", "scripts.cli", arguments, folder / "server.log")

    def wait_until_ready(self) -> str:
        """Return the base URL once it answers. Raises ProcessFailed if it ends or takes too long."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._ready_file.exists() and (url := self._ready_file.read_text("utf-8")):
                return url
            self.check()
            time.sleep(LOOK_EVERY_S)
        self.stop()
        raise ProcessFailed(
            f"the server did not get ready within {START_TIMEOUT_S:.0f} s:\n{self.tail()}", Exit.ENVIRONMENT
        )


@dataclass(frozen=True, slots=True)
class Crowd:
    """
    The audience that an engine is to bring to *host*: how many seats, how fast, and which luck it has.

    With a *token* its viewers come in by ticket.
    """

    host: str
    scenario: str
    seats: int
    arrivals_per_second: int
    seed: int
    reaction_median_ms: int
    token: str = field(default="", repr=False)

    def arguments(self) -> list[str]:
        """Return what every engine is told in the same words."""
        told = {"--host": self.host, "--scenario": self.scenario, "--seed": self.seed}
        told["--reaction-median-ms"] = self.reaction_median_ms
        return [word for name, value in told.items() for word in (name, str(value))]


def toml_of(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return tables of texts, whole numbers, truths, lists and tables as TOML."""
    lines: list[str] = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{field} = {_toml_value(value)}" for field, value in table.items()), ""]
    return "\n".join(lines)


def _toml_value(value: object) -> str:
    match value:
        case list() | tuple():
            return f"[{', '.join(map(_toml_value, value))}]"
        case dict():
            return f"{{ {', '.join(f'{name} = {_toml_value(one)}' for name, one in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)  # TOML reads JSON's texts, numbers and truths


class Engine(Protocol):
    """What brings an audience: one process or several, each writing its own history and progress into a folder."""

    def check(self) -> None:
        """Raise ProcessFailed if a process has ended."""

    def tail(self) -> str:
        """Return the last lines of its log."""

    def stop(self) -> int:
        """Ask it to end, wait, and return its status: 0 if all went well."""


class LocustProcess(Subprocess):
    """Locust, headless, with one user per seat of the audience, directed by somebody else."""

    def __init__(self, folder: Path, crowd: Crowd) -> None:
        arguments = ["-f", str(Path(__file__).parents[1] / "locustfile.py"), "--headless", "--only-summary"]
        arguments += ["-u", str(crowd.seats), "-r", str(crowd.arrivals_per_second), *crowd.arguments()]
        arguments += ["--history", str(folder), "--directed"]
        if crowd.token:
            arguments += ["--token-file", str(leave_token(crowd.token, folder / "locust.token"))]
        else:
            arguments += ["--token", ""]  # whatever the environment says: that is for another server
        super().__init__("audience (Locust)", "locust", arguments, folder / "locust.log")


class SwarmProcess:
    """
    A swarm of several processes: seat number *n* sits in process *n* modulo their count.

    Without a *history* only its progress is written into *folder*.
    """

    def __init__(self, folder: Path, crowd: Crowd, *, processes: int, history: bool = True) -> None:
        self._parts: list[Subprocess] = []
        try:
            for part in range(processes):
                seats = len(range(part, crowd.seats, processes))
                arguments = [*crowd.arguments(), "--part", f"{part}/{processes}", "--seats", str(seats)]
                arguments += ["--arrivals-per-second", str(crowd.arrivals_per_second / processes)]
                arguments += ["--history" if history else "--watched", str(folder)]
                if crowd.token:
                    arguments += ["--token-file", str(leave_token(crowd.token, folder / f"swarm-{part}.token"))]
                log = folder / f"swarm-{part}.log"
                name = f"audience (swarm {part})"
                self._parts.append(Subprocess(name, "loadtest.engines.swarm_process", arguments, log))
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        """Raise ProcessFailed if a process has ended."""
        for part in self._parts:
            part.check()

    def tail(self) -> str:
        """Return the last lines of the logs."""
        return "\n".join(part.tail() for part in self._parts)

    def stop(self) -> int:
        """Ask all to end at once, wait, and return the worst status."""
        for part in self._parts:
            part.ask_to_end()
        return max((abs(part.stop()) for part in self._parts), default=0)


def engine_process(engine: str, folder: Path, crowd: Crowd, *, processes: int) -> Engine:
    """Start the engine of that name (one of ``ENGINES``) and return it."""
    if engine == "swarm":
        return SwarmProcess(folder, crowd, processes=processes)
    return LocustProcess(folder, crowd)
