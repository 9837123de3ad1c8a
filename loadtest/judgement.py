"""Judgement: from the folder of a run to its result, by the audit, the measures and the verdict. Needs nothing else."""

from dataclasses import asdict
from typing import Any

from loadtest.audit import audit
from loadtest.books import Books
from loadtest.fairness import fairness
from loadtest.faults import fault_results
from loadtest.folder import RunFolder
from loadtest.measures import PacketResult, measure
from loadtest.verdict import Reason, decide


def judge_run(folder: RunFolder) -> dict[str, Any]:
    """
    Return the result of the run in *folder*, with the fields of design.md, section 1.

    Raises BadRecord if a file is missing, cut off or malformed.
    """
    facts = folder.facts()
    books, history = folder.read_books(), folder.read_history()
    violations = audit(books, history, folder.read_snapshots())
    measures = asdict(measured := measure(books, history))
    measures["packets"] = [_packet(packet, books) for packet in measured.packets]
    reasons = [Reason.INVARIANT] if violations else []
    verdict, ordered, exit_code = decide(reasons)
    return {
        "verdict": verdict,
        "reasons": ordered,
        "exit_code": int(exit_code),
        "scenario": facts.scenario,
        "seed": facts.seed,
        "engine": facts.engine,
        "durability": facts.durability,
        "speed": facts.speed,
        "limits": facts.limits,
        "viewers": facts.viewers,
        **measures,
        "violations": [asdict(violation) for violation in violations],
        "thresholds": [],
        "sometimes": {},
        "fairness": asdict(fairness(books, history)),
        "happenings": facts.happenings,
        "faults": fault_results(facts.faults, history.grabs),
        "environment": facts.environment,
        "started_at": facts.started_at,
        "repeat_command": facts.repeat_command,
    }


def _packet(packet: PacketResult, books: Books) -> dict[str, Any]:
    record = books.packets[packet.packet_id]
    return {**asdict(packet), "name": record.name, "room_id": record.room_id, "state": record.state}
