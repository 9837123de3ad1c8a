"""Benchmarks: a missed target is an exit code, and a process that fails says why; else nothing is on standard error."""

import pytest

from loadtest.verdict.weigh import Exit
from scripts.bench import rounds
from scripts.bench.process import BenchFailed, bench_process
from scripts.commands import bench


def _benchmark(ours: float) -> rounds.Benchmark:
    subjects: dict[str, rounds.Measurement] = {"ours": lambda: ours, "theirs": lambda: 1.0}
    return rounds.Benchmark("trial", "grab", subjects, [rounds.BenchTarget("ours", "theirs", 2.0)])


@pytest.mark.parametrize(
    ("ours", "no_targets", "code"),
    [(1.5, False, Exit.PASS), (3.0, False, Exit.THRESHOLD), (3.0, True, Exit.PASS)],
)
def test_a_missed_target_is_12(
    ours: float, no_targets: bool, code: Exit, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Figures alone are asked for with --no-targets."""
    monkeypatch.setitem(bench.BENCHMARKS, "trial", lambda: _benchmark(ours))
    assert bench.run_bench("trial", 1, None, no_targets=no_targets) == code
    said = capfd.readouterr()
    assert ("missed" if ours > 2 else "met") in said.out
    assert said.err == ""


def test_a_process_is_quiet_unless_it_fails(capfd: pytest.CaptureFixture[str]) -> None:
    """Its standard error is shown only with the reason why the benchmark ended."""
    with bench_process("scripts.bench.floor") as floor:
        assert int(floor.line()) > 0
    said = pytest.raises(BenchFailed, match=r"(?s)scripts\.bench\.volleys: it said .*IndexError")
    with said, bench_process("scripts.bench.volleys") as shooter:
        shooter.line("ready")
    assert capfd.readouterr() == ("", "")
