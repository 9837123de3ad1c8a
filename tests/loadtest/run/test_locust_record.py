"""The record of a Locust run: where it goes. The whole of it is tested with real processes in tests/e2e."""

from pathlib import Path

from loadtest.run.locust_record import free_folder


def test_a_later_run_of_the_web_ui_gets_a_folder_within(tmp_path: Path) -> None:
    """The first one has the folder that was given, also if it is there already and empty."""
    given = tmp_path / "runs"
    assert free_folder(given) == given
    given.mkdir()
    assert free_folder(given) == given
    (given / "run.json").touch()
    assert free_folder(given) == given / "run-2"
    (given / "run-2").mkdir()
    (given / "run-2" / "run.json").touch()
    assert free_folder(given) == given / "run-3"
