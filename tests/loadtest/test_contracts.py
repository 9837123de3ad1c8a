"""The contract of allocators, run as a user runs it: what is correct passes, what is not fails where it should."""

import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from server.store.allocators.registry import BUILT_IN

EXAMPLES = Path(__file__).parents[1] / "examples/allocators"
OPTIONS, CONTRACT = "loadtest.contracts.options", "loadtest.contracts.allocator"
BATCHES = {"test_a_batch_of_any_size_is_answered[naive-500]", "test_a_batch_of_any_size_is_answered[naive-501]"}
OF_ONE_VIEWER = {"test_taps_of_one_viewer_at_once_get_one_share", "test_a_viewer_twice_in_one_batch_gets_one_share"}
OF_MANY = {"test_many_viewers_at_once_get_each_share_once"}


@pytest.fixture(autouse=True)
def _without_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the contract needs none; ours take most of the start


def run(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    arguments = [word for name in names for word in ("--allocator", name)]
    return subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-p", OPTIONS, "--pyargs", CONTRACT, *arguments,
         "--junitxml", "contract.xml", "-p", "no:cacheprovider"],
        cwd=folder, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


def test_who_keeps_the_contract(tmp_path: Path) -> None:
    """
    The correct ones keep all of it, and so does a user's from a folder of its own.

    Naive is right with one viewer after another and fails where several are answered at once, also within one batch;
    list-pop gives two shares to taps of one viewer that overlap.
    """
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    names = [*BUILT_IN, "in_order:InOrder"]
    done = run(tmp_path, *names)

    assert done.returncode == 1, done.stdout
    failed: dict[str, set[str]] = defaultdict(set)
    cases = [*ElementTree.parse(tmp_path / "contract.xml").iter("testcase")]  # noqa: S314 - pytest wrote it just now
    for case in cases:
        test, _, parameters = case.get("name", "").partition("[")
        name = next(each for each in names if parameters.startswith(each))
        assert case.find("error") is None, case.get("name")
        if case.find("failure") is not None:
            failed[name].add(case.get("name", "") if "-50" in parameters else test)
    assert len(cases) == 12 * len(names)
    assert failed == {"naive": BATCHES | OF_ONE_VIEWER | OF_MANY, "list-pop": OF_ONE_VIEWER}


@pytest.mark.parametrize(
    ("names", "said"),
    [((), "--allocator is missing"), (("nosuch:Mine",), "there is no module nosuch in")],
)
def test_what_cannot_be_run_is_said(names: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """Nothing is run, and a sentence says why."""
    done = run(tmp_path, *names)
    assert done.returncode == 2
    assert said in done.stdout + done.stderr
