"""A user's own allocator, in a folder of its own: a correct one passes, a race is caught, a failure is named."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Redrain

EXAMPLES = Path(__file__).parents[1] / "examples/allocators"
PAGE = Path(__file__).parents[2] / "docs/allocators.md"
LINES_MAX = 40  # of a complete example

SMALL = """
name = "small"
speed = 20
seed = 1
sometimes = ["sold_out_seen", "repeat_seen"]
workers = 2

[audience]
viewers = 60
arrivals_per_second = 200
reaction_median_ms = 150

[audience.mix]
eager = 0.5
double_tapper = 0.5

[[creators]]
creator_id = "anna"
recharge_fen = 100_000

[[rooms]]
room_id = "anna-live"
creator_id = "anna"
title = "Anna's evening"

[[packets]]
name = "sells out"
room_id = "anna-live"
platform = "lab"
shares_per_viewer = 0.4
mean_share_fen = 100
launch_at_ms = 0
mode = "relative"
delay_ms = 20_000
claim_window_ms = 20_000
"""


def redrain_process(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "scripts.cli", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a user's folder: allocators, a scenario, and files named like modules that are none of theirs."""
    place = tmp_path_factory.mktemp("users")
    shutil.copytree(EXAMPLES, place, dirs_exist_ok=True)
    (place / "small.toml").write_text(SMALL, "utf-8")
    (place / "server").mkdir()
    (place / "server" / "__init__.py").write_text("raise AssertionError('the wrong server')\n", "utf-8")
    [example] = [part.partition("```")[0] for part in PAGE.read_text("utf-8").split("```python\n")[1:]]
    assert len(example.splitlines()) <= LINES_MAX
    assert example == (EXAMPLES / "in_order.py").read_text("utf-8")
    (place / "from_the_page.py").write_text(example, "utf-8")
    return place


def storm(redrain: Redrain, folder: Path, allocator: str) -> tuple[int, dict[str, Any], str]:
    run = folder / f"run-{allocator.partition(':')[2]}"
    done = redrain("storm", "small.toml", "--engine", "swarm", "--durability", "relaxed",
                   "--allocator", allocator, "--out", str(run), "--json", "-", folder=folder)  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def test_the_example_of_the_page_passes_a_storm(folder: Path) -> None:
    """It is complete in 40 lines, and correct in two processes at once; the result says whose it was."""
    code, result, said = storm(redrain_process, folder, "from_the_page:InOrder")
    assert (code, result["verdict"], result["violations"]) == (0, "pass", []), said
    [packet] = result["packets"]
    assert (packet["allocator"], packet["granted"], packet["sold_out"]) == ("from_the_page:InOrder", 24, True)
    assert "--allocator from_the_page:InOrder" in result["repeat_command"]
    assert result["server_errors"] == []


def test_a_race_is_caught(folder: Path, redrain: Redrain) -> None:
    """It gives a share to several viewers, and says so to each of them."""
    code, result, _ = storm(redrain, folder, "looks_first:LooksFirst")
    assert (code, result["verdict"], result["reasons"][0]) == (10, "fail", "invariant")
    assert {"A1", "A8"} <= {violation["invariant"] for violation in result["violations"]}
    assert result["over_issued_fen"] > 0


def test_one_that_raises_is_named_and_leaves_nobody_waiting(folder: Path, redrain: Redrain) -> None:
    """Grabs are answered unavailable, each kind of failure is said with its place, and the server ends as it should."""
    code, result, said = storm(redrain, folder, "looks_first:FailsAtTimes")
    assert "server_errors" in result["reasons"]
    assert code != 0
    assert any("looks_first:FailsAtTimes failed to claim: KeyError: 'v" in line for line in result["server_errors"])
    assert all("looks_first.py, line " in line for line in result["server_errors"])
    assert result["server_errors"][-1].endswith(" times in all")  # said when it is closed, in each process
    assert "looks_first:FailsAtTimes failed to claim" in said
    log = (folder / "run-FailsAtTimes" / "server.log").read_text("utf-8")
    assert "Traceback" not in log
    assert "A12" not in {violation["invariant"] for violation in result["violations"]}


@pytest.mark.parametrize(
    ("allocator", "said"),
    [
        ("nosuch:Mine", "there is no module nosuch"),
        ("in_order:Nope", "in_order has no class Nope"),
        ("looks_first:asyncio", "looks_first has no class asyncio"),
        ("in_order:Sequence", "is no allocator"),
        ("server.mine:Mine", "there is no module server.mine"),
    ],
)
def test_what_is_no_allocator_is_64_before_anything_starts(
    allocator: str, said: str, folder: Path, redrain: Redrain
) -> None:
    """A sentence says why, without a traceback."""
    before = sorted(path.name for path in folder.iterdir())
    done = redrain("storm", "small.toml", "--allocator", allocator, folder=folder)
    assert done.returncode == 64, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted({path.name for path in folder.iterdir()} - {"__pycache__"}) == [
        name for name in before if name != "__pycache__"
    ]


def test_a_server_of_somebody_elses_brings_its_own(folder: Path, redrain: Redrain) -> None:
    """So --allocator beside --target is an error of usage, and so is one's own without diagnostics."""
    done = redrain("storm", "smoke", "--target", "http://127.0.0.1:1", "--allocator", "in_order:InOrder", folder=folder)
    assert (done.returncode, "leave --allocator or --target out" in done.stderr) == (64, True)
    done = redrain("serve", "--insecure", "--port", "0", "--allocator", "in_order:InOrder", folder=folder)
    assert (done.returncode, "--diagnostics" in done.stderr) == (64, True)
    done = redrain("serve", "--insecure", "--diagnostics", "--port", "0", "--allocator", "nosuch:Mine", folder=folder)
    assert (done.returncode, "there is no module nosuch" in done.stderr) == (64, True)


def test_allocators_lists_what_is_built_in(folder: Path, redrain: Redrain) -> None:
    """Name, sentence, correct or not, and capabilities; the page has the same names."""
    done = redrain("allocators", "--json", "-", folder=folder)
    assert done.returncode == 0
    listed = {entry["name"]: entry for entry in json.loads(done.stdout)}
    assert list(listed) == ["default", "list-pop", "counter", "watch-multi", "naive"]
    page = PAGE.read_text("utf-8")
    for name, entry in listed.items():
        assert f"| `{name}` | {'yes' if entry['correct_by_construction'] else 'no'} |" in page
        assert set(entry["capabilities"]) == {"one_step", "keeps_owners", "edits"}
        assert entry["summary"].split()[0] in done.stderr
    assert all(f"`{capability}`" in page for capability in listed["default"]["capabilities"])
