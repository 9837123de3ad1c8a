"""Our own CI runs the checks, and after them the gate, whose verdict counts unless it could not tell."""

import shutil
import subprocess
from pathlib import Path

import pytest

from server.settings import clean_environment

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("check", "gate", "ends"), [(0, 0, 0), (0, 10, 1), (0, 11, 1), (0, 12, 1), (0, 20, 0), (0, 30, 1), (2, 0, 1)]
)
def test_checks_and_gate_both_count(check: int, gate: int, ends: int, tmp_path: Path) -> None:
    """The gate runs also where a check has failed, in the root of the checkout, against the commit before."""
    for file, code in (("scripts/check", check), (".venv/bin/redrain", gate)):
        path = tmp_path / file
        path.parent.mkdir(parents=True)
        path.write_text(f'#!/bin/sh\necho "{file} $*" >>"{tmp_path}/ran"\nexit {code}\n', "utf-8")
        path.chmod(0o755)
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    environment = clean_environment() | {"CI": ""}  # nothing is installed
    done = subprocess.run(
        ["bash", str(tmp_path / ".ci/run"), "-k", "some"], cwd="/", env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == ends, done.stderr
    assert (tmp_path / "ran").read_text("utf-8").splitlines() == [
        "scripts/check -k some",
        ".venv/bin/redrain gate smoke --base HEAD~1 --budget 0 --allow push_bytes --allow receipt_bytes",
    ]
