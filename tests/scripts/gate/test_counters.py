"""Work counters: one store command more for each grab is seen on any machine."""

import shutil
import sys
from pathlib import Path

import pytest

import server
from loadtest.engines.child_process import Build
from scripts.gate.counters import COUNTERS, count_work

ROOT = Path(server.__path__[0]).parent
CODE = ("client_sim", "loadtest", "scripts", "server")
PLACE = "local in_shares ="


@pytest.fixture
def slower(tmp_path: Path) -> Build:
    """Build a copy of this project whose claim script asks the store once more for each claim."""
    for folder in CODE:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    script = tmp_path / "server/store/lua/claim.lua"
    text = script.read_text("utf-8")
    changed = text.replace(PLACE, f"redis.call('LLEN', shares)\n{PLACE}")
    assert changed != text
    script.write_text(changed, "utf-8")
    return Build(tmp_path, Path(sys.executable))


def test_one_store_command_more_a_grab_is_seen(slower: Build) -> None:
    """Nothing else is raised."""
    ours, theirs = count_work(None), count_work(slower)
    assert _raised(ours, theirs) == ["store_commands_per_grab"]
    assert theirs["store_commands_per_grab"] - ours["store_commands_per_grab"] == pytest.approx(1.0)
    assert ours["script_calls_per_grab"] == 1.0


def _raised(base: dict[str, float], head: dict[str, float]) -> list[str]:
    return [name for name, counter in COUNTERS.items() if not counter.allows(base[name], head[name])]
