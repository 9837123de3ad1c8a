"""Markdown for a step summary or a pull request, and GitHub's annotations: the verdict first, then its grounds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loadtest.report.comparing import change_text, conclusion_word
from loadtest.verdict.machine_check import machine_sentence

SUMMARY_BYTES_MAX = 2**20  # what a step summary may have
VIOLATIONS_MAX = 20
ANNOTATIONS_MAX = 10  # more are not shown
_SIGNS = {"pass": "✅", "fail": "❌", "unknown": "⚠️"}


def markdown_of(result: Mapping[str, Any]) -> str:
    """Return a result as Markdown, within what a summary may have."""
    text = "\n".join(_lines(result))
    return text.encode()[: SUMMARY_BYTES_MAX - 1].decode("utf-8", "ignore") + "\n"


def annotations_of(result: Mapping[str, Any]) -> list[str]:
    """Return GitHub's workflow commands: one for each violated invariant and each failed comparison, at most ten."""
    first = {each["invariant"]: each["detail"] for each in reversed(result["violations"])}
    told = [(name, first[name]) for name in sorted(first, key=lambda name: int(name[1:]))]
    gate = result.get("gate")
    if gate:
        told += [(each["title"], f"{each['base']:.2f} to {each['head']:.2f}") for each in _raised(gate)]
        told += [(each["title"], change_text(each)) for each in _slower(gate)]
    if not told and result["verdict"] != "pass":
        told = [(str(result["verdict"]), ", ".join(result["reasons"]))]
    kind = "warning" if result["verdict"] == "unknown" else "error"
    return [f"::{kind} title={_property(f'Redrain: {title}')}::{_data(text)}" for title, text in told[:ANNOTATIONS_MAX]]


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    reasons = f" ({', '.join(result['reasons'])})" if result["reasons"] else ""
    yield f"## {_SIGNS[result['verdict']]} Redrain: {result['verdict']}{reasons}"
    yield ""
    viewers, seed = result["viewers"], result["seed"]
    yield f"Scenario `{_cell(result['scenario'])}`, {viewers:,} viewers, seed {seed}, engine {result['engine']}."
    yield from _machine(result.get("machine"))
    yield from _violations(result["violations"])
    yield from _thresholds(result["thresholds"])
    gate = result.get("gate")
    if gate:
        yield from _gate(gate)
    yield ""
    yield f"Again: `{_cell(result['repeat_command'])}`"
    yield ""


def _machine(machine: Mapping[str, Any] | None) -> Iterator[str]:
    if machine is not None:
        yield ""
        warned = f"**{_cell(machine['note'].capitalize())}.** " if machine["note"] else ""
        yield f"{warned}Machine: {_cell(machine_sentence(machine))}."


def _violations(violations: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if violations:
        yield ""
        yield "### Violations"
        yield ""
        yield from (f"- **{each['invariant']}** {_cell(each['detail'])}" for each in violations[:VIOLATIONS_MAX])
        if len(violations) > VIOLATIONS_MAX:
            yield f"- and {len(violations) - VIOLATIONS_MAX} more in the result"


def _thresholds(thresholds: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    words = {True: "met", False: "**missed**", None: "not judged"}
    rows = [
        (f"{each['metric']} {each['expression']}", "-" if each["value"] is None else f"{each['value']:g}",
         words[each["met"]])
        for each in thresholds
    ]  # fmt: skip
    yield from _table("Thresholds", ("threshold", "measured", ""), rows)


def _gate(gate: Mapping[str, Any]) -> Iterator[str]:
    if gate["base"]:
        yield ""
        yield f"Base `{_cell(gate['base'])}`, head `{_cell(gate['head'])}`."
    words = {True: "no more", False: "**more**", None: "stated only"}
    counters = [
        (each["title"], *("-" if each[side] is None else f"{each[side]:.2f}" for side in ("base", "head")),
         words[each["met"]])
        for each in gate["counters"]
    ]  # fmt: skip
    yield from _table("Work counters", ("counter", "base", "head", ""), counters)
    compared = gate["comparison"]
    if compared:
        rows = []
        for each in compared["metrics"]:
            word = conclusion_word(each["conclusion"])
            decides = each["metric"] in compared["decided_by"]
            rows.append(
                (each["title"], f"{each['base']:,.2f}", f"{each['head']:,.2f}", change_text(each),
                 f"**{word}**" if decides else f"{word}, stated only")
            )  # fmt: skip
        yield from _table("Paired comparison", ("metric", "base", "head", "worse by", ""), rows)
        if compared["void"]:
            yield ""
            yield f"The timing part is void: {_cell(compared['void'])}."
    for note in gate["notes"]:
        yield ""
        yield f"Note: {_cell(note)}"


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield ""
        yield f"### {title}"
        yield ""
        yield f"| {' | '.join(columns)} |"
        yield f"|{'---|' * len(columns)}"
        yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _raised(gate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in gate["counters"] if each["met"] is False]


def _slower(gate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    compared = gate["comparison"]
    if not compared or compared["void"]:
        return []
    decided = compared["decided_by"]
    return [each for each in compared["metrics"] if each["conclusion"] == "regression" and each["metric"] in decided]


def _cell(text: str) -> str:
    """Return a text that stays in its cell, and is no markup: names and messages may hold anything."""
    plain = "".join(char if char >= " " else " " for char in text)
    for sign in "\\`|<>[]":
        plain = plain.replace(sign, f"\\{sign}")
    return plain


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
