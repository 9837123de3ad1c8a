"""JUnit XML of a gate: a test case for each invariant, threshold, counter and comparison; unknown ones are skipped."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from loadtest.report.comparing import change_text
from loadtest.report.wording import REASONS
from loadtest.verdict.thresholds import threshold_text

SUITE = "redrain gate"
_OF_THE_RUN = ("void", "not_read", "vacuous", "server_errors")  # no case of an invariant or a limit shows these
_UNFIT = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2


class Case(NamedTuple):
    """One test case; ``failure`` and ``skipped`` hold why it did not pass, "" if it did."""

    group: str
    name: str
    failure: str = ""
    skipped: str = ""


def junit_of(result: Mapping[str, Any]) -> str:
    """Return the XML of a gate's result, or of a storm's."""
    cases = list(cases_of(result))
    suite = ET.Element(
        "testsuite",
        name=f"{SUITE} {result['scenario']}",
        tests=str(len(cases)),
        failures=str(sum(bool(case.failure) for case in cases)),
        errors="0",
        skipped=str(sum(bool(case.skipped) for case in cases)),
        timestamp=str(result["started_at"]),
    )
    for case in cases:
        element = ET.SubElement(suite, "testcase", classname=f"redrain.{case.group}", name=_clean(case.name))
        if case.failure:
            ET.SubElement(element, "failure", message=_clean(case.failure)).text = _clean(result["repeat_command"])
        elif case.skipped:
            ET.SubElement(element, "skipped", message=_clean(case.skipped))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, "unicode", xml_declaration=True) + "\n"


def cases_of(result: Mapping[str, Any]) -> Iterator[Case]:
    """Yield the cases of a result."""
    details = {each["invariant"]: each["detail"] for each in reversed(result["violations"])}
    for one in result["invariants"]:
        name = one["invariant"]
        unknown = one["why"] or "not checkable"
        yield Case("invariants", name, details.get(name, ""), unknown if one["outcome"] == "not_checkable" else "")
    for limit in result["thresholds"]:
        yield Case(
            "thresholds", threshold_text(limit), f"{limit['value']} measured" if limit["met"] is False else "",
            (limit["why"] or "not judged") if limit["met"] is None else "",
        )  # fmt: skip
    for name, count in result["sometimes"].items():
        yield Case("sometimes", name, skipped="" if count else "it never happened, so that a pass would mean little")
    for reason in result["reasons"]:
        if reason in _OF_THE_RUN:
            yield Case("run", reason, skipped=REASONS[reason])
    gate = result.get("gate")
    if gate:
        yield from _compared(gate)


def _compared(gate: Mapping[str, Any]) -> Iterator[Case]:
    for counter in gate["counters"]:
        unknown = "nothing to compare with" if counter["met"] is None else ""
        raised = counter["met"] is False
        told = f"{counter['base']:.2f} at the base, {counter['head']:.2f} at the head" if raised else ""
        yield Case("counters", counter["title"], told, unknown)
    compared = gate["comparison"]
    if gate.get("not_compared"):
        yield Case("comparison", "base", skipped=gate["not_compared"])
    if not compared:
        return
    void = compared["void"]
    for each in compared["metrics"]:
        told = f"{change_text(each)}: {each['reason']}"
        failed = each["conclusion"] == "regression" and each["metric"] in compared["decided_by"] and not void
        passed = each["conclusion"] in ("pass", "improvement") and not void
        yield Case("comparison", each["title"], told if failed else "", "" if failed or passed else void or told)


def _clean(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return _UNFIT.sub("?", text)
