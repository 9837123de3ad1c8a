"""From a folder to a result: everything promised is in it, and a broken invariant decides it."""

import json
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from loadtest.record.run_folder import RunFolder
from loadtest.record.shape import BadRecord
from loadtest.run.judge_run import judge_run
from loadtest.verdict.threshold_grammar import parse_line
from tests.loadtest.record.test_run_folder import FACTS
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


def test_a_failing_allocator_is_no_pass(tmp_path: Path) -> None:
    """The server's allocator errors are in the result, and the run proves nothing."""
    folder = _kept(a_run(), tmp_path)
    said = ["allocator mine:Mine failed to claim: KeyError: 'k' (mine.py, line 3)"]
    folder.write_facts(replace(FACTS, server_errors=said))
    result = judge_run(folder)
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("unknown", 20, ["server_errors"])
    assert result["server_errors"] == said


def test_a_machine_that_others_kept_busy_voids_times(tmp_path: Path) -> None:
    """A limit on latency is not judged, met or not, unless the service is not the run's own; all else is."""
    run = a_run()
    folder = _kept(run, tmp_path)
    taps = folder.read_history().grabs
    first, last = min(tap.t_intended for tap in taps), max(tap.t_reply or 0 for tap in taps)
    run.history.insert(0, {"kind": "health", "t": first, "lag_ms": 1.0, "cpu": 0.1, "steal": 0.0, "descriptors": 9})
    _kept(run, tmp_path)
    busy = replace(FACTS, machine_load=[[first, last, 1, 2 * (last - first), 0, 0, None]], own_service=True)
    limits = [parse_line("grab_latency_ms p(99) < 3600 s"), parse_line("over_issued_fen == 0")]
    folder.write_facts(busy)
    result = judge_run(folder, limits)
    assert (result["exit_code"], result["reasons"]) == (20, ["void"])
    assert [limit["met"] for limit in result["thresholds"]] == [None, True]
    assert result["thresholds"][0]["why"] == result["machine"]["note"] != ""
    assert judge_run(folder)["exit_code"] == 0
    folder.write_facts(replace(busy, own_service=False))
    assert judge_run(folder, limits)["exit_code"] == 0


def test_errors_of_the_server_may_be_allowed(tmp_path: Path) -> None:
    """They stand in the result, decide nothing, and do so again when the record is audited later."""
    folder = _kept(a_run(), tmp_path)
    folder.write_facts(replace(FACTS, server_errors=["KeyError: 'k'"], server_log="checked", allow_server_errors=True))
    result = judge_run(folder)
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("pass", 0, [])
    assert (result["server_errors"], result["server_log"]) == (["KeyError: 'k'"], "checked")


def test_the_log_of_another_server_is_not_checkable(tmp_path: Path) -> None:
    """A storm reads only the log of a server that it started."""
    folder = _kept(a_run(), tmp_path)
    assert judge_run(folder)["server_log"] == "not checkable"


def test_packets_of_an_earlier_storm_are_no_phantoms(tmp_path: Path) -> None:
    """Packets of other runs are not judged by this history, but their money is, and nothing else is exempt."""
    run = a_run()
    run.history = [line for line in run.history if "c1.p0" not in (line.get("packet"), line.get("packet_id"))]
    for line in run.of("fact"):
        line["seq"] -= len(a_run().of("fact", packet="c1.p0"))
    run.history = [line for line in run.history if line["kind"] not in ("conn", "run", "arrival", "welcome")]
    run.history[-1] |= {"grabs": len(run.of("grab")), "conns": 0}
    folder = _kept(run, tmp_path)
    assert "A4" in {violation["invariant"] for violation in judge_run(folder)["violations"]}

    folder.write_facts(replace(FACTS, packet_ids=["c1.p1"]))
    result = judge_run(folder)
    assert (result["verdict"], result["violations"]) == ("pass", [])
    assert [packet["packet_id"] for packet in result["packets"]] == ["c1.p1"]

    run.of("packet", packet_id="c1.p0")[0]["given_fen"] += 1
    (tmp_path / "again").mkdir()
    folder = _kept(run, tmp_path / "again")
    folder.write_facts(replace(FACTS, packet_ids=["c1.p1"]))
    assert "A10" in {violation["invariant"] for violation in judge_run(folder)["violations"]}


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


DEMANDING = """
name = "demanding"
sometimes = [{sometimes}]
audience = {{ viewers = 12 }}
creators = [{{ creator_id = "c1", recharge_fen = 1000 }}]
rooms = [{{ room_id = "r1", creator_id = "c1" }}]

[[packets]]
name = "p"
room_id = "r1"
share_count = 5
total_fen = 500
launch_at_ms = 0
delay_ms = 1000

[thresholds]
{thresholds}
"""


def _demanding(
    folder: RunFolder, *, sometimes: str = "", thresholds: str = "", lag_ms: float | None = 1.0
) -> RunFolder:
    """Give a run a scenario that wants something of it, and a generator that was healthy or not."""
    folder.scenario.write_text(DEMANDING.format(sometimes=sometimes, thresholds=thresholds), "utf-8")
    path = folder.path / "history-1.jsonl"
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    first = min(line["t_intended"] for line in lines if line["kind"] == "grab")
    health = {"kind": "health", "lag_ms": lag_ms, "cpu": 0.2, "steal": 0.0, "descriptors": 9}
    if lag_ms is not None:
        lines[:0] = [{**health, "t": first + number} for number in range(8)]
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return folder


def test_a_missed_threshold_is_exit_12(tmp_path: Path) -> None:
    """Measured value beside the limit, each met or missed, and the missed one decides."""
    limits = 'grab_latency_ms = ["max < 0.001", "p(50) < 100000"]\nover_issued_fen = ["value == 0"]'
    result = judge_run(_demanding(_kept(a_run(), tmp_path), thresholds=limits))
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("fail", 12, ["threshold"])
    assert [threshold["met"] for threshold in result["thresholds"]] == [False, True, True]
    assert result["thresholds"][0]["value"] == result["grab_latency_ms"]["max"]


@pytest.mark.parametrize("lag_ms", [800.0, None])
def test_a_starved_generator_is_void_for_timing(lag_ms: float | None, tmp_path: Path) -> None:
    """Its latencies are not judged, counts are; the run is unknown, not red and not green."""
    limits = 'grab_latency_ms = ["max < 0.001"]\nover_issued_fen = ["value == 0"]'
    result = judge_run(_demanding(_kept(a_run(), tmp_path), thresholds=limits, lag_ms=lag_ms))
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("unknown", 20, ["void"])
    assert [threshold["met"] for threshold in result["thresholds"]] == [None, True]
    assert not result["validity"]["ok"]
    assert result["validity"]["notes"]


def test_a_starved_generator_is_still_judged_for_correctness(tmp_path: Path) -> None:
    """A broken invariant outweighs a void timing."""
    folder = _kept(a_run(seed=2, flaw="one too many"), tmp_path)
    result = judge_run(_demanding(folder, thresholds='grab_latency_ms = ["max < 1"]', lag_ms=800.0))
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("fail", 10, ["invariant", "void"])


def test_without_timing_thresholds_a_starved_generator_voids_nothing(tmp_path: Path) -> None:
    """A scenario that demands no speed is decided by correctness alone; the generator's state is stated."""
    folder = _demanding(_kept(a_run(), tmp_path), thresholds='lost_acks = ["value == 0"]', lag_ms=800.0)
    result = judge_run(folder)
    assert (result["exit_code"], result["validity"]["ok"]) == (0, False)


def test_a_selection_in_which_nothing_happened_is_not_verified(tmp_path: Path) -> None:
    """A name that nobody has cannot be fast enough."""
    limits = '"grab_latency_ms{packet:rain}" = ["max < 100000"]\n"grabs{room:r1, packet:evening}" = ["value > 0"]'
    result = judge_run(_demanding(_kept(a_run(), tmp_path), thresholds=limits))
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("unknown", 20, ["not_verified"])
    assert [threshold["met"] for threshold in result["thresholds"]] == [None, True]
    assert result["thresholds"][0]["metric"] == "grab_latency_ms{packet:rain}"
    assert result["thresholds"][0]["why"] == "no packet is called rain; there are evening"


def test_thresholds_of_the_command_line_are_judged_too(tmp_path: Path) -> None:
    """Those that the storm was given stand in its record; an audit may add others."""
    folder = _demanding(_kept(a_run(), tmp_path), thresholds='lost_acks = ["value == 0"]')
    folder.write_facts(replace(FACTS, thresholds=["granted / grabs >= 0.01"]))
    more = [parse_line("grab_latency_ms avg < 0.001"), parse_line("lost_acks value == 0")]
    result = judge_run(folder, more)
    assert [(each["expression"], each["met"]) for each in result["thresholds"]] == [
        ("value == 0", True), ("granted / grabs >= 0.01", True), ("avg < 0.001", False),
    ]  # fmt: skip
    assert (result["exit_code"], result["reasons"]) == (12, ["threshold"])


def test_a_programme_that_was_broken_off_missed_its_threshold_and_nothing_else(tmp_path: Path) -> None:
    """Exit 12, whatever it had not shown by then; a broken invariant outweighs it."""
    limits = "granted = [{ threshold = 'value < 9999', abort_after_s = 1 }]"
    missed = {"kind": "kill_store", "planned": "then", "outcome": "missed"}
    broke = {"granted value < 9999": "broke the programme off after 1.0 s, at 10,000 (limit 9,999)"}
    for flaw, exit_code, reasons in (("", 12, ["threshold"]), ("one too many", 10, ["invariant", "threshold"])):
        path = tmp_path / (flaw or "correct")
        path.mkdir()
        folder = _demanding(_kept(a_run(seed=2, flaw=flaw), path), sometimes='"voided"', thresholds=limits)
        folder.write_facts(replace(FACTS, broken_off=broke, faults=[missed]))
        result = judge_run(folder)
        assert (result["exit_code"], result["reasons"]) == (exit_code, reasons)
        assert (result["thresholds"][0]["met"], result["thresholds"][0]["why"]) == (False, *broke.values())


def test_what_did_not_happen_makes_a_run_vacuous(tmp_path: Path) -> None:
    """A run in which a wanted thing never happened is unknown, with the counts of all that was wanted."""
    result = judge_run(_demanding(_kept(a_run(), tmp_path), sometimes='"repeat_seen", "voided"'))
    assert (result["verdict"], result["exit_code"], result["reasons"]) == ("unknown", 20, ["vacuous"])
    assert result["sometimes"]["repeat_seen"] > 0
    assert result["sometimes"]["voided"] == 0
