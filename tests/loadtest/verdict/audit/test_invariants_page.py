"""docs/invariants.md and the audit agree: the invariants, their sentences, the modules and the counterexamples."""

import re
from pathlib import Path

import pytest

from loadtest.report.findings import FAIRNESS, MEANINGS
from loadtest.verdict.audit import INVARIANTS
from tests.loadtest.broken_runs import BROKEN

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


@pytest.mark.parametrize("name", INVARIANTS)
def test_the_counterexample_on_the_page_is_what_the_audit_says(name: str) -> None:
    """Each quotation is a sentence of the audit of a run with that mistake."""
    quoted = " ".join(re.findall(r"^> (.+)$", _sections()[name][1], re.MULTILINE))
    said = [f"{violation.invariant}: {violation.detail}" for violation in BROKEN[name]().audit()]
    assert quoted in said
