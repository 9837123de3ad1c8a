"""JUnit XML: readers find a case for each demand, and unfit characters never break it."""

import copy
from xml.etree import ElementTree as ET

import junitparser
import pytest

from loadtest.report.junit import junit_of
from tests.loadtest.report.gate_kinds import GATES
from tests.loadtest.report.gate_results import a_gate_result


def _states(xml: str) -> dict[str, str]:
    suite = ET.fromstring(xml).find("testsuite")  # noqa: S314 - written by us just now
    assert suite is not None
    cases = suite.findall("testcase")
    assert suite.get("tests") == str(len(cases))
    return {f"{case.get('classname')} {case.get('name')}": case[0].tag if len(case) else "passed" for case in cases}


def test_each_demand_is_a_case() -> None:
    """Violations and missed thresholds are failures, what could not be judged is skipped."""
    assert _states(junit_of(a_gate_result())) == {
        "redrain.invariants A1": "failure",
        "redrain.invariants A5": "skipped",
        "redrain.invariants A7": "passed",
        "redrain.thresholds grab_latency_ms p(99) < 50": "failure",
        "redrain.thresholds over_issued_fen value == 0": "passed",
        "redrain.counters store commands per grab": "failure",
        "redrain.counters bytes of a receipt": "passed",
        "redrain.comparison CPU us per grab": "failure",
        "redrain.comparison latency p99, ms": "skipped",
    }


def test_a_void_comparison_fails_nothing() -> None:
    """It is skipped with its reason."""
    result = copy.deepcopy(a_gate_result())
    result["gate"]["comparison"]["void"] = "the machine was busy"
    states = _states(junit_of(result))
    assert states["redrain.comparison CPU us per grab"] == "skipped"
    assert "the machine was busy" in junit_of(result)


def test_no_character_breaks_it() -> None:
    """Control characters and lone surrogates have no place in XML, and markup is text."""
    result = copy.deepcopy(a_gate_result())
    result["violations"][0]["detail"] = "a \x1b[31m \x00 \ud800 <b>&\"'"
    told = [element.get("message") for element in ET.fromstring(junit_of(result)).iter("failure")]  # noqa: S314
    assert "a ?[31m ? ? <b>&\"'" in told


@pytest.mark.parametrize("kind", GATES)
def test_a_parser_of_others_reads_it(kind: str) -> None:
    """junitparser, from PyPI: the sums are those of the cases, and a verdict that is no pass has one that did not."""
    storm, part = GATES[kind]
    result = copy.deepcopy(a_gate_result()) | storm | {"gate": part}
    if kind != "invariant":
        result |= {"violations": [], "thresholds": [], "invariants": result["invariants"][2:]}
    (suite,) = junitparser.JUnitXml.fromstring(junit_of(result).encode())
    cases = list(suite)
    assert (suite.tests, suite.failures) == (len(cases), sum(case.is_failure for case in cases))
    assert suite.skipped == sum(case.is_skipped for case in cases)
    assert (suite.failures > 0) == (result["verdict"] == "fail")
    assert suite.skipped > 0 or result["verdict"] != "unknown"
    assert all(case.name and case.classname.startswith("redrain.") for case in cases)


def test_why_a_run_proves_nothing_is_a_case() -> None:
    """An event that never happened and a machine that was busy are skipped cases, with their reasons."""
    result = copy.deepcopy(a_gate_result()) | {
        "sometimes": {"sold_out": 0, "repeats": 3},
        "reasons": ["void", "vacuous"],
    }
    result["thresholds"][0] |= {"met": None, "why": "others were busy"}
    states = _states(junit_of(result))
    assert (
        states["redrain.sometimes sold_out"] == states["redrain.run void"] == states["redrain.run vacuous"] == "skipped"
    )
    assert states["redrain.sometimes repeats"] == "passed"
    assert 'message="others were busy"' in junit_of(result)


def test_a_base_that_is_missing_is_a_case_that_was_skipped() -> None:
    """A reader of the file sees that nothing was compared, and why."""
    result = a_gate_result()
    result["gate"] |= {"base": "", "comparison": None, "counters": [], "not_compared": "the base does not run: x"}
    case = ET.fromstring(junit_of(result)).find("testsuite/testcase[@classname='redrain.comparison']")  # noqa: S314
    assert case is not None
    skipped = case.find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "the base does not run: x"
