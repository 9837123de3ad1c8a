"""From a folder to a result: everything promised is in it, and a broken invariant decides it."""

import json
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from loadtest.folder import RunFolder
from loadtest.judgement import judge_run
from loadtest.record import BadRecord
from tests.loadtest.test_folder import FACTS
from tests.loadtest.written_run import WrittenRun, a_run

PROMISED = """
    verdict reasons exit_code scenario seed engine durability speed limits viewers grabs granted granted_fen issued_fen
    over_issued_fen under_issued_fen duplicate_claims lost_acks violations packets grab_latency_ms fanout_skew_ms
    start_skew_ms send_debt_ms grabs_per_second thresholds sometimes environment repeat_command
"""


def _kept(run: WrittenRun, path: Path) -> RunFolder:
    folder = RunFolder(path)
    folder.write_facts(FACTS)
    folder.books.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in run.books))
    (path / "history-1.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in run.history))
    return folder


def test_a_correct_run_passes(tmp_path: Path) -> None:
    """Exit 0, no reason, no violation; the facts of the run stand in its result."""
    result = judge_run(_kept(a_run(), tmp_path))
    assert (result["verdict"], result["exit_code"], result["reasons"], result["violations"]) == ("pass", 0, [], [])
    assert set(PROMISED.split()) <= set(result)
    assert (result["scenario"], result["viewers"], result["repeat_command"]) == ("smoke", 12, "redrain storm smoke")
    assert [packet["packet_id"] for packet in result["packets"]] == ["c1.p0", "c1.p1"]
    assert all(packet["state"] == "settled" and packet["name"] == "evening" for packet in result["packets"])


@pytest.mark.parametrize("flaw", ["one too many", "check then act", "reply before write", "rounding leak"])
def test_a_flawed_run_fails(flaw: str, tmp_path: Path) -> None:
    """A violated invariant is exit 10, and the records that show it can be written down."""
    result = judge_run(_kept(a_run(seed=2, flaw=flaw), tmp_path))
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("fail", 10, ["invariant"])
    violations = json.loads(orjson.dumps(result))["violations"]
    assert violations
    assert all(set(violation) >= {"invariant", "packet_id", "detail", "evidence"} for violation in violations)


def test_a_snapshot_that_contradicts_fails(tmp_path: Path) -> None:
    """Books taken during the run are audited with the rest."""
    folder, taken = _kept(a_run(), tmp_path), a_run()
    taken.of("packet")[0]["given"] += 1
    folder.snapshot(0).write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in taken.books))
    assert judge_run(folder)["exit_code"] == 10


@pytest.mark.parametrize("file", ["books.jsonl", "history-1.jsonl"])
def test_a_file_that_is_cut_off_is_refused(file: str, tmp_path: Path) -> None:
    """Half a record proves nothing."""
    folder = _kept(a_run(), tmp_path)
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadRecord):
        judge_run(folder)


def test_equal_folders_have_equal_results(tmp_path: Path) -> None:
    """Judging is a function of what was written down."""
    results = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        results.append(judge_run(_kept(a_run(seed=3), tmp_path / name)))
    assert results[0] == results[1]


@pytest.mark.parametrize(("outcome", "reasons"), [("struck", []), ("missed: the programme was over", ["vacuous"])])
def test_a_fault_that_did_not_strike_proves_nothing(outcome: str, reasons: list[str], tmp_path: Path) -> None:
    """A pass under a fault means something only if there was one."""
    folder = _kept(a_run(), tmp_path)
    folder.write_facts(replace(FACTS, faults=[{"kind": "kill_store", "planned": "then", "outcome": outcome}]))
    assert judge_run(folder)["reasons"] == reasons
