"""Answers that the scenario does not explain are counted by what was answered, and told wherever a result is."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtest.record.run_folder import RunFolder
from loadtest.report import write_report
from loadtest.report.junit import junit_of
from loadtest.report.summary import markdown_of
from loadtest.run.terminal import show_result
from loadtest.verdict.not_read import KINDS_MAX, not_read, not_read_text
from tests.loadtest.foreign_run import ForeignRun, a_claim, a_grab, a_run_of
from tests.loadtest.judged_foreign_run import judged_foreign
from tests.result_schema import faults_of

MEND = "[target.receipt].http"
SOLD_OUT = 'not read: 2 x HTTP 410 {"error": "<sold> [red]out"}: map it in [target.receipt].http'


def _with_unread(*grabs: dict[str, Any], unread: int, what: str = "HTTP 410", claims: Any = None) -> ForeignRun:
    """Return a run in which so many viewers more got an answer that nothing maps."""
    lost = [a_grab(f"u{at}", None, 1_150, i=100 + at) for at in range(unread)]
    run = a_run_of(*grabs, *lost, claims=claims)
    for at, grab in enumerate(lost):
        said = '{"error": "<sold> [red]out"}' if at == 0 else None
        run.history.append({"kind": "unread", "grab": grab["i"], "what": what, "mend": MEND, "said": said})
    return run


GIVEN = [a_grab(f"v{at}", "granted", 1_100 + at, claim_id=f"c{at}") for at in range(3)]


def _terminal(result: dict[str, Any]) -> str:
    text = io.StringIO()
    show_result(Console(file=text, width=160, highlight=False, color_system=None), result)
    return text.getvalue()


def test_they_are_told_in_terminal_summary_page_and_result(tmp_path: Path) -> None:
    """They are no unknown grabs by design, and the line says what was answered and where to explain it."""
    folder, result = judged_foreign(_with_unread(*GIVEN, unread=2), tmp_path)
    assert (result["verdict"], result["unknown_by_design"], faults_of(result)) == ("pass", 0, [])
    assert result["not_read"] == [
        {"what": "HTTP 410", "count": 2, "said": '{"error": "<sold> [red]out"}', "mend": MEND},
    ]
    shown = _terminal(result)
    assert f"\n{SOLD_OUT}\n" in shown
    assert "3 of 5 answered, 2 not read" in shown
    assert "by design" not in shown
    assert r"**Not read:** 2 x HTTP 410 {" in markdown_of(result)
    assert r"\<sold\>" in markdown_of(result)
    page = write_report(RunFolder(folder.path), result).read_text("utf-8")
    assert "<b>not read</b> 2 x HTTP 410 {&#34;error&#34;: &#34;&lt;sold&gt; [red]out&#34;}: map it in" in page


def test_if_no_answer_could_be_read_that_is_the_reason(tmp_path: Path) -> None:
    """More viewers, the cure of a vacuous run, would not help."""
    _, result = judged_foreign(_with_unread(unread=3, what="HTTP 404"), tmp_path)
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("unknown", 20, ["not_read"])
    assert "UNKNOWN (not_read)" in _terminal(result)
    assert "redrain.run" in junit_of(result)


def test_a_refusal_that_was_read_does_not_hide_them(tmp_path: Path) -> None:
    _, result = judged_foreign(_with_unread(a_grab("v1", "rate_limited"), unread=3), tmp_path)
    assert result["reasons"] == ["not_read", "vacuous"]


@pytest.mark.parametrize("grant", [False, True])
def test_such_an_answer_may_be_a_grant_or_a_refusal(grant: bool) -> None:
    """Neither a share that was never told nor one in the books without a receipt is a loss."""
    told = [a_grab(f"v{at}", "granted", 1_100 + at, claim_id=f"c{at}") for at in range(2)]
    claims = [a_claim(f"v{at}", claim_id=f"c{at}") for at in range(2)]
    claims += [a_claim("u0", claim_id="c2")] if grant else []
    run = _with_unread(*told, a_grab("v9", "exhausted", 1_300), unread=1, claims=claims if grant else None)
    assert run.broken() == set()


def test_the_part_that_they_hide_is_named(tmp_path: Path) -> None:
    _, result = judged_foreign(_with_unread(*GIVEN, unread=2), tmp_path)
    why = {one["invariant"]: one["why"] for one in result["invariants"]}
    assert "taps without an answer that could be read (2) may have won more" in why["A1"]


def test_kinds_are_bounded_and_the_most_frequent_come_first() -> None:
    run = _with_unread(unread=0)
    for at in range(2 * KINDS_MAX):
        answer = {"kind": "unread", "grab": at, "what": f"code {at}\x1b", "mend": "", "said": None}
        run.history += [dict(answer) for _ in range(1 + at % 2)]
    found = not_read(run.read()[1])
    assert len(found) == KINDS_MAX + 1
    assert sum(kind.count for kind in found) == 3 * KINDS_MAX
    assert (found[0].what, found[0].count, found[-1].what, found[-1].count) == (r"code 1\x1b", 2, "other answers", 20)


def test_one_line_holds_the_most_frequent_kinds() -> None:
    kinds = [{"what": f"HTTP {500 + at}", "count": 1_000, "said": "", "mend": ""} for at in range(5)]
    assert not_read_text(kinds) == (
        "1,000 x HTTP 500; 1,000 x HTTP 501; 1,000 x HTTP 502; 2,000 of 2 further kinds, in the result"
    )
    assert not_read_text([]) == ""
