"""Judgement: computes the result of a run from its folder alone, by the audit, the measures and the verdict."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from loadtest.record.books import Books
from loadtest.record.declared import declarations_from
from loadtest.record.history import History
from loadtest.record.one_timeline import clock_error_ms, widened
from loadtest.record.run_folder import CHECKED, RunFacts, RunFolder
from loadtest.record.shape import BadRecord
from loadtest.scenarios.crowd_scenario import BadScenario
from loadtest.scenarios.faults import fault_records, fault_results, were_struck
from loadtest.scenarios.hostile import hostile_results, were_met
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import TargetScenario, scenario_of
from loadtest.verdict.audit import Violation, audit, blind_spots, outcomes_of
from loadtest.verdict.audit.answers import unknown_by_design
from loadtest.verdict.audit.circumstances import Absence, AskedPacket, Circumstances, MachineWait
from loadtest.verdict.audit.outcome import Blind, blind_to_others
from loadtest.verdict.fairness import Fairness, fairness
from loadtest.verdict.foreign import (
    audit_foreign,
    foreign_blind_spots,
    foreign_cases,
    freshness_notes,
    measure_foreign,
    of_foreign,
)
from loadtest.verdict.generator_check import check_generator
from loadtest.verdict.machine_check import check_machine
from loadtest.verdict.measures import measure
from loadtest.verdict.metrics import PacketResult, Percentiles
from loadtest.verdict.not_read import not_read
from loadtest.verdict.offered import OfferedLoad, offered_load
from loadtest.verdict.resources import resource_measures
from loadtest.verdict.samples import send_debt_ms
from loadtest.verdict.selection import RunFigures, SelectableRun, of_our_own
from loadtest.verdict.sometimes import counted, counted_of_foreign
from loadtest.verdict.threshold_grammar import parse_line
from loadtest.verdict.threshold_terms import BadThreshold, Threshold
from loadtest.verdict.thresholds import UNHEALTHY, judge
from loadtest.verdict.weigh import Reason, decide
from server.core.ids import PacketId
from server.core.packets.packet import PacketState

_UNTIMED = {"opens_ns": None, "closes_ns": None}
# By the action and outcome of a creator's step: the state in which its packet is left.
_OVER = {("void", "voided"): PacketState.VOIDED, ("end", "ended"): PacketState.SETTLED}


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
    selectable: SelectableRun
    absences: Sequence[Absence] = ()
    notes: Sequence[str] = ()


def judge_run(folder: RunFolder, more: Sequence[Threshold] = ()) -> dict[str, Any]:
    """
    Return the result of the run in *folder*, of our own server or of a foreign service, as result.json keeps it.

    *more* are thresholds beside its own. Raises BadRecord if a file is missing, cut off or malformed.
    """
    facts = folder.facts()
    wanted, limits = _demands(folder, facts)
    limits += [each for each in more if str(each) not in {str(known) for known in limits}]
    found = (_of_foreign if facts.foreign else _of_ours)(folder, facts, wanted)
    found.measures.update(resource_measures(facts.resources))
    offered = _offered(folder, found.history, debt_ms := send_debt_ms(found.history))
    unmet = [] if offered is None or facts.broken_off else offered.why
    valid = check_generator(found.history, debt_ms, unmet)
    machine = check_machine(facts.machine_load, found.history, own_service=facts.own_service)
    why_void = machine.note if machine is not None and machine.void else "" if valid.ok else UNHEALTHY
    figures = RunFigures(found.measures, found.selectable, limits)
    thresholds = judge(limits, figures, timing_is_valid=not why_void, why_void=why_void, broken_off=facts.broken_off)
    faults = fault_results(facts.faults, found.history.grabs)
    hostile = hostile_results(facts.hostile)
    happened = all(found.sometimes.values()) and were_struck(faults) and were_met(hostile)
    verdict, ordered, exit_code = decide(
        reason
        for reason, applies in (
            (Reason.INVARIANT, bool(found.violations)),
            (Reason.VOID, bool(unmet) or (bool(why_void) and any(limit.timing for limit in limits))),
            (Reason.SERVER_ERRORS, bool(facts.server_errors) and not facts.allow_server_errors),
            # A programme that was broken off has not shown all that it would have.
            *((reason, not facts.broken_off) for reason in _unproven(found, happened=happened)),
            (Reason.THRESHOLD, any(threshold.met is False for threshold in thresholds)),
            (Reason.NOT_VERIFIED, any(None in (threshold.value, threshold.limit) for threshold in thresholds)),
            (Reason.NOT_VERIFIED, folder.histories_missing(facts) > 0),
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
        **_answers(found),
        "notes": [*facts.notes, *found.notes],
        "invariants": [asdict(one) for one in outcomes_of(found.violations, found.blind)],
        "violations": [asdict(violation) for violation in found.violations],
        "thresholds": [asdict(threshold) for threshold in thresholds],
        "sometimes": found.sometimes,
        "offered_load": None if offered is None else asdict(offered),
        "validity": asdict(valid),
        "machine": None if machine is None else asdict(machine),
        "clock_error_ms": clock_error_ms(found.history),
        **{name: getattr(facts, name) for name in ("processes", "server_errors", "server_log")},
        "fairness": asdict(found.fairness),
        "happenings": facts.happenings,
        "faults": faults,
        "hostile": hostile,
        **{name: getattr(facts, name) for name in ("environment", "started_at", "repeat_command")},
    }


def _answers(found: Evidence) -> dict[str, Any]:
    """Return what is known of the grabs that have no answer, or none that could be read."""
    return {
        "unknown_by_design": unknown_by_design(found.history, found.absences),
        "not_read": [asdict(kind) for kind in not_read(found.history)],
    }


def _unproven(found: Evidence, *, happened: bool) -> list[Reason]:
    """Return why a run proves little: if no answer could be read, that alone is the reason."""
    if found.proves:
        return [] if happened else [Reason.VACUOUS]
    if not found.history.unread:
        return [Reason.VACUOUS]
    return [Reason.NOT_READ, Reason.VACUOUS] if found.measures["grabs"] else [Reason.NOT_READ]


def _offered(folder: RunFolder, history: History, debt_ms: Percentiles) -> OfferedLoad | None:
    """Return the load that a run with ``[taps]`` has offered."""
    taps = _scenario(folder).taps if folder.scenario.exists() else None
    return None if taps is None else offered_load(taps.arrivals, history, debt_ms)


def _of_ours(folder: RunFolder, facts: RunFacts, wanted: Sequence[str]) -> Evidence:
    """Read books, history and sales of a run against our own server, and audit them against each other."""
    books, history, sales = folder.read_books(), folder.read_history(), folder.read_sales()
    unrelated = packets_of_other_runs(books, history, facts.packet_ids)
    run = circumstances_of(folder, facts)
    violations = audit(books, widened(history), folder.read_snapshots(), sales, unrelated, run=run)
    books = books.without(unrelated)
    measured = measure(books, history)
    measures = asdict(measured) | {"packets": [_packet(packet, books) for packet in measured.packets]}
    happened = counted(wanted, books, history, facts.happenings, sales)
    blind = blind_to_others(blind_spots(books, history, sales), history, run.unrecorded)
    even = fairness(books, history)
    return Evidence(
        books.clock.speed,
        history,
        violations,
        blind,
        measures,
        happened,
        even,
        True,
        of_our_own(books, history),
        run.absences,
    )


def _of_foreign(folder: RunFolder, facts: RunFacts, wanted: Sequence[str]) -> Evidence:
    """Read history, declaration and, if there are any, the books of a foreign service, and audit what they prove."""
    history = folder.read_history(foreign=True)
    elsewhere = facts.clock and any(own.clock != facts.clock for own in history.own_clocks)
    declared = declarations_from([{**each, **_UNTIMED} for each in facts.declared] if elsewhere else facts.declared)
    claims = folder.read_claims()
    cases = foreign_cases(declared, history, claims)
    measures = measure_foreign(cases, history)
    counts = {packet_id: packet.share_count for packet_id, packet in declared.items()}
    certain, unrecorded = widened(history), _unrecorded(folder, facts)
    return Evidence(
        facts.speed,
        history,
        audit_foreign(foreign_cases(declared, certain, claims), certain, recorded=not unrecorded),
        blind_to_others(foreign_blind_spots(cases, history), history, unrecorded),
        measures,
        counted_of_foreign(wanted, counts, history),
        fairness(folder.books_or_none(), history),
        proves=measures["grabs"] > 0 and measures["granted"] > 0,
        selectable=of_foreign(declared, history, claims),
        notes=[] if unrecorded else list(freshness_notes(cases)),
    )


def circumstances_of(folder: RunFolder, facts: RunFacts) -> Circumstances:
    """Return when store or server were away, by the faults and the server's log, and the limits of the run."""
    struck = fault_records(facts.faults)
    absences = [Absence(fault.t_struck, fault.t_back) for fault in struck if fault.t_struck is not None]
    absences += [Absence(t_from, t_to) for t_from, t_to in facts.store_absences if t_from is not None]
    known = facts.server_log == CHECKED
    waits = [MachineWait(*wait) for wait in facts.machine_waits]
    run = Circumstances(
        absences,
        facts.limits,
        store_is_known=known,
        created=facts.packet_ids,
        waits=waits,
        happenings=facts.happenings,
        broken_off=bool(facts.broken_off),
        unrecorded=_unrecorded(folder, facts),
    )
    if folder.scenario.exists() and isinstance(scenario := _scenario(folder), Scenario):
        run = run._replace(fact_late_ms=scenario.fact_late_ms, **_asked(scenario, facts))
    return run


def _unrecorded(folder: RunFolder, facts: RunFacts) -> str:
    """Return whose taps are not in the history, or ""."""
    if missing := folder.histories_missing(facts):
        return f"the histories of {missing} of {facts.processes} processes are not in the folder"
    return "" if facts.alone else "others may have tapped, whose history is not in the folder"


def _asked(scenario: Scenario, facts: RunFacts) -> dict[str, Any]:
    """Return what the creators of a scenario asked for and were told is done, as fields of its circumstances."""
    asked = {
        packet_id: AskedPacket(spec.shares_for(facts.viewers), spec.sum_for(facts.viewers), spec.claim_window_ms)
        for packet_id, spec in zip(map(PacketId, facts.packet_ids), scenario.packets, strict=False)
    }
    specs = dict(zip(asked, scenario.packets, strict=False))
    for step in facts.happenings:
        packet_id, change = step.get("packet_id", ""), (step.get("action"), step.get("outcome"))
        if packet_id in asked and change in _OVER:
            asked[packet_id] = asked[packet_id]._replace(over=_OVER[change])
        elif packet_id in asked and change == ("edit", "edited"):
            counts = {edit.at_ms: edit.shares_of(asked[packet_id].share_count) for edit in specs[packet_id].edits}
            asked[packet_id] = asked[packet_id]._replace(edited=counts.get(int(step["at_ms"])))
    return {"asked": asked, "recharged": {creator.creator_id: creator.recharge_fen for creator in scenario.creators}}


def packets_of_other_runs(books: Books, history: History, packet_ids: Collection[str]) -> frozenset[PacketId]:
    """
    Return the packets in the books that are not of this run: a target may have had other storms before.

    This run's are those that it has created and all that its audience received or grabbed.
    """
    if not packet_ids:
        return frozenset()
    known = {*packet_ids, *history.grabs.by, *(fact.packet for fact in history.facts)}
    return frozenset(books.packets.keys() - known)


def _demands(folder: RunFolder, facts: RunFacts) -> tuple[list[str], list[Threshold]]:
    """Return the ``sometimes`` names of the run's scenario, and the run's thresholds. Raises BadRecord."""
    try:
        given = [parse_line(line) for line in facts.thresholds]
    except BadThreshold as error:
        raise BadRecord(str(error)) from None
    if not folder.scenario.exists():
        return [], given
    scenario = _scenario(folder)
    return scenario.sometimes, [*scenario.parsed_thresholds, *given]


def _scenario(folder: RunFolder) -> Scenario | TargetScenario:
    try:
        return scenario_of(folder.scenario_text(), str(folder.scenario))
    except BadScenario as error:
        raise BadRecord(str(error)) from None


def _packet(packet: PacketResult, books: Books) -> dict[str, Any]:
    record = books.packets[packet.packet_id]
    return {**asdict(packet), "name": record.name, "room_id": record.room_id, "state": record.state}
