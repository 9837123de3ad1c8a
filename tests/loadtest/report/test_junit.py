"""JUnit XML: readers find a case for each demand, and unfit characters never break it."""

import copy
from xml.etree import ElementTree as ET

from loadtest.report.junit import junit_of
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
