"""Records: rows of types are checked once, and still every row is checked."""

from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from loadtest.record.shape import BadField, BadRecord, Line, Shape, evidence_of, lines_of
from tests.loadtest.written_run import a_run


class Point(NamedTuple):
    """Two fields, one of which may be null."""

    x: int
    label: str | None


def test_a_field_that_may_be_null_may_be_left_out() -> None:
    """Unknown fields are ignored, missing nullable ones are None."""
    shape = Shape(Point)

    assert shape.read({"x": 1, "label": "a", "more": 2}) == Point(1, "a")
    assert shape.read({"x": 1}) == Point(1, None)


def test_a_bad_row_after_a_good_one_is_found() -> None:
    """Remembering a row of types does not let another one through."""
    shape = Shape(Point)
    shape.read({"x": 1, "label": "a"})

    with pytest.raises(BadField, match="x must be int, but is 'one'"):
        shape.read({"x": "one", "label": "a"})
    with pytest.raises(BadField, match="x is missing"):
        shape.read({"label": "a"})


def test_evidence_is_the_line_again() -> None:
    """A counterexample shows the record as it was read."""
    assert evidence_of("point", Point(1, None)) == {"kind": "point", "x": 1, "label": None}


def test_evidence_can_be_written_as_json() -> None:
    """Records inside records and words of an enumeration become plain again."""
    run = a_run()
    books, _ = run.read()
    batch = next(entry for entry in books.journal if entry.movement == "claim")
    creator, packet = books.creators[batch.creator_id], books.packets[batch.packet_id]

    for kind, record in {"creator": creator, "packet": packet, "journal": batch}.items():
        shown = evidence_of(kind, record)  # type: ignore[arg-type]
        assert orjson.loads(orjson.dumps(shown)) == shown
        assert _told(shown) in map(_told, run.of(kind))


def _told(line: Line) -> Line:
    """Leave out what is null: a field that may be null may also be left out."""
    return {
        field: _told(value) if isinstance(value, dict) else value for field, value in line.items() if value is not None
    }


@pytest.mark.parametrize(
    ("text", "wrong"), [("[1]", "is not an object"), ('{"x":1}', "is not an object"), ("{", "is not JSON")]
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, text: str, wrong: str) -> None:
    """File, line and what is wrong."""
    path = tmp_path / "some.jsonl"
    path.write_text(f'{{"kind":"a"}}\n{text}\n')

    with pytest.raises(BadRecord, match=rf"some\.jsonl:2: {wrong}"):
        list(lines_of(path))
