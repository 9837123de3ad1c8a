"""History: several processes' files, read whole or refused with a reason."""

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from loadtest.record.history import read_history
from loadtest.record.shape import BadRecord
from tests.loadtest.in_memory import history_from
from tests.loadtest.written_run import a_run


def _bytes(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


def test_plain_and_compressed_files_are_read_alike(tmp_path: Path) -> None:
    """Each file is a process of its own; together they are one history."""
    one, other = a_run(1), a_run(2)
    (tmp_path / "history-0.jsonl").write_bytes(_bytes(one.history))
    (tmp_path / "history-1.jsonl.gz").write_bytes(gzip.compress(_bytes(other.history)))

    history = read_history(sorted(tmp_path.iterdir()))

    assert history == history_from(one.history, other.history)
    assert len(history.grabs) == len(one.of("grab")) + len(other.of("grab"))
    assert {grab.process for grab in history.grabs} == {0, 1}
    for kind, found in {"conn": len(history.conns), "fact": len(history.facts), "run": len(history.runs)}.items():
        assert found == len(one.of(kind)) + len(other.of(kind))
    assert history.arrivals[0].start_skew_ns == -7000


def test_a_compressed_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    """Half an archive is no history."""
    path = tmp_path / "history-0.jsonl.gz"
    path.write_bytes(gzip.compress(_bytes(a_run().history))[:-200])

    with pytest.raises(BadRecord, match="the archive is broken"):
        read_history([path])


def test_a_file_without_its_end_is_refused(tmp_path: Path) -> None:
    """A generator that died half-way has not written down everything it was told."""
    path = tmp_path / "history-0.jsonl"
    path.write_bytes(_bytes(a_run().history[:-1]))

    with pytest.raises(BadRecord, match="has no end line"):
        read_history([path])


def test_an_end_that_counts_otherwise_is_refused() -> None:
    """A line lost in the middle shows in the numbers at the end."""
    run = a_run()
    run.history.remove(run.of("grab")[0])

    with pytest.raises(BadRecord, match=r"its end promises \d+ grabs"):
        history_from(run.history)


@pytest.mark.parametrize(
    ("kind", "change", "text"),
    [
        ("grab", {"type": "maybe"}, "grab: type must be ok, fail or info"),
        ("grab", {"type": "ok", "index": None}, "grab: an ok holds a share"),
        ("grab", {"type": "fail", "t_reply": None}, "grab: fail is an answer"),
        ("grab", {"t_sent": None}, "grab: t_sent must be int"),
        ("grab", {"t_sent": 1.5}, "grab: t_sent must be int"),
        ("conn", {"resync": 0}, "conn: resync must be bool or null"),
        ("fact", {"seq": "1"}, "fact: seq must be int"),
        ("end", {"grabs": None}, "end: grabs must be int"),
        ("run", {"kind": "walk"}, "walk: no such kind of line"),
    ],
)
def test_a_malformed_line_is_named(kind: str, change: dict[str, Any], text: str) -> None:
    """The error says which line and which field, and what was expected."""
    run = a_run()
    line = next(line for line in run.history if line["kind"] == kind)
    line |= change

    with pytest.raises(BadRecord) as refused:
        history_from(run.history)

    assert str(refused.value).startswith(f"history-0:{run.history.index(line) + 1}: {text}")


def test_a_foreign_service_need_not_say_which_share_it_gave() -> None:
    """A receipt without amount and index is one of a foreign service only; a fact without a number is left out."""
    run = a_run()
    run.of("grab", type="ok")[0] |= {"amount_fen": None, "index": None, "claim_id": None, "edition": None}
    run.of("fact")[0] |= {"epoch": None, "seq": None}
    history = history_from(run.history, foreign=True)
    assert (len(history.grabs), len(history.facts)) == (len(run.of("grab")), len(run.of("fact")) - 1)
    with pytest.raises(BadRecord):
        history_from(run.history)
    run.of("fact")[0] |= {"epoch": "e1", "seq": 1}
    with pytest.raises(BadRecord, match="an ok holds a share"):
        history_from(run.history)
