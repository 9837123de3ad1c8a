"""Storms in which the store dies or hangs: real kills, and a verdict that still holds."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.cli import main
from tests.e2e.storming import storm

HANGS = """
name = "store-hangs"
seed = 3

[audience]
viewers = 60
arrivals_per_second = 100
reaction_median_ms = 2_500

[audience.mix]
eager = 0.8
latecomer = 0.2

[[creators]]
creator_id = "anna"
recharge_fen = 1_000_000

[[rooms]]
room_id = "stage"
creator_id = "anna"

[[packets]]
name = "slow"
room_id = "stage"
share_count = 100
mean_share_fen = 50
launch_at_ms = 0
delay_ms = 2_000
claim_window_ms = 4_000

[[faults]]
kind = "stop_store"
for_ms = 3_000
at_phase = { packet = "slow", phase = "closed" }
offset_ms = -1_500
"""

RESETS = (
    HANGS.replace("store-hangs", "lines-break").partition("[[faults]]")[0]
    + """
[[faults]]
kind = "reset_connections"
at_phase = { packet = "slow", phase = "open" }
between_ms = [100, 300]

[[faults]]
kind = "reset_connections"
at_ms = 1_000
"""
)


def _passed(code: int, result: dict[str, Any]) -> None:
    assert (code, result["verdict"], result["violations"]) == (0, "pass", [])
    assert [result[name] for name in ("over_issued_fen", "under_issued_fen", "duplicate_claims", "lost_acks")] == [
        0
    ] * 4
    assert [fault["outcome"] for fault in result["faults"]] == ["struck"] * len(result["faults"])
    assert [fault["down_ms"] is not None for fault in result["faults"]] == [True] * len(result["faults"])


@pytest.mark.parametrize(("seed", "engine"), [(1, "locust"), (2, "swarm")])
def test_a_store_killed_in_a_stampede_loses_nothing(seed: int, engine: str, tmp_path: Path) -> None:
    """Kill -9 under a crowd: the store is back at its address, viewers find out, and every share is given once."""
    code, result = storm(tmp_path / "run", "store-dies", "--viewers", "120", "--seed", str(seed), "--engine", engine)

    _passed(code, result)
    assert result["granted"] == result["packets"][0]["share_count"]
    assert result["faults"][0]["first_answer_ms"] is not None
    assert "fault kill_store" in [happening["action"] for happening in result["happenings"]]


def test_a_store_that_hangs_across_the_closing_gives_nothing_afterwards(tmp_path: Path) -> None:
    """SIGSTOP from before the end of the window until after it: what was asked meanwhile comes too late."""
    scenario = tmp_path / "hangs.toml"
    scenario.write_text(HANGS, "utf-8")
    code, result = storm(tmp_path / "run", str(scenario))

    _passed(code, result)
    assert result["faults"][0]["down_ms"] >= 3_000
    ends = {line["packet_id"]: line["claim_end_at_ms"] for line in _books(tmp_path / "run", "packet")}
    given = [line for line in _books(tmp_path / "run", "journal") if line["kind"] == "journal" and line.get("claims")]
    assert given
    assert all(line["at_ms"] < ends[line["packet_id"]] for line in given)


def test_lines_to_the_store_that_break_are_made_anew(tmp_path: Path) -> None:
    """Every connection between server and store is cut, twice: the room goes on, and nothing is told twice."""
    scenario = tmp_path / "resets.toml"
    scenario.write_text(RESETS, "utf-8")
    _passed(*storm(tmp_path / "run", str(scenario)))


def test_somebody_elses_server_is_not_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Faults are for a storm's own server; with a target they are wrong usage, and nothing is begun."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["storm", "store-dies", "--target", "http://127.0.0.1:9"])
    assert ended.value.code == 64
    assert "leave --target out" in capsys.readouterr().err


def _books(run: Path, kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "books.jsonl").read_text("utf-8").splitlines()]
    return [line for line in lines if line["kind"] == kind]
