"""Judgement: from the folder of a run to its result, by the audit, the measures and the verdict. Needs nothing else."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from loadtest.record.books import Books
from loadtest.record.history import History
from loadtest.record.run_folder import RunFolder
from loadtest.record.shape import BadRecord
from loadtest.scenarios.faults import STRUCK, fault_results
from loadtest.scenarios.scenario import BadScenario, load_scenario
from loadtest.verdict.audit import audit
from loadtest.verdict.fairness import fairness
from loadtest.verdict.generator_check import check_generator
from loadtest.verdict.measures import PacketResult, measure
from loadtest.verdict.sometimes import counted
from loadtest.verdict.thresholds import Threshold, judge
from loadtest.verdict.weigh import Reason, decide
from server.core.ids import PacketId


def judge_run(folder: RunFolder) -> dict[str, Any]:
    """
    Return the result of the run in *folder*, with the fields of design.md, section 1.

    Raises BadRecord if a file is missing, cut off or malformed.
    """
    facts = folder.facts()
    books, history = folder.read_books(), folder.read_history()
    sales = folder.read_sales()
    strangers = strangers_of(books, history, facts.packet_ids)
    violations = audit(books, history, folder.read_snapshots(), sales, strangers)
    books = books.without(strangers)
    measures = asdict(measured := measure(books, history))
    measures["packets"] = [_packet(packet, books) for packet in measured.packets]
    wanted, limits = _demands(folder)
    valid = check_generator(history, measured.send_debt_ms)
    thresholds = judge(limits, measures, timing_is_valid=valid.ok)
    happened = counted(wanted, books, history, facts.happenings, sales)
    faults = fault_results(facts.faults, history.grabs)
    struck = all(fault["outcome"] == STRUCK for fault in faults)
    verdict, ordered, exit_code = decide(
        reason
        for reason, applies in (
            (Reason.INVARIANT, bool(violations)),
            (Reason.VOID, not valid.ok and any(limit.timing for limit in limits)),
            (Reason.VACUOUS, not all(happened.values()) or not struck),
            (Reason.SERVER_ERRORS, bool(facts.server_errors)),
            (Reason.THRESHOLD, any(threshold.met is False for threshold in thresholds)),
        )
        if applies
    )
    return {
        "verdict": verdict,
        "reasons": ordered,
        "exit_code": int(exit_code),
        "scenario": facts.scenario,
        "seed": facts.seed,
        "engine": facts.engine,
        "durability": facts.durability,
        "speed": books.clock.speed,
        "limits": facts.limits,
        "viewers": facts.viewers,
        **measures,
        "violations": [asdict(violation) for violation in violations],
        "thresholds": [asdict(threshold) for threshold in thresholds],
        "sometimes": happened,
        "validity": asdict(valid),
        "processes": facts.processes,
        "notes": facts.notes,
        "server_errors": facts.server_errors,
        "fairness": asdict(fairness(books, history)),
        "happenings": facts.happenings,
        "faults": faults,
        "environment": facts.environment,
        "started_at": facts.started_at,
        "repeat_command": facts.repeat_command,
    }


def strangers_of(books: Books, history: History, packet_ids: Collection[str]) -> frozenset[PacketId]:
    """
    Return the packets in the books that are none of this run's: a target may have had other storms before.

    This run's are those that it has created and all that its audience heard of or grabbed.
    """
    if not packet_ids:
        return frozenset()
    known = {*packet_ids, *(grab.packet for grab in history.grabs), *(fact.packet for fact in history.facts)}
    return frozenset(books.packets.keys() - known)


def _demands(folder: RunFolder) -> tuple[list[str], list[Threshold]]:
    """Return what the scenario of the run wants to have happened, and its thresholds. Raises BadRecord."""
    if not folder.scenario.exists():
        return [], []
    try:
        scenario = load_scenario(str(folder.scenario))
    except BadScenario as error:
        raise BadRecord(str(error)) from None
    return scenario.sometimes, scenario.parsed_thresholds


def _packet(packet: PacketResult, books: Books) -> dict[str, Any]:
    record = books.packets[packet.packet_id]
    return {**asdict(packet), "name": record.name, "room_id": record.room_id, "state": record.state}
