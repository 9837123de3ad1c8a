"""Benchmarks: a missed target is an exit code, and a process that fails says why; else nothing is on standard error."""

from pathlib import Path

import pytest

from loadtest.verdict.weigh import Exit
from scripts.bench import audit, rounds
from scripts.bench.process import BenchFailed, bench_process
from scripts.bench.recorded_crowd import SEATS
from scripts.bench.volleys import Shooter, Volley, VolleyFailed
from scripts.commands import bench
from scripts.output import console


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


@pytest.mark.parametrize("sent", [b'{"type":"receipt","status":"not_found"}', None])
async def test_a_volley_that_measures_nothing_fails(sent: bytes | None) -> None:
    """A grab of no packet, or a connection that is lost, ends it instead of being counted, or waited for."""
    volley = Volley(2)
    shooter = Shooter("/", "nowhere", volley)
    shooter.data_received(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    volley.fire()
    if sent is None:
        shooter.connection_lost(None)
    else:
        shooter.data_received(sent)
    with pytest.raises(VolleyFailed):
        await volley.landed


async def test_a_volley_lands_with_its_last_receipt() -> None:
    """As many receipts as connections, in however many pieces."""
    volley = Volley(2)
    volley.fire()
    volley.got(1)
    before = volley.landed.done()
    volley.got(1)
    assert (before, volley.landed.done()) == (False, True)
    await volley.landed


def test_a_run_that_was_audited_is_not_audited_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a size with as many rounds as were asked for; the runs that are written are without a fault."""
    monkeypatch.delitem(audit.CROWDS, "all win")
    bench = audit.AuditBench([SEATS], tmp_path)
    first = bench.run(1, console(None))
    lines = (tmp_path / "measured.jsonl").read_bytes()
    assert [subject["name"] for subject in first["subjects"]] == [f"{crowd} {SEATS}" for crowd in audit.CROWDS]
    assert bench.run(1, console(None)) == first
    assert (tmp_path / "measured.jsonl").read_bytes() == lines
    assert not (tmp_path / "run").exists()
