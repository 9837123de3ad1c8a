"""The order in which a run's files are given out."""

from pathlib import Path

from tests.schedule import LONGEST_FIRST, TOGETHER, LongestFirst, place_of

ROOT = Path(__file__).resolve().parent.parent


def test_what_comes_first_is_there() -> None:
    """A file that was moved keeps its place in the order."""
    assert [path for path in LONGEST_FIRST if not (ROOT / path).exists()] == []


def test_files_of_shared_servers_go_to_one_process() -> None:
    """Their tests are of one scope, which comes first; any other file is a scope of its own."""
    scheduler = object.__new__(LongestFirst)
    scopes = [scheduler._split_scope(f"tests/{path}::test_it") for path in ("api/test_a.py", "api/test_b.py", "c.py")]
    assert scopes == [TOGETHER[0], TOGETHER[0], "tests/c.py"]
    assert (place_of("tests/api/test_a.py::test_it"), place_of("tests/c.py::test_it")) == (0, len(LONGEST_FIRST))
