"""docs/invariants.md and the audit agree: the invariants, their sentences, the modules and the counterexamples."""

import re
from pathlib import Path
from typing import Any

import pytest

from loadtest.report.findings import FAIRNESS, MEANINGS
from loadtest.verdict.audit import INVARIANTS
from tests.loadtest.written_run import NS_PER_MS, T0_NS, WrittenRun, a_run, unsent

ROOT = Path(__file__).parents[4]
AUDIT = ROOT / "loadtest/verdict/audit"


def _sections() -> dict[str, tuple[str, str]]:
    """Return title and text of each section by its invariant."""
    page = (ROOT / "docs/invariants.md").read_text("utf-8")
    parts = re.split(r"^## (A\d+)\. (.+)$", page, flags=re.MULTILINE)[1:]
    return {name: (title, text) for name, title, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)}


def test_every_invariant_has_a_section_and_no_other() -> None:
    """Titles and first sentences are those of the report."""
    sections = _sections()
    assert {name: title for name, (title, _) in sections.items()} == {**INVARIANTS, "A11": "fairness"}
    sentences = {name: text.strip().partition("\n\n")[0] for name, (_, text) in sections.items()}
    assert sentences == {**MEANINGS, "A11": FAIRNESS}


def test_every_section_names_the_modules_that_report_its_invariant() -> None:
    """A check that moves to another module, or reports another invariant, moves on the page too."""
    reported = {
        (name, path.name)
        for path in AUDIT.glob("*.py")
        for name in re.findall(r"findings\.add\(\s*\"(A\d+)\"", path.read_text("utf-8"))
    }
    named = {
        (name, module) for name, (_, text) in _sections().items() for module in re.findall(r"`([\w/]+\.py)`", text)
    }
    assert {name for name, _ in reported} == set(INVARIANTS)
    assert reported <= named
    assert [module for _, module in named if not ((AUDIT / module).exists() or (ROOT / module).exists())] == []


def _with_a_lost_push() -> WrittenRun:
    run = a_run()
    whole = run.of("run", conn="v0.0")[0]
    at = run.history.index(whole)
    run.history[at : at + 1] = [whole | {"last_seq": 2}, whole | {"first_seq": 4}]
    return run


def _with_a_lost_claim() -> WrittenRun:
    run = a_run()
    run.drop(run.of("claim")[0])
    return run


def _with_a_wrong_wallet() -> WrittenRun:
    run = a_run()
    run.of("creator")[0]["wallet"]["available_fen"] -= 1
    return run


def _with_an_unsent_receipt() -> WrittenRun:
    run = a_run()
    unsent(run.of("grab", viewer="v0")[0])
    return run


def _with_an_early_closing() -> WrittenRun:
    run = a_run()
    tap = run.of("grab", packet="c1.p0")[0]
    told: dict[str, Any] = {"conn": "v0.0", "viewer": "v0", "request_id": "early", "type": "fail", "receipt": "x"}
    told |= {"t_sent": T0_NS + 2_690 * NS_PER_MS, "t_reply": T0_NS + 2_700 * NS_PER_MS, "claim_id": None}
    run.history = [tap | told | {"status": "too_late"}, *run.history]
    run.history[-1]["grabs"] += 1
    return run


def _with_a_late_opening() -> WrittenRun:
    run = a_run()
    run.of("fact", type="open")[0]["at_ms"] += 400
    return run


BROKEN = {
    "A1": lambda: a_run(flaw="check then act", share_count=10, viewers=24),
    "A2": lambda: a_run(flaw="sold out too soon", viewers=24),
    "A3": lambda: a_run(flaw="no repeat check", viewers=24),
    "A4": lambda: a_run(flaw="reply before write", share_count=40, viewers=24),
    "A5": _with_a_lost_claim,
    "A6": lambda: a_run(flaw="no repeat check", viewers=24),
    "A7": lambda: a_run(flaw="closes late", share_count=40, viewers=24),
    "A8": lambda: a_run(flaw="rounding leak", viewers=24),
    "A9": _with_a_lost_push,
    "A10": _with_a_wrong_wallet,
    "A12": _with_an_unsent_receipt,
    "A13": _with_an_early_closing,
    "A14": _with_a_late_opening,
}


@pytest.mark.parametrize("name", INVARIANTS)
def test_the_counterexample_on_the_page_is_what_the_audit_says(name: str) -> None:
    """Each quotation is a sentence of the audit of a run with that mistake."""
    quoted = " ".join(re.findall(r"^> (.+)$", _sections()[name][1], re.MULTILINE))
    said = [f"{violation.invariant}: {violation.detail}" for violation in BROKEN[name]().audit()]
    assert quoted in said
