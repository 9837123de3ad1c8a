"""The record of a run that leaves, beside its history, all that an audit of its folder needs: run.json and books."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from loadtest.record.foreign_books import write_foreign_books
from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.run.books_reader import BooksReader
from loadtest.run.director import Director
from loadtest.run.machine import SET, machine
from loadtest.run.run_requests import RunRequests
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import DeclaredPacket, TargetScenario
from loadtest.targets.credential import VARIABLE as TOKEN
from loadtest.targets.registry import kind_of

SETTLES_S = 30.0  # how long packets that are on air at the end are waited for
UNKNOWN = "unknown"  # of a server that the run did not start
_NS_PER_MS = 1_000_000


def facts_of_audience(
    scenario: Scenario | TargetScenario,
    *,
    engine: str,
    viewers: int,
    seats: int,
    repeat_command: str,
    processes: int = 1,
    notes: Sequence[str] = (),
    target_adapter: str = "",
    token: bool = False,
) -> RunFacts:
    """Return the facts of a run on an existing service that are known before it begins."""
    return RunFacts(
        scenario=scenario.name,
        seed=scenario.seed,
        engine=engine,
        durability=UNKNOWN,
        speed=scenario.speed if isinstance(scenario, Scenario) else 1,
        limits=UNKNOWN,
        allocator=UNKNOWN,
        viewers=viewers,
        seats=seats,
        repeat_command=repeat_command,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        environment=machine({TOKEN: SET} if token else {}),
        processes=processes,
        reaction_median_ms=scenario.audience.reaction_median_ms,
        notes=list(notes),
        target=kind_of(scenario, target_adapter),
    )


def call_off(director: Director, say: Callable[[str], None], *, over: bool) -> None:
    """Void what a programme that was stopped has left, and wait until its packets are over, so that books are final."""
    if over:
        return
    deadline = time.monotonic() + SETTLES_S
    director.call_off_and_wait(lambda: time.monotonic() >= deadline)
    if time.monotonic() >= deadline:
        say(f"some packets are still on air after {SETTLES_S:.0f} s: the books are taken as they are")


def keep_ours(folder: RunFolder, facts: RunFacts, directors: Sequence[Director], books: BooksReader) -> None:
    """Complete the folder of a run against our server, whose programme was that of *directors*. Raises SetUpFailed."""
    books.take_at_last(folder.books)
    facts.packet_ids += [packet for each in directors for packet in each.packet_ids.values()]
    happenings = [asdict(happening) for each in directors for happening in each.happenings]
    facts.happenings = sorted(happenings, key=lambda happening: int(happening["room_ms"]))
    folder.compress()
    folder.write_facts(facts)


def keep_foreign(
    folder: RunFolder, facts: RunFacts, scenario: TargetScenario, run: RunRequests, start_ns: int | None
) -> None:
    """Complete the folder of a run that began at *start_ns*, if that is known, on a service. Raises SetUpFailed."""
    facts.declared = [_declared(packet, start_ns) for packet in scenario.packets]
    facts.packet_ids = [packet.packet_id for packet in scenario.packets]
    if scenario.target.books is not None:
        write_foreign_books(folder.claims, run.books(scenario.target.books))
    folder.compress()
    folder.write_facts(facts)


def _declared(packet: DeclaredPacket, start_ns: int | None) -> dict[str, Any]:
    """Return the packet as the judge knows it; instants are those of CLOCK_MONOTONIC, null if they are not known."""
    opens_ns = closes_ns = None
    if start_ns is not None:
        opens_ns = None if packet.opens_after_ms is None else start_ns + packet.opens_after_ms * _NS_PER_MS
        if packet.closes_after_ms is not None and packet.opens != "on_message":
            closes_ns = (opens_ns or start_ns) + packet.closes_after_ms * _NS_PER_MS
    return {
        "packet_id": packet.packet_id,
        "share_count": packet.share_count,
        "total_fen": packet.total_fen,
        "opens_ns": opens_ns,
        "closes_ns": closes_ns,
        "one_per_viewer": packet.one_per_viewer,
        "min_share_fen": packet.min_share_fen,
        "max_share_fen": packet.max_share_fen,
    }
