"""The nemesis: injects the faults of a scenario on schedule. It touches only processes of its own run."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import requests

from loadtest.scenarios.faults import STRUCK, FaultKind, FaultRecord, PlannedFault
from loadtest.targets.access import http_session

LOOK_EVERY_S = 0.005
ASK_EVERY_S = 0.02
ASK_TIMEOUT_S = 5.0
BACK_WITHIN_S = 60.0  # a long journal takes its time to load
ANSWER_BYTES_MAX = 4_096


class FaultClock(Protocol):
    """The part of the running programme that a nemesis needs."""

    def instant_s(self, room_ms: int) -> float | None:
        """Return when it is *room_ms* (room time), on CLOCK_MONOTONIC in seconds; None before the curtain."""

    def instant_of(self, at_ms: int) -> float | None:
        """Return the same for *at_ms* room milliseconds after the curtain."""

    def at_ms(self, instant_s: float) -> int:
        """Return how many room milliseconds after the curtain an instant of CLOCK_MONOTONIC is."""

    def packet_named(self, name: str) -> str | None:
        """Return the id of the packet that the programme calls *name*, once there is one."""


class StoreOfRun:
    """The embedded store of a run, found by the lock file in its folder."""

    def __init__(self, home: Path) -> None:
        self._lock = home / "store" / "store.lock"

    def exists(self) -> bool:
        """Tell whether the run has a store of its own."""
        return self._lock.exists()

    def pid(self) -> int:
        """Return its current process id."""
        return int(self._noted()["pid"])

    def ask(self, *commands: bytes) -> bytes | None:
        """Send commands and return the first reply, or None without an answer."""
        try:
            with self._connect() as line:
                line.sendall(b"".join(command + b"\r\n" for command in commands))
                return line.recv(ANSWER_BYTES_MAX)
        except OSError:
            return None

    def _connect(self) -> socket.socket:
        url = urlsplit(str(self._noted()["url"]))
        line = socket.socket(socket.AF_UNIX if url.scheme == "unix" else socket.AF_INET)
        line.settimeout(ASK_TIMEOUT_S)
        try:
            line.connect(unquote(url.path) if url.scheme == "unix" else (url.hostname, url.port))
        except OSError:
            line.close()
            raise
        return line

    def _noted(self) -> dict[str, Any]:
        noted: dict[str, Any] = json.loads(self._lock.read_bytes())
        return noted


class WorkersOfRun:
    """The workers of a run's own server, found by the list that their parent keeps in its folder."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "workers"

    def pids(self) -> list[int]:
        """Return their current process ids; none if the server has no workers."""
        for roll in self._folder.glob("*.json"):
            pids: list[int] = json.loads(roll.read_bytes())
            return pids
        return []


class Nemesis:
    """Injects all faults of a run, each in its own thread; ``records`` holds their outcomes."""

    def __init__(
        self, planned: list[PlannedFault], *, home: Path, url: str, programme: FaultClock, say: Callable[[str], None]
    ) -> None:
        self.records = [FaultRecord(fault.kind, str(fault)) for fault in planned]
        self._planned = planned
        self._store = StoreOfRun(home)
        self._workers = WorkersOfRun(home)
        self._url = url
        self._http = http_session()
        self._programme = programme
        self._say = say
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Print the schedule and start a thread per fault."""
        for fault, record in zip(self._planned, self.records, strict=True):
            self._say(f"fault {fault.number}: {fault}")
            thread = threading.Thread(target=self._run_fault, args=(fault, record), name=f"fault {fault.number}")
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Inject no more faults, and undo those that can be undone."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run_fault(self, fault: PlannedFault, record: FaultRecord) -> None:
        at_s = self._await_instant(fault)
        if at_s is None or not self._sleep_until(at_s):
            return
        if fault.kind is not FaultKind.KILL_WORKER and not self._store.exists():
            record.outcome = "missed: the store is not one of this run"
            return
        try:
            self._strike(fault, record)
        except (OSError, ValueError, KeyError) as error:
            record.outcome = f"missed: {error}"
            return
        if fault.kind is FaultKind.KILL_WORKER:
            self._await(record, self._server_ready)
        else:
            self._await(record, self._store_answers)
        self._say(f"fault {fault.number}: {fault.kind} {record.outcome}")

    def _strike(self, fault: PlannedFault, record: FaultRecord) -> None:
        match fault.kind:
            case FaultKind.KILL_STORE:
                pid = self._store.pid()
                os.kill(pid, signal.SIGKILL)
                self._struck(record)
                while self._store.pid() == pid and not self._over.wait(LOOK_EVERY_S):
                    pass
            case FaultKind.STOP_STORE:
                pid = self._store.pid()
                os.kill(pid, signal.SIGSTOP)
                try:
                    self._struck(record)
                    self._over.wait(fault.for_ms / 1000)
                finally:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
            case FaultKind.RESET_CONNECTIONS:
                if self._store.ask(b"CLIENT KILL TYPE pubsub", b"CLIENT KILL TYPE normal SKIPME yes") is None:
                    raise OSError("the store does not answer")
                self._struck(record)

            case FaultKind.KILL_WORKER:
                pids = self._workers.pids()
                if not pids:
                    raise ValueError("the server has no workers")
                os.kill(pids[fault.number % len(pids)], signal.SIGKILL)
                self._struck(record)
                while self._workers.pids() == pids and not self._over.wait(LOOK_EVERY_S):
                    pass

    def _struck(self, record: FaultRecord) -> None:
        record.t_struck, record.outcome = time.monotonic_ns(), STRUCK
        record.at_ms = self._programme.at_ms(record.t_struck / 1e9)

    def _await(self, record: FaultRecord, back: Callable[[], bool]) -> None:
        """Record when the broken part has recovered."""
        deadline = time.monotonic() + BACK_WITHIN_S
        while time.monotonic() < deadline:
            if back():
                record.t_back = time.monotonic_ns()
                return
            time.sleep(LOOK_EVERY_S)

    def _store_answers(self) -> bool:
        """Tell whether the store answers; a "loading" reply does not count."""
        return self._store.ask(b"PING") == b"+PONG\r\n"

    def _server_ready(self) -> bool:
        """Tell whether all workers are running."""
        try:
            return self._http.get(f"{self._url}/readyz", timeout=ASK_TIMEOUT_S).ok
        except requests.RequestException:
            return False

    def _await_instant(self, fault: PlannedFault) -> float | None:
        """Return when the fault is due, on CLOCK_MONOTONIC in seconds, or None if the programme ended before."""
        while not self._over.is_set():
            with suppress(requests.RequestException):
                at_s = self._instant(fault)
                if at_s is not None:
                    return at_s
            self._over.wait(ASK_EVERY_S)
        return None

    def _instant(self, fault: PlannedFault) -> float | None:
        if not fault.packet:
            return self._programme.instant_of(fault.at_ms)
        packet_id = self._programme.packet_named(fault.packet)
        if packet_id is None:
            return None
        response = self._http.get(f"{self._url}/api/packets/{packet_id}", timeout=ASK_TIMEOUT_S)
        packet = response.json() if response.ok else {}
        if packet.get("grab_at_ms") is None:
            return None
        if fault.phase == "sold_out":
            return None if packet["remaining"] else time.monotonic() + fault.at_ms / 1000
        edge_ms = packet["grab_at_ms" if fault.phase == "open" else "claim_end_at_ms"]
        edge_s = self._programme.instant_s(edge_ms)
        return None if edge_s is None else edge_s + fault.at_ms / 1000

    def _sleep_until(self, at_s: float) -> bool:
        """Wait until *at_s*; return False if the programme ends before."""
        return not self._over.wait(max(0.0, at_s - time.monotonic()))
