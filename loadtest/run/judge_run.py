"""Judgement: computes the result of a run from its folder alone, by the audit, the measures and the verdict."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from loadtest.record.books import Books
from loadtest.record.declared import declarations_from
from loadtest.record.history import History
from loadtest.record.run_folder import CHECKED, RunFacts, RunFolder
from loadtest.record.shape import BadRecord
from loadtest.scenarios.crowd_scenario import BadScenario
from loadtest.scenarios.faults import STRUCK, FaultRecord, fault_results
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import read_scenario
from loadtest.verdict.audit import Violation, audit, blind_spots, outcomes_of
from loadtest.verdict.audit.answers import unknown_by_design
from loadtest.verdict.audit.circumstances import FACT_LATE_MS, Absence, Circumstances, MachineWait
from loadtest.verdict.audit.outcome import Blind
from loadtest.verdict.fairness import Fairness, fairness
from loadtest.verdict.foreign import audit_foreign, foreign_blind_spots, foreign_cases, measure_foreign
from loadtest.verdict.generator_check import check_generator
from loadtest.verdict.measures import measure, send_debt_ms
from loadtest.verdict.metrics import PacketResult
from loadtest.verdict.sometimes import counted, counted_of_foreign
from loadtest.verdict.thresholds import Threshold, judge
from loadtest.verdict.weigh import Reason, decide
from server.core.ids import PacketId


class Evidence(NamedTuple):
    """The evidence in the files of a run; ``proves`` is false if no share was given, for that proves nothing."""

    speed: int
    history: History
    violations: list[Violation]
    blind: dict[str, Blind]
    measures: dict[str, Any]
    sometimes: dict[str, int]
    fairness: Fairness
    proves: bool
    absences: Sequence[Absence] = ()


def judge_run(folder: RunFolder) -> dict[str, Any]:
    """
    Return the result of the run in *folder*, of our own server or of a foreign service, as result.json keeps it.

    Raises BadRecord if a file is missing, cut off or malformed.
    """
    facts = folder.facts()
    wanted, limits = _demands(folder)
    found = (_of_foreign if facts.foreign else _of_ours)(folder, facts, wanted)
    valid = check_generator(found.history, send_debt_ms(found.history))
    thresholds = judge(limits, found.measures, timing_is_valid=valid.ok)
    faults = fault_results(facts.faults, found.history.grabs)
    happened = all(found.sometimes.values()) and all(fault["outcome"] == STRUCK for fault in faults)
    verdict, ordered, exit_code = decide(
        reason
        for reason, applies in (
            (Reason.INVARIANT, bool(found.violations)),
            (Reason.VOID, not valid.ok and any(limit.timing for limit in limits)),
            (Reason.SERVER_ERRORS, bool(facts.server_errors) and not facts.allow_server_errors),
            (Reason.VACUOUS, not happened or not found.proves),
            (Reason.THRESHOLD, any(threshold.met is False for threshold in thresholds)),
            (Reason.NOT_VERIFIED, any(threshold.value is None for threshold in thresholds)),
        )
        if applies
    )
    return {
        "verdict": verdict,
        "reasons": ordered,
        "exit_code": int(exit_code),
        **{name: getattr(facts, name) for name in ("scenario", "target", "seed", "engine", "durability")},
        "speed": found.speed,
        **{name: getattr(facts, name) for name in ("limits", "viewers")},
        **found.measures,
        "unknown_by_design": unknown_by_design(found.history, found.absences),
        "invariants": [asdict(one) for one in outcomes_of(found.violations, found.blind)],
        "violations": [asdict(violation) for violation in found.violations],
        "thresholds": [asdict(threshold) for threshold in thresholds],
        "sometimes": found.sometimes,
        "validity": asdict(valid),
        **{name: getattr(facts, name) for name in ("processes", "notes", "server_errors", "server_log")},
        "fairness": asdict(found.fairness),
        "happenings": facts.happenings,
        "faults": faults,
        **{name: getattr(facts, name) for name in ("environment", "started_at", "repeat_command")},
    }


def _of_ours(folder: RunFolder, facts: RunFacts, wanted: Sequence[str]) -> Evidence:
    """Read books, history and sales of a run against our own server, and audit them against each other."""
    books, history, sales = folder.read_books(), folder.read_history(), folder.read_sales()
    unrelated = packets_of_other_runs(books, history, facts.packet_ids)
    run = circumstances_of(folder, facts)
    violations = audit(books, history, folder.read_snapshots(), sales, unrelated, run=run)
    books = books.without(unrelated)
    measured = measure(books, history)
    measures = asdict(measured) | {"packets": [_packet(packet, books) for packet in measured.packets]}
    happened = counted(wanted, books, history, facts.happenings, sales)
    blind = blind_spots(books, history, sales)
    even = fairness(books, history)
    return Evidence(books.clock.speed, history, violations, blind, measures, happened, even, True, run.absences)


def _of_foreign(folder: RunFolder, facts: RunFacts, wanted: Sequence[str]) -> Evidence:
    """Read history, declaration and, if there are any, the books of a foreign service, and audit what they prove."""
    history, declared = folder.read_history(foreign=True), declarations_from(facts.declared)
    cases = foreign_cases(declared, history, folder.read_claims())
    measures = measure_foreign(cases, history)
    counts = {packet_id: packet.share_count for packet_id, packet in declared.items()}
    return Evidence(
        facts.speed,
        history,
        audit_foreign(cases, history),
        foreign_blind_spots(cases, history),
        measures,
        counted_of_foreign(wanted, counts, history),
        fairness(folder.books_or_none(), history),
        proves=measures["grabs"] > 0 and measures["granted"] > 0,
    )


def circumstances_of(folder: RunFolder, facts: RunFacts) -> Circumstances:
    """Return when store or server were away, by the faults and the server's log, and the limits of the run."""
    struck = (FaultRecord(**fault) for fault in facts.faults)
    absences = [Absence(fault.t_struck, fault.t_back) for fault in struck if fault.t_struck is not None]
    absences += [Absence(t_from, t_to) for t_from, t_to in facts.store_absences if t_from is not None]
    bound = FACT_LATE_MS
    if folder.scenario.exists() and isinstance(scenario := read_scenario(str(folder.scenario)), Scenario):
        bound = scenario.fact_late_ms
    known = facts.server_log == CHECKED
    waits = [MachineWait(*wait) for wait in facts.machine_waits]
    return Circumstances(absences, facts.limits, bound, store_is_known=known, created=facts.packet_ids, waits=waits)


def packets_of_other_runs(books: Books, history: History, packet_ids: Collection[str]) -> frozenset[PacketId]:
    """
    Return the packets in the books that are not of this run: a target may have had other storms before.

    This run's are those that it has created and all that its audience received or grabbed.
    """
    if not packet_ids:
        return frozenset()
    known = {*packet_ids, *(grab.packet for grab in history.grabs), *(fact.packet for fact in history.facts)}
    return frozenset(books.packets.keys() - known)


def _demands(folder: RunFolder) -> tuple[list[str], list[Threshold]]:
    """Return the ``sometimes`` names of the run's scenario, and its thresholds. Raises BadRecord."""
    if not folder.scenario.exists():
        return [], []
    try:
        scenario = read_scenario(str(folder.scenario))
    except BadScenario as error:
        raise BadRecord(str(error)) from None
    return scenario.sometimes, scenario.parsed_thresholds


def _packet(packet: PacketResult, books: Books) -> dict[str, Any]:
    record = books.packets[packet.packet_id]
    return {**asdict(packet), "name": record.name, "room_id": record.room_id, "state": record.state}
