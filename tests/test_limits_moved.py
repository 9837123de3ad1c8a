"""No number of a rulebook can be off by one unit without a test of its rule failing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _without_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # but for one none is needed, and they take their time


def _noticed(report: Path, *where: str) -> dict[str, str | None]:
    """Return for each number that was moved which of the tests there noticed."""
    plugins = ["-p", "pytest_asyncio.plugin", "-p", "tests.limits_moved", "-p", "no:cacheprovider"]
    arguments = [*plugins, "--report", str(report), "-m", "rule", *where]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert report.is_file(), ran.stdout + ran.stderr
    noticed: dict[str, str | None] = json.loads(report.read_text("utf-8"))
    return noticed


def test_every_number_is_guarded_by_a_test_of_its_rule(tmp_path: Path) -> None:
    """Each ms, fen, count and basis point is moved up and down, and a test marked with its rule notices."""
    noticed = _noticed(tmp_path / "moved.json", "tests/core")
    assert len(noticed) >= 100
    assert sorted(name for name, by in noticed.items() if by is None) == []


def test_a_number_that_nobody_guards_is_named(tmp_path: Path) -> None:
    """If only warm-ups are tested, only the limits of warm-ups are guarded."""
    noticed = _noticed(tmp_path / "moved.json", "tests/core/test_platform_limits.py", "-k", "warm_up")
    assert {name for name, by in noticed.items() if by is not None} == {
        f"{platform}.immediate_warmup_ms{step}" for platform in ("douyin", "kuaishou") for step in ("+1", "-1")
    }
