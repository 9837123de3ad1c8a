"""Work counters: a store command or a few instructions more a grab, a write more a launch, are seen on any machine."""

import shutil
import sys
from pathlib import Path

import pytest

import server
from loadtest.engines.child_process import Build
from scripts.gate.counters import COUNTERS, count_work

ROOT = Path(server.__path__[0]).parent
CODE = ("client_sim", "loadtest", "scripts", "server")
PLANTED = {
    "server/store/lua/claim.lua": ("local in_shares =", "redis.call('LLEN', shares)\nlocal in_shares ="),
    "server/gateway/grabs.py": (
        "        batch = self._batches.get((packet_id, room_id))",
        "        [n for n in range(100)]\n        batch = self._batches.get((packet_id, room_id))",
    ),
    "server/gateway/fanout.py": (
        'self._passes.append(_Pass(b"".join(frames), len(frames), writes))',
        "self._passes.extend(_Pass(frame, 1, writes) for frame in frames)",
    ),
}
"""
The claim script asks the store once more for each claim, Python does a little more, and messages that came together are
written one by one.
"""


@pytest.fixture
def slower(tmp_path: Path) -> Build:
    """Build a copy of this project that does more for a grab and for a launch."""
    for folder in CODE:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (place, more) in PLANTED.items():
        text = (tmp_path / name).read_text("utf-8")
        assert text.count(place) == 1
        (tmp_path / name).write_text(text.replace(place, more), "utf-8")
    return Build(tmp_path, Path(sys.executable))


def test_a_little_more_work_is_seen(slower: Build) -> None:
    """Nothing else is raised, and one's own build against itself raises nothing."""
    ours, theirs = count_work(None), count_work(slower)
    assert _raised(ours, theirs) == ["store_commands_per_grab", "instructions_per_grab", "writes_per_push"]
    assert theirs["store_commands_per_grab"] - ours["store_commands_per_grab"] == pytest.approx(1.0)
    assert ours["script_calls_per_grab"] == 1.0


def _raised(base: dict[str, float], head: dict[str, float]) -> list[str]:
    return [name for name, counter in COUNTERS.items() if not counter.allows(base[name], head[name])]
