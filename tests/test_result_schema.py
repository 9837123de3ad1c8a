"""docs/result.schema.json is the form of results: it is held against tables, classes, and results of every kind."""

import copy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from loadtest.run.director import Happening
from loadtest.run.environment import environment
from loadtest.scenarios.target_scenario import read_scenario
from loadtest.verdict.audit.outcome import InvariantResult, Outcome
from loadtest.verdict.audit.violation import INVARIANTS, Violation
from loadtest.verdict.comparison import Better, Comparison, Conclusion, Pair
from loadtest.verdict.fairness import Fairness
from loadtest.verdict.generator_check import GeneratorCheck
from loadtest.verdict.machine_check import MachineCheck
from loadtest.verdict.metrics import METRICS, Percentiles
from loadtest.verdict.thresholds import Judged
from loadtest.verdict.weigh import Exit, Reason, Verdict, decide
from scripts.gate.figures import Alone, LegFigures, SideFigures, Surroundings
from scripts.gate.gate import Gate, result_of
from scripts.gate.options import GateOptions
from scripts.gate.timing import TakenPair, Timing
from tests.loadtest.foreign_run import a_grab, a_run_of
from tests.loadtest.judged_foreign_run import judged_foreign
from tests.loadtest.judged_run import judged
from tests.loadtest.report.gate_results import a_gate_result
from tests.loadtest.written_run import a_run
from tests.result_schema import SCHEMA, faults_of

PROPERTIES: dict[str, Any] = SCHEMA["properties"]
DEFINED: dict[str, Any] = SCHEMA["$defs"]
LEG = LegFigures(20_000, 9_000.0, 20.0, 60.0, None)
PAIR = TakenPair(SideFigures(LEG, LEG, LEG), SideFigures(LEG, LEG, LEG), Pair(7.0, 7.0), Surroundings(0.1, 0.5, 0.1))


def _items(name: str) -> dict[str, Any]:
    items: dict[str, Any] = PROPERTIES[name]["items"]
    return items


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of a written run in which something is wrong."""
    return judged(a_run(packets=3, flaw="check then act", share_count=30, viewers=80), tmp_path_factory.mktemp("run"))[
        1
    ]


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert set(SCHEMA["required"]) == set(PROPERTIES) - {"gate"}


def test_it_explains_every_metric_as_the_table_does() -> None:
    told = {name: each["description"] for name, each in PROPERTIES.items() if name in METRICS}
    assert told == {name: f"{metric.meaning} ({metric.unit})" for name, metric in METRICS.items()}


@pytest.mark.parametrize(
    ("schema", "of_class", "more"),
    [
        (_items("invariants"), InvariantResult, set()),
        (_items("violations"), Violation, set()),
        (_items("thresholds"), Judged, set()),
        (_items("happenings"), Happening, {"payout_id"}),
        (PROPERTIES["validity"], GeneratorCheck, set()),
        (DEFINED["machine"], MachineCheck, set()),
        (PROPERTIES["fairness"], Fairness, set()),
        (DEFINED["percentiles"], Percentiles, set()),
        (DEFINED["compared"], Comparison, {"title"}),
    ],
)
def test_it_has_the_fields_of_every_class(schema: dict[str, Any], of_class: type, more: set[str]) -> None:
    assert set(schema["properties"]) == {each.name for each in fields(of_class)} | more


def test_it_has_every_word_that_a_result_may_say() -> None:
    conclusions = DEFINED["compared"]["properties"]
    for schema, words in (
        (PROPERTIES["verdict"], Verdict), (PROPERTIES["reasons"]["items"], Reason), (DEFINED["invariant"], INVARIANTS),
        (_items("invariants")["properties"]["outcome"], Outcome), (conclusions["conclusion"], Conclusion),
        (conclusions["better"], Better),
    ):  # fmt: skip
        assert schema["enum"] == list(words)
    assert set(PROPERTIES["environment"]["properties"]) == set(environment())
    assert set(PROPERTIES["exit_code"]["enum"]) == {Exit.PASS} | {decide([reason])[2] for reason in Reason}


def test_storms_have_its_form(result: dict[str, Any], tmp_path: Path) -> None:
    """Also one on another service, of which less is known."""
    assert result["violations"]
    assert faults_of(result) == []
    grabs = [a_grab("v1", "granted", claim_id="c1"), a_grab("v1", "granted", 1_150, claim_id="c2", request_id="r2")]
    foreign = judged_foreign(a_run_of(*grabs), tmp_path)[1]
    assert None in foreign.values()
    assert faults_of(foreign) == []


def test_gates_have_its_form(result: dict[str, Any]) -> None:
    """One in which each part has something that failed, and one as the code makes it, with and without a base."""
    assert faults_of({**result, **a_gate_result()}) == []
    timing = Timing(0.03, pairs=[PAIR] * 6)
    timing.comparisons = [each for each in timing.look(last=True) if isinstance(each, Comparison)]
    gate = Gate(read_scenario("smoke"), GateOptions("smoke"), storm=result, timing=timing)
    assert len(result_of(gate)["gate"]["comparison"]["metrics"]) == 3
    assert faults_of(result_of(gate)) == []
    gate.timing, gate.alone = None, Alone(LEG, 7.0, "")
    assert faults_of(result_of(gate)) == []


@pytest.mark.parametrize("name", PROPERTIES)
def test_it_refuses_what_is_wrong(name: str, result: dict[str, Any]) -> None:
    """A field that is missing, of another kind, or known to nobody."""
    wrong = copy.copy(result)
    wrong[name] = [[None]]
    assert any(f"$.{name}" in each for each in faults_of(wrong))
    del wrong[name]
    assert bool(faults_of(wrong)) == (name != "gate")
    assert faults_of({**result, f"{name}_of_old": 1})
