"""Markdown for a step summary or a pull request, and GitHub's annotations: the verdict first, then its grounds."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loadtest.report.comparing import change_text, conclusion_word, leg_text, uncompared
from loadtest.verdict.machine_check import machine_sentence
from loadtest.verdict.not_read import not_read_text
from loadtest.verdict.thresholds import threshold_text

SUMMARY_BYTES_MAX = 2**20  # what a step summary may have
VIOLATIONS_MAX = 20
ANNOTATIONS_MAX = 10  # more are not shown
TEXT_MAX = 2_000  # of one text of somebody else's: a summary holds many
ROWS_MAX = 200
_SIGNS = {"pass": "✅", "fail": "❌", "unknown": "⚠️"}


def markdown_of(result: Mapping[str, Any]) -> str:
    """Return a result as Markdown, within what a summary may have."""
    last = f"\nAgain: {_code(result['repeat_command'])}\n\n"  # another step's part may follow
    text = "\n".join(_lines(result)).encode()
    return text[: SUMMARY_BYTES_MAX - len(last.encode()) - 1].decode("utf-8", "ignore") + "\n" + last


def annotations_of(result: Mapping[str, Any]) -> list[str]:
    """Return GitHub's workflow commands: one for each violated invariant and each failed comparison, at most ten."""
    first = {each["invariant"]: each["detail"] for each in reversed(result["violations"])}
    told = [(name, first[name]) for name in sorted(first, key=lambda name: int(name[1:]))]
    gate = result.get("gate")
    if gate:
        told += [(each["title"], f"{each['base']:.2f} to {each['head']:.2f}") for each in _raised(gate)]
        told += [(each["title"], change_text(each)) for each in _slower(gate)]
    if not told:
        missed = [each for each in result["thresholds"] if each["met"] is False]
        told = [(threshold_text(each), f"{each['value']:g} measured") for each in missed]
    if not told and result["verdict"] != "pass":
        told = [(str(result["verdict"]), ", ".join(result["reasons"]))]
    kind = "warning" if result["verdict"] == "unknown" else "error"
    lines = [_annotation(kind, *each) for each in told[:ANNOTATIONS_MAX]]
    if gate and gate.get("not_compared"):
        lines = [_annotation("warning", "nothing was compared", gate["not_compared"]), *lines[: ANNOTATIONS_MAX - 1]]
    return lines


def _annotation(kind: str, title: str, text: str) -> str:
    return f"::{kind} title={_property(f'Redrain: {title}')}::{_data(text)}"


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    reasons = f" ({', '.join(result['reasons'])})" if result["reasons"] else ""
    left_out = f"; {_cell(told)}" if (told := uncompared(result)) else ""
    yield f"## {_SIGNS[result['verdict']]} Redrain: {result['verdict']}{reasons}{left_out}"
    yield ""
    viewers, seed = result["viewers"], result["seed"]
    yield f"Scenario {_code(result['scenario'])}, {viewers:,} viewers, seed {seed}, engine {result['engine']}."
    if told := not_read_text(result.get("not_read", ())):
        yield ""
        yield f"**Not read:** {_cell(told)}"
    for note in result.get("notes", ()):
        yield ""
        yield f"Note: {_cell(note)}"
    yield from _machine(result.get("machine"))
    yield from _violations(result["violations"])
    yield from _thresholds(result["thresholds"])
    gate = result.get("gate")
    if gate:
        yield from _gate(gate)


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
        (threshold_text(each), "-" if each["value"] is None else f"{each['value']:g}",
         words[each["met"]])
        for each in thresholds
    ]  # fmt: skip
    yield from _table("Thresholds", ("threshold", "measured", ""), rows)


def _gate(gate: Mapping[str, Any]) -> Iterator[str]:
    if gate["base"]:
        yield ""
        yield f"Base {_code(gate['base'])}, head {_code(gate['head'])}."
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
                (each["title"], leg_text(each, "base"), leg_text(each, "head"), change_text(each),
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
        yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows[:ROWS_MAX])
        if len(rows) > ROWS_MAX:
            yield ""
            yield f"and {len(rows) - ROWS_MAX} more in the result"


def _raised(gate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in gate["counters"] if each["met"] is False]


def _slower(gate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    compared = gate["comparison"]
    if not compared or compared["void"]:
        return []
    decided = compared["decided_by"]
    return [each for each in compared["metrics"] if each["conclusion"] == "regression" and each["metric"] in decided]


def _cell(text: str) -> str:
    """
    Return a text that stays in its cell, is no markup, calls nobody and links nowhere: texts may hold anything.

    What is marked as ours with ** stays so.
    """
    plain = _plain(text)
    for sign in "\\`|<>[]":
        plain = plain.replace(sign, f"\\{sign}")
    # A joiner of no width keeps GitHub from calling people and from making links of what looks like one.
    return plain.replace("@", "@\u200b").replace("://", ":\u200b//")


def _code(text: str) -> str:
    """Return a text as code, in which nothing is markup; its fence is longer than any inside."""
    plain = _plain(text)
    fence = "`" * (max((len(found) for found in re.findall("`+", plain)), default=0) + 1)
    return f"{fence} {plain} {fence}" if "`" in plain else f"{fence}{plain}{fence}"


def _plain(text: str) -> str:
    """Return a text on one line, without what moves a cursor or turns the direction of reading, and not too long."""
    short = text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}..."
    return "".join(each if each.isprintable() else " " for each in short)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _data(text: str) -> str:
    """Return a text of a workflow command, which ends with its line."""
    return "%0A".join(_plain(line).replace("%", "%25") for line in text[: 2 * TEXT_MAX].split("\n"))
