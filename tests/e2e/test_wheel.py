"""Our package names are common words: the built wheel must work beside folders that are called the same."""

import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

from loadtest.record.run_history import read
from loadtest.verdict.weigh import Exit

ROOT = Path(__file__).parents[2]


def _run(*command: str, folder: Path, timeout: int = 200) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A fresh environment with the built wheel in it.

    The dependencies come from the environment of the tests, by path: that is quick, needs no network, and leaves the
    editable install of this checkout out.
    """
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT), folder=folder)
    _run(sys.executable, "-m", "venv", "--without-pip", "env", folder=folder)
    (wheel,) = folder.glob("redrain-*.whl")
    python = folder / "env/bin/python"
    _run(*pip, "--python", str(python), "install", "--no-deps", str(wheel), folder=folder)
    site = _run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip()
    (Path(site) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return folder / "env/bin"


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    """A folder of somebody who has packages of our names."""
    for name in ("server", "scripts", "tests", "loadtest", "client_sim"):
        package = tmp_path / name
        package.mkdir()
        (package / "__init__.py").write_text('raise ImportError("the wrong package")\n', "utf-8")
        (package / "core.py").write_text('raise ImportError("the wrong package")\n', "utf-8")
    return tmp_path


def test_the_wheel_runs_a_storm_beside_packages_of_the_same_names(installed: Path, crowded: Path) -> None:
    """Lua, scenarios and locustfile are in the wheel, and nothing is imported from the working directory."""
    _run(str(installed / "redrain"), "storm", "smoke", folder=crowded)
    [result] = (crowded / ".redrain/runs").glob("*/result.json")
    assert [run.run for run in read(crowded / ".redrain/runs/history.jsonl")] == [result.parent.name]


def test_the_wheel_knows_the_rules_and_says_that_it_has_no_tests(installed: Path, crowded: Path) -> None:
    """The page is in the wheel, the code is found where it is installed, and the folder's own tests are not taken."""
    done = subprocess.run(
        [str(installed / "redrain"), "rules"], cwd=crowded, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in {Exit.INVARIANT, Exit.UNKNOWN}, done.stderr
    assert "server/core/rulebooks/rulebook.py" in done.stdout
    assert "the tests are not installed" in done.stdout


def test_the_wheel_is_typed_and_knows_its_version(installed: Path, crowded: Path) -> None:
    """Each package has its py.typed, and the command says what the wheel's metadata say."""
    packages = ["server", "client_sim", "loadtest", "scripts"]
    code = f"import importlib.resources as r; print(*[(r.files(p) / 'py.typed').is_file() for p in {packages}])"
    assert _run(str(installed / "python"), "-P", "-c", code, folder=crowded).split() == ["True"] * len(packages)
    assert _run(str(installed / "redrain"), "--version", folder=crowded) == f"redrain {metadata.version('redrain')}\n"


def test_plain_locust_finds_our_packages_first(installed: Path, crowded: Path) -> None:
    """Somebody's own locust command, in that folder, loads our locustfile with our packages."""
    code = "import loadtest; print(loadtest.__path__[0])"
    package = Path(_run(str(installed / "python"), "-P", "-c", code, folder=crowded).strip())
    assert ROOT not in package.parents
    listed = _run(
        str(installed / "python"), "-m", "locust", "-f", str(package / "locustfile.py"), "--list", folder=crowded
    )
    assert "Available Users" in listed
