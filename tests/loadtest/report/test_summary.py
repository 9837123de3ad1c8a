"""Markdown and annotations: the verdict first, bounded, and no text of others is markup."""

from loadtest.report.summary import ANNOTATIONS_MAX, SUMMARY_BYTES_MAX, annotations_of, markdown_of
from tests.loadtest.report.gate_results import a_gate_result


def test_the_summary_begins_with_the_verdict_and_has_every_part() -> None:
    """Verdict, violations, thresholds, counters, comparison, and the command that repeats it."""
    lines = markdown_of(a_gate_result()).splitlines()
    assert lines[0] == "## ❌ Redrain: fail (invariant, regression, threshold)"
    assert "- **A1** 12 claims of 10 shares" in lines
    assert any(
        line.startswith("**While viewers tapped, others were busy.** Machine: the run used 0.5") for line in lines
    )
    assert "| grab_latency_ms p(99) \\< 50 | 61.5 | **missed** |" in lines
    assert "| store commands per grab | 15.00 | 16.00 | **more** |" in lines
    assert "| CPU us per grab | 24.00 | 27.00 | +12.5% (+10.0% to +15.0%) | **regression** |" in lines
    assert lines[-2] == "Again: `redrain gate smoke --base main`"


def test_a_name_is_no_markup_and_no_cell() -> None:
    """Pipes, backticks, tags, links and line ends stay in their cell as they are."""
    result = a_gate_result()
    result["violations"][0]["detail"] = "a|b\n`c` <img src=x> [d](e)"
    assert "- **A1** a\\|b \\`c\\` \\<img src=x\\> \\[d\\](e)" in markdown_of(result).splitlines()


def test_the_summary_is_bounded() -> None:
    """However long the texts are, a step summary takes it."""
    result = a_gate_result()
    result["violations"] = [{**result["violations"][0], "detail": "红" * 100_000}] * 30
    assert len(markdown_of(result).encode()) <= SUMMARY_BYTES_MAX
    result["violations"] = [{**result["violations"][0], "detail": "红" * 3_000}] * 5_000
    result["thresholds"] = [{**result["thresholds"][0], "expression": "红" * 3_000}] * 5_000
    text = markdown_of(result)
    assert len(text.encode()) <= SUMMARY_BYTES_MAX
    assert text.startswith("## ❌ Redrain: fail")
    assert text.rstrip().endswith("Again: `redrain gate smoke --base main`")


def test_nobody_is_called_and_nothing_is_linked() -> None:
    """A name is not a person of GitHub's, and what looks like a link is none; code is shown as it stands."""
    result = a_gate_result() | {"scenario": "a`b<c>", "repeat_command": "redrain gate 'x``y' --base-url http://[::1]:9"}
    result["violations"][0]["detail"] = "for @octocat see https://example.com \u202eesrever\u2028- [x] end"
    text = markdown_of(result)
    assert "@octocat" not in text
    assert "https://" not in text
    assert "\u202e" not in text
    assert "\u2028" not in text
    assert "Scenario `` a`b<c> ``, 50 viewers" in text
    assert "Again: ``` redrain gate 'x``y' --base-url http://[::1]:9 ```" in text


def test_annotations_are_few_and_on_one_line() -> None:
    """One for each invariant, counter and comparison that failed; line ends and colons are escaped."""
    result = a_gate_result()
    result["violations"][0]["detail"] = "one\ntwo: 3%"
    assert annotations_of(result) == [
        "::error title=Redrain%3A A1::one%0Atwo: 3%25",
        "::error title=Redrain%3A store commands per grab::15.00 to 16.00",
        "::error title=Redrain%3A CPU us per grab::+12.5%25 (+10.0%25 to +15.0%25)",
    ]
    result["violations"] = [{**result["violations"][0], "invariant": f"A{number}"} for number in range(1, 15)]
    assert len(annotations_of(result)) == ANNOTATIONS_MAX


def test_an_annotation_cannot_become_another() -> None:
    """Whatever a name holds, it stays one command on one line: no second one, no end of a property, no colour."""
    result = a_gate_result()
    result["violations"][0]["detail"] = "x\r\n::error::y\u2028::stop-commands::z \x1b[31m %0A" + "w" * 100_000
    first = annotations_of(result)[0]
    assert first.isprintable()
    assert first.startswith("::error title=Redrain%3A A1::x %0A::error::y ::stop-commands::z  [31m %250A")
    assert len(first) < 10_000


def test_a_missed_threshold_is_named() -> None:
    """Where nothing else failed; the measured value stands beside it."""
    result = a_gate_result() | {"reasons": ["threshold"], "violations": [], "gate": None}
    assert annotations_of(result) == ["::error title=Redrain%3A grab_latency_ms p(99) < 50::61.5 measured"]


def test_a_verdict_without_a_finding_is_told_too() -> None:
    """An unknown verdict is a warning, and a pass says nothing."""
    result = a_gate_result() | {"verdict": "unknown", "reasons": ["void"], "violations": [], "thresholds": []}
    result["gate"]["counters"], result["gate"]["comparison"] = [], None
    assert annotations_of(result) == ["::warning title=Redrain%3A unknown::void"]
    assert annotations_of(result | {"verdict": "pass", "reasons": []}) == []


def test_a_missing_base_is_in_the_first_line_and_a_warning() -> None:
    """Also where something else failed; a pass without a base is not silent."""
    result = a_gate_result() | {"violations": [], "verdict": "pass", "reasons": [], "thresholds": []}
    result["gate"] |= {"base": "", "comparison": None, "counters": [], "not_compared": "the base does not run: x\n::y"}
    first = markdown_of(result).splitlines()[0]
    assert first == "## ✅ Redrain: pass; nothing was compared: the base does not run: x ::y"
    assert annotations_of(result) == [
        "::warning title=Redrain%3A nothing was compared::the base does not run: x%0A::y"
    ]  # fmt: skip
    failed = result | {"verdict": "fail", "reasons": ["invariant"]}
    failed["violations"] = [{**a_gate_result()["violations"][0], "invariant": f"A{number}"} for number in range(1, 15)]
    assert len(annotations_of(failed)) == ANNOTATIONS_MAX
