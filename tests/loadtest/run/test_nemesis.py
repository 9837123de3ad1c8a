"""The nemesis against a real store: it strikes in time, what can be undone is undone, and it says what came of it."""

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from loadtest.run.nemesis import Nemesis, StoreOfRun, WorkersOfRun
from loadtest.run.server_process import ServerProcess
from loadtest.scenarios.faults import FaultKind, PlannedFault
from server.store.embedded.process import EmbeddedStore
from server.store.fitness import Durability
from tests.waiting import until


class AProgramme:
    """A programme whose curtain rose when it was made, and which has no packets."""

    def __init__(self) -> None:
        self.curtain_s = time.monotonic()

    def instant_s(self, room_ms: int) -> float | None:
        return None

    def instant_of(self, at_ms: int) -> float | None:
        return self.curtain_s + at_ms / 1000

    def at_ms(self, instant_s: float) -> int:
        return round((instant_s - self.curtain_s) * 1000)

    def packet_named(self, name: str) -> str | None:
        return None


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """Run a store as a server of this folder would."""
    joined = EmbeddedStore.join(tmp_path / "store", Durability.NONE)
    yield joined
    joined.stop()


def a_nemesis(home: Path, *planned: PlannedFault) -> tuple[Nemesis, list[str]]:
    said: list[str] = []
    url = "http://127.0.0.1:9"  # nobody is asked: there are no packets
    return Nemesis(list(planned), home=home, url=url, programme=AProgramme(), say=said.append), said


def await_end(nemesis: Nemesis) -> None:
    """Wait until every fault has struck and the store has answered since."""
    until(lambda: all(record.t_back is not None for record in nemesis.records))
    nemesis.stop()


def away_ms(nemesis: Nemesis) -> float:
    """Return how long the store did not answer."""
    record = nemesis.records[0]
    assert record.t_struck is not None
    assert record.t_back is not None
    return (record.t_back - record.t_struck) / 1_000_000


def test_a_killed_store_is_another_and_answers(tmp_path: Path, store: EmbeddedStore) -> None:
    """It notes when it struck and when the next one answered, and prints its schedule first."""
    died = store.pid
    nemesis, said = a_nemesis(tmp_path, PlannedFault(0, FaultKind.KILL_STORE, 50))
    nemesis.start()
    await_end(nemesis)

    assert store.pid != died
    assert not psutil.pid_exists(died)
    assert nemesis.records[0].outcome == "struck"
    assert (nemesis.records[0].at_ms or 0) >= 50
    assert away_ms(nemesis) > 0
    assert said == ["fault 0: kill_store, 50 room ms after the curtain", "fault 0: kill_store struck"]


def test_a_stopped_store_goes_on_after_its_time(tmp_path: Path, store: EmbeddedStore) -> None:
    """It answers nothing for so long, and is the same process afterwards."""
    pid = store.pid
    nemesis, _ = a_nemesis(tmp_path, PlannedFault(0, FaultKind.STOP_STORE, 0, for_ms=300))
    nemesis.start()
    await_end(nemesis)

    assert store.pid == pid
    assert away_ms(nemesis) >= 300


def test_a_stopped_store_goes_on_when_the_programme_ends(tmp_path: Path, store: EmbeddedStore) -> None:
    """A storm that is interrupted leaves no store that hangs."""
    nemesis, _ = a_nemesis(tmp_path, PlannedFault(0, FaultKind.STOP_STORE, 0, for_ms=60_000))
    nemesis.start()
    until(lambda: psutil.Process(store.pid).status() == psutil.STATUS_STOPPED)
    nemesis.stop()

    assert psutil.Process(store.pid).status() != psutil.STATUS_STOPPED
    assert StoreOfRun(tmp_path).ask(b"PING") == b"+PONG\r\n"


def test_connections_are_reset_and_the_store_stays(tmp_path: Path, store: EmbeddedStore) -> None:
    """Whoever was connected finds the line dead; whoever comes next is served by the same process."""
    pid, of_run = store.pid, StoreOfRun(tmp_path)
    with of_run._connect() as line:
        line.sendall(b"PING\r\n")
        assert line.recv(100) == b"+PONG\r\n"
        nemesis, _ = a_nemesis(tmp_path, PlannedFault(0, FaultKind.RESET_CONNECTIONS, 0))
        nemesis.start()
        await_end(nemesis)
        assert line.recv(100) == b""
    assert store.pid == pid


def test_what_had_no_occasion_is_missed(tmp_path: Path, store: EmbeddedStore) -> None:
    """A fault later than the programme, or of a packet that never came, did not happen, and says so."""
    later = PlannedFault(0, FaultKind.KILL_STORE, 3_600_000)
    never = PlannedFault(1, FaultKind.KILL_STORE, 0, "no packet", "open")
    nemesis, _ = a_nemesis(tmp_path, later, never)
    nemesis.start()
    nemesis.stop()

    assert [record.outcome for record in nemesis.records] == ["missed: the programme was over"] * 2
    assert StoreOfRun(tmp_path).ask(b"PING") == b"+PONG\r\n"


def test_a_store_that_is_not_of_the_run_is_left_alone(tmp_path: Path) -> None:
    """Where there is no lock file there is nothing to break."""
    nemesis, _ = a_nemesis(tmp_path, PlannedFault(0, FaultKind.KILL_STORE, 0))
    nemesis.start()
    until(lambda: nemesis.records[0].outcome != "missed: the programme was over")
    nemesis.stop()
    assert nemesis.records[0].outcome == "missed: the store is not one of this run"


def test_a_worker_is_killed_and_the_server_is_whole_again(tmp_path: Path) -> None:
    """It strikes one of the run's own workers, and notes when all were ready again."""
    server = ServerProcess(tmp_path, ["--workers", "2", "--durability", "none"])
    try:
        url = server.wait_until_ready()
        before = WorkersOfRun(tmp_path / "home").pids()
        planned = [PlannedFault(0, FaultKind.KILL_WORKER, 0)]
        nemesis = Nemesis(planned, home=tmp_path / "home", url=url, programme=AProgramme(), say=lambda _: None)
        nemesis.start()
        await_end(nemesis)
        after = WorkersOfRun(tmp_path / "home").pids()
    finally:
        server.stop()
    assert nemesis.records[0].outcome == "struck"
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_without_workers_nobody_is_killed(tmp_path: Path) -> None:
    """A server of one process is left alone, and the record says so."""
    nemesis, _ = a_nemesis(tmp_path, PlannedFault(0, FaultKind.KILL_WORKER, 0))
    nemesis.start()
    until(lambda: nemesis.records[0].outcome != "missed: the programme was over")
    nemesis.stop()
    assert nemesis.records[0].outcome == "missed: the server has no workers"
