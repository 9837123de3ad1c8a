"""A finished run, read from its folder or from a result file alone."""

from pathlib import Path

import orjson
import pytest

from loadtest.record.run_history import read
from loadtest.record.shape import BadRecord
from loadtest.run.finished_run import latencies_at, remember, summary_at
from tests.loadtest.judged_run import judged
from tests.loadtest.run_summaries import RESULT
from tests.loadtest.written_run import a_run


def test_a_folder_and_its_result_file_are_the_same_run(tmp_path: Path) -> None:
    """A judged run is summarised by either; only the folder has latencies, in order."""
    run = tmp_path / "run"
    run.mkdir()
    folder, result = judged(a_run(viewers=12), run)
    folder.result.write_bytes(orjson.dumps(result))
    whole, alone = summary_at(run), summary_at(folder.result)
    assert (whole.run, alone.run) == ("run", "result.json")
    assert whole.model_dump(exclude={"run"}) == alone.model_dump(exclude={"run"})
    latencies = latencies_at(run)
    assert latencies
    assert latencies == sorted(latencies)
    assert max(latencies) / 1e6 == whole.figures["grab_latency_ms.max"]
    assert latencies_at(folder.result) is None


def test_a_run_is_remembered_by_its_folder(tmp_path: Path) -> None:
    """A line break in the name of a folder does not break the history's lines."""
    remember(tmp_path / "history.jsonl", tmp_path / "a\nb", RESULT)
    assert [run.run for run in read(tmp_path / "history.jsonl")] == ["a?b"]


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    """No result, no file, no JSON; a folder without a result can be judged."""
    (tmp_path / "half.json").write_text('{"seed": ')
    for path, said in (
        (tmp_path, "is missing; `redrain audit"),
        (tmp_path / "gone.json", "is missing$"),
        (tmp_path / "half.json", "is not JSON"),
        (tmp_path / "half.json" / "x", "cannot be read: Not a directory"),
    ):
        with pytest.raises(BadRecord, match=said):
            summary_at(path)
