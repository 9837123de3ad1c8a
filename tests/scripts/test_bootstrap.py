"""The set-up of a checkout that was copied or moved, by scripts that are found in unusual ways."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("scripts/bootstrap.sh", "scripts/storm", "pyproject.toml", "requirements.lock")
# A Python whose venv and pip do what the set-up needs of them: without the wait, and without a network.
PYTHON = """#!/usr/bin/env bash
[ "$1" = -c ] && exit 0
[ "$1" = --version ] && { echo Python 3.11.0; exit; }
case "$*" in
"-m venv .venv")
    mkdir -p .venv/bin
    printf 'command = %s -m venv %s\\n' "$0" "$(pwd -P)/.venv" >.venv/pyvenv.cfg
    cp "$0" .venv/bin/python
    printf '#!/bin/sh\\necho "the code of %s" "$@"\\n' "$(pwd -P)" >.venv/bin/redrain
    chmod +x .venv/bin/redrain
    ;;
"-m pip "*)
    case "${PIP_USER:-0}" in 0 | no | false) ;; *) echo "ERROR: Can not perform a '--user' install" >&2; exit 1 ;; esac
    [ -z "${PIP_TARGET:-}" ] || { echo "installed elsewhere" >&2; exit 1; }
    mkdir -p .venv/lib/python3.11/site-packages
    case "$*" in *--editable*) pwd >.venv/lib/python3.11/site-packages/_redrain.pth ;; esac
    ;;
*) exit 99 ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose name is neither ASCII nor one word, that has been set up."""
    root = tmp_path / "红包 雨"
    for part in PARTS:
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / part, root / part)
    python = tmp_path / "python"
    python.write_text(PYTHON, "utf-8")
    python.chmod(0o755)
    assert run(root / "scripts/storm", tmp_path) == f"the code of {root} storm"
    return root


def run(script: Path, folder: Path, *options: str, **variables: str) -> str:
    environment = {"PATH": os.environ["PATH"], "PYTHON": str(folder / "python"), **variables}  # noqa: TID251
    done = subprocess.run([script, *options], cwd=folder, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


def test_a_copy_runs_its_own_code(checkout: Path, tmp_path: Path) -> None:
    """So does a checkout that was moved; one that stayed where it is is not set up again."""
    copy, moved = tmp_path / "copy", tmp_path / "moved"
    shutil.copytree(checkout, copy, symlinks=True)
    assert run(copy / "scripts/storm", tmp_path) == f"the code of {copy} storm"
    checkout.rename(moved)
    assert run(moved / "scripts/storm", tmp_path) == f"the code of {moved} storm"
    (tmp_path / "python").unlink()
    assert run(moved / "scripts/storm", tmp_path) == f"the code of {moved} storm"


@pytest.mark.parametrize(
    "variables",
    [
        {"PIP_USER": "yes"},
        {"PIP_TARGET": "/elsewhere"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"},
    ],
    ids="-".join,
)
def test_surroundings_do_not_change_the_set_up(checkout: Path, tmp_path: Path, variables: dict[str, str]) -> None:
    """Options of pip and the locale, in a folder that is not ASCII."""
    shutil.rmtree(checkout / ".venv")
    assert run(checkout / "scripts/storm", tmp_path, **variables) == f"the code of {checkout} storm"


def test_the_environment_finds_the_code_in_every_locale(checkout: Path) -> None:
    """Python reads this file in the encoding of the locale, so that it must be ASCII whatever the folder's name is."""
    packages = checkout / ".venv/lib/python3.11/site-packages"
    assert (packages / (packages / "_redrain.pth").read_text("ascii").strip()).resolve() == checkout.resolve()


def test_a_script_is_found_through_a_link(checkout: Path, tmp_path: Path) -> None:
    """As people link it into a folder of their path."""
    link = tmp_path / "bin" / "storm"
    link.parent.mkdir()
    link.symlink_to(checkout / "scripts/storm")
    assert run(link, tmp_path) == f"the code of {checkout} storm"


def test_cdpath_does_not_mislead(checkout: Path) -> None:
    """A relative call, with a folder of the same name where cd looks first."""
    other = checkout.parent / "other"
    (other / "scripts").mkdir(parents=True)
    environment = {"PATH": os.environ["PATH"], "CDPATH": str(other)}  # noqa: TID251
    done = subprocess.run(
        ["bash", "scripts/storm"], cwd=checkout, env=environment, capture_output=True, timeout=60, check=True
    )
    assert done.stdout.decode().strip() == f"the code of {checkout} storm"


def test_an_option_of_the_user_asks_for_no_second_set_up(checkout: Path, tmp_path: Path) -> None:
    marks = sorted(path.name for path in (checkout / ".venv").glob("ready-*"))
    assert run(checkout / "scripts/storm", tmp_path, "--once") == f"the code of {checkout} storm --once"
    assert sorted(path.name for path in (checkout / ".venv").glob("ready-*")) == marks
