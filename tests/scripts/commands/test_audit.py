"""`redrain audit`: the diagrams and the export beside the verdict, whose exit code they never change."""

from pathlib import Path

import pytest

from loadtest.record.operations import HistoryFormat
from loadtest.verdict.weigh import Exit
from scripts.commands.audit import AuditOptions, run_audit
from tests.loadtest.broken_runs import BROKEN
from tests.loadtest.judged_run import judged


def test_a_violation_is_explained_and_the_history_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The terminal draws, the page and the export are written, and the exit code is that of the verdict."""
    judged(BROKEN["A5"](), tmp_path)
    page, history = tmp_path / "page.html", tmp_path / "history.edn"
    options = AuditOptions(tmp_path, explain=True, html=str(page), history=str(history))

    assert run_audit(options) == Exit.INVARIANT
    assert "The books at the end contradict what was acknowledged" in " ".join(capsys.readouterr().out.split())
    assert "<svg" in page.read_text("utf-8")
    assert history.read_text("utf-8").startswith("{:index 0, :process 0, :type :invoke, :f :grab")


@pytest.mark.parametrize(
    "options",
    [
        AuditOptions(Path("nowhere"), history_format=HistoryFormat.JSON),
        AuditOptions(Path("nowhere"), json="-", history="-"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    options: AuditOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    """A notation without a file says nothing, and standard output takes one document."""
    assert run_audit(options) == Exit.USAGE
    assert "--history" in capsys.readouterr().err
