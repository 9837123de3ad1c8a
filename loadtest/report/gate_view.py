"""The gate's part of a result as its page shows it: one sentence, the pairs, and what was left out and why."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from loadtest.report.comparing import change_text
from loadtest.verdict.comparison import Better, Conclusion
from loadtest.verdict.machine_check import IDLE_MIN_CORES, OTHERS_MAX_CORES
from loadtest.verdict.thresholds import threshold_text
from loadtest.verdict.yardstick import TOLERANCE


@dataclass(frozen=True, slots=True)
class PairPoint:
    """
    One pair for one metric: by how much the head was worse in it, 0.1 for 10 %.

    ``unsteady`` says why it counts for little: the yardstick moved in it, or others were at work.
    """

    number: int
    worse_by: float
    base: float
    head: float
    unsteady: str


@dataclass(frozen=True, slots=True)
class GateMachine:
    """The machine in a pair of legs: processors of others and idle ones; None where the result does not say."""

    others_cores: float | None
    idle_cores: float | None

    @property
    def busy(self) -> bool:
        """Tell whether somebody else was at work, with nothing to spare."""
        others, idle = self.others_cores, self.idle_cores
        return others is not None and idle is not None and others > OTHERS_MAX_CORES and idle < IDLE_MIN_CORES


def gate_sentence(result: Mapping[str, Any]) -> str:
    """Return in one sentence why a gate ended as it did; "" if the storm alone decided, whose headline says it."""
    gate, reason = result["gate"], (result["reasons"] or ["pass"])[0]
    match reason:
        case "regression":
            return _regression(gate)
        case "void" if gate["comparison"] and gate["comparison"]["void"]:
            return f"Whether the head is slower cannot be told: {gate['comparison']['void']}."
        case "inconclusive":
            return _inconclusive(gate["comparison"])
        case "threshold":
            missed = next(each for each in result["thresholds"] if each["met"] is False)
            return f"A limit is missed: {threshold_text(missed)}, and {missed['value']:g} was measured."
        case "pass":
            return _passed(gate)
    return ""


def _regression(gate: Mapping[str, Any]) -> str:
    raised = [each for each in gate["counters"] if each["met"] is False]
    if raised:
        one = raised[0]
        more = f", and {len(raised) - 1} more counters rose" if len(raised) > 1 else ""
        rise = f"{one['title']} rose from {one['base']:.2f} to {one['head']:.2f}{more}"
        return f"The head does more work than the base: {rise}."
    slower = next(each for each in deciding(gate["comparison"]) if each["conclusion"] == Conclusion.REGRESSION)
    return (
        f"The head is slower than the base: {slower['title']} is worse by {change_text(slower)}, "
        f"and {slower['budget']:.0%} is allowed."
    )


def _inconclusive(compared: Mapping[str, Any]) -> str:
    one = next(each for each in deciding(compared) if each["conclusion"] == Conclusion.INCONCLUSIVE)
    told = (
        f"{one['pairs']} pairs could not tell whether the head is slower by more than {one['budget']:.0%}: "
        f"{one['title']} is worse by {change_text(one)}"
    )
    return f"{told}; about {one['pairs_needed']} pairs would tell." if one["pairs_needed"] else f"{told}."


def _passed(gate: Mapping[str, Any]) -> str:
    if not gate["base"]:
        if gate.get("not_compared"):
            return f"Nothing is violated, and nothing was compared: {gate['not_compared']}."
        return "Nothing is violated; there was no base to compare with."
    told = "Nothing is violated"
    if gate["counters"]:
        told += ", no work counter that decides is higher"
    if not gate["comparison"]:
        return f"{told}; speed was not compared."
    first = deciding(gate["comparison"])[0]
    return (
        f"{told}, and the head is not slower than the base: {first['title']} differs by {change_text(first)}, "
        f"and {first['budget']:.0%} worse is allowed."
    )


def deciding(compared: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the compared metrics whose conclusions count, in the order in which they do."""
    by_name = {each["metric"]: each for each in compared["metrics"]}
    return [by_name[name] for name in compared["decided_by"] if name in by_name]


def machines_of(compared: Mapping[str, Any]) -> list[GateMachine]:
    """Return the machine in each pair; its figures stand beside the legs, or in both of them."""
    machines = []
    for legs in compared["legs"]:
        told = [legs["machine"]] if "machine" in legs else [legs["base"], legs["head"]]
        machines.append(
            GateMachine(*(_mean(each.get(name) for each in told) for name in ("others_cores", "idle_cores")))
        )
    return machines


def _mean(values: Iterator[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def points_of(compared: Mapping[str, Any], metric: Mapping[str, Any]) -> list[PairPoint]:
    """Return the pairs in which a metric was measured."""
    points = []
    for at, (legs, machine) in enumerate(zip(compared["legs"], machines_of(compared), strict=True)):
        base, head = legs["base"].get(metric["metric"]), legs["head"].get(metric["metric"])
        if not base or not head:
            continue
        worse_by = head / base - 1 if metric["better"] == Better.SMALLER else base / head - 1
        points.append(PairPoint(at + 1, worse_by, base, head, _unsteady(compared["yardstick"], at, machine)))
    return points


def _unsteady(yardstick: Sequence[Mapping[str, float]], at: int, machine: GateMachine) -> str:
    if machine.busy:
        return f"others used {machine.others_cores:.1f} processors"
    move = yardstick_move(yardstick[at]) if at < len(yardstick) else 0.0
    return f"the yardstick moved by {move:+.0%}" if abs(math.log1p(move)) > math.log1p(TOLERANCE) else ""


def yardstick_move(pair: Mapping[str, float]) -> float:
    """Return by how much the yardstick beside the head was larger than beside the base; 0 if it was not measured."""
    return pair["head"] / pair["base"] - 1 if pair["base"] > 0 and pair["head"] > 0 else 0.0


def left_out_of(result: Mapping[str, Any]) -> list[str]:
    """Return what a gate did not judge, or left out, each with its reason, in plain sentences."""
    gate = result["gate"]
    compared = gate["comparison"]
    told = list(gate["notes"])
    told += [f"the limit {threshold_text(each)}: {each['why']}" for each in result["thresholds"] if each["met"] is None]
    if result["violations"]:
        told.append("the comparison: an invariant is violated, which decides alone")
    elif not compared:
        told.append("the paired comparison" + ("" if gate["base"] else ": there is no base"))
    if compared:
        if compared["void"]:
            told.append(f"the timing part is void: {compared['void']}")
        taken = len(compared["legs"])
        used = max((each["pairs"] + each["unmeasured"] for each in compared["metrics"]), default=0)
        if used < taken:
            told.append(
                f"{taken - used} of {taken} pairs: the machine was not the same for both sides, or all was answered"
            )
    return told


def busy_sentence(compared: Mapping[str, Any]) -> str:
    """Return how busy others were beside the legs, in the median; "" if it is not known."""
    machines = [each for each in machines_of(compared) if each.others_cores is not None and each.idle_cores is not None]
    if not machines:
        return ""
    others, idle = (median(getattr(each, name) for each in machines) for name in ("others_cores", "idle_cores"))
    return f"beside the legs others used {others:.1f} processors and {idle:.1f} were idle, in the median"
