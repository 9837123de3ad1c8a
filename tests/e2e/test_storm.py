"""Whole storms: real store, real server, real Locust, and the verdict."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.e2e.conftest import Redrain
from tests.e2e.storming import storm
from tests.result_schema import faults_of


def _storm(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = _redrain("storm", *arguments, "--out", str(folder), "--json", "-")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def _redrain(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "scripts.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, dict[str, Any]]:
    """One smoke storm, judged by many tests."""
    folder = tmp_path_factory.mktemp("smoke") / "run"
    code, result = _storm(folder, "smoke")
    return folder, code, result


def test_a_smoke_storm_passes(smoke: tuple[Path, int, dict[str, Any]]) -> None:
    """The real allocator passes, with grabs, a packet sold out and one that leaves escrow."""
    _, code, result = smoke
    assert (code, result["verdict"], result["reasons"], result["violations"]) == (0, "pass", [], [])
    assert [result[name] for name in ("over_issued_fen", "under_issued_fen", "duplicate_claims", "lost_acks")] == [
        0
    ] * 4
    sold, swept = result["packets"]
    assert sold["sold_out"]
    assert sold["granted"] == sold["share_count"] == 20
    assert not swept["sold_out"]
    assert swept["returned_fen"] > 0
    assert swept["granted_fen"] + swept["returned_fen"] == 200 * 66
    assert result["granted"] == sum(packet["granted"] for packet in result["packets"])
    assert result["issued_fen"] == result["granted_fen"] > 0


def test_the_result_has_every_field_that_is_promised(smoke: tuple[Path, int, dict[str, Any]]) -> None:
    """The JSON of a storm has at least these."""
    _, _, result = smoke
    promised = {"verdict", "reasons", "exit_code", "scenario", "seed", "engine", "durability", "speed", "limits"}
    promised |= {"viewers", "grabs", "granted", "granted_fen", "issued_fen", "over_issued_fen", "under_issued_fen"}
    promised |= {"duplicate_claims", "lost_acks", "violations", "packets", "grab_latency_ms", "fanout_skew_ms"}
    promised |= {"start_skew_ms", "send_debt_ms", "grabs_per_second", "thresholds", "sometimes", "environment"}
    promised |= {"repeat_command"}
    assert promised <= set(result)
    assert set(result["grab_latency_ms"]) == {"p50", "p90", "p95", "p99", "p999", "max"}
    of_packet = {"packet_id", "allocator", "share_count", "granted", "granted_fen", "sold_out", "returned_fen"}
    assert all(of_packet <= set(packet) for packet in result["packets"])


def test_the_result_has_the_published_form(smoke: tuple[Path, int, dict[str, Any]]) -> None:
    """docs/result.schema.json says of every field what it holds."""
    assert faults_of(smoke[2]) == []


def test_the_folder_can_be_audited_again(smoke: tuple[Path, int, dict[str, Any]], tmp_path: Path) -> None:
    """Offline, the same folder gives the same verdict and the same figures."""
    folder, _, result = smoke
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    done = _redrain("audit", str(copy), "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == result


def test_verify_recomputes_every_packet(smoke: tuple[Path, int, dict[str, Any]]) -> None:
    """Every packet's shares follow from its revealed seed."""
    folder, _, result = smoke
    done = _redrain("verify", "--run", str(folder))
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("verified") == len(result["packets"])


def test_a_changed_amount_is_found(smoke: tuple[Path, int, dict[str, Any]], tmp_path: Path, redrain: Redrain) -> None:
    """One fen more in the books is named by verify and by the audit."""
    folder, _, _ = smoke
    forged = tmp_path / "forged"
    shutil.copytree(folder, forged)
    lines = (folder / "books.jsonl").read_bytes().splitlines()
    number = next(i for i, line in enumerate(lines) if orjson.loads(line)["kind"] == "claim")
    claim = orjson.loads(lines[number])
    claim["amount_fen"] += 1
    lines[number] = orjson.dumps(claim)
    (forged / "books.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    done = redrain("verify", claim["packet_id"], "--run", str(forged))
    assert done.returncode == 10
    assert claim["viewer_id"] in done.stdout
    audited = redrain("audit", str(forged), "--json", "-")
    assert audited.returncode == 10
    assert {"A4", "A8"} & {violation["invariant"] for violation in json.loads(audited.stdout)["violations"]}


def test_the_naive_allocator_is_caught(tmp_path: Path) -> None:
    """Check, then act, over many connections: more claims than shares, and one share for two viewers, both shown."""
    code, result = storm(tmp_path / "run", "stampede", "--viewers", "300", "--allocator", "naive", "--seed", "7")
    assert code == 10
    assert (result["verdict"], result["reasons"][0]) == ("fail", "invariant")
    invariants = {violation["invariant"]: violation for violation in result["violations"]}
    assert {"A1", "A8"} <= set(invariants)
    assert result["over_issued_fen"] > 0
    twice = next(v for v in result["violations"] if v["invariant"] == "A8" and len(v["evidence"]) == 2)
    assert twice["evidence"][0]["index"] == twice["evidence"][1]["index"]
    assert twice["evidence"][0]["viewer_id"] != twice["evidence"][1]["viewer_id"]


def test_a_run_into_a_used_folder_is_refused(smoke: tuple[Path, int, dict[str, Any]], redrain: Redrain) -> None:
    """A recorded run is never mixed with another."""
    folder, _, _ = smoke
    done = redrain("storm", "smoke", "--out", str(folder))
    assert done.returncode == 64
    assert "not empty" in done.stderr
