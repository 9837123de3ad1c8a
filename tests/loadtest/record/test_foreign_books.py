"""Foreign books: any of three formats becomes the same claims, exact to the fen, and an error names its place."""

from pathlib import Path

import orjson
import pytest

from loadtest.record.foreign_books import BooksFormat, ForeignClaim, normalise, read_foreign_books, write_foreign_books
from loadtest.record.shape import BadRecord
from server.core.ids import PacketId, RequestId, ViewerId

ROWS = [{"p": "p1", "who": {"id": 7}, "cents": 120, "n": 0, "id": "c-1"}, {"p": "p1", "who": {"id": 8}, "cents": 80}]
PATHS = {"packet_id": "p", "viewer_id": "who.id", "amount_fen": "cents", "index": "n", "claim_id": "id"}
CLAIMS = [
    ForeignClaim(PacketId("p1"), ViewerId("7"), 120, 0, "c-1", None),
    ForeignClaim(PacketId("p1"), ViewerId("8"), 80, None, None, None),
]
HEADS = {"packet_id": "packet", "viewer_id": "user", "amount_yuan": "yuan", "request_id": "request"}


def test_json_and_ndjson_say_the_same() -> None:
    """The list may stand anywhere in a document, or be one object a line."""
    document = orjson.dumps({"data": {"list": ROWS}})
    lines = b"\n".join(orjson.dumps(row) for row in ROWS) + b"\n\n"
    assert normalise(document, format="json", rows="data.list", columns=PATHS) == CLAIMS
    assert normalise(orjson.dumps(ROWS), format="json", rows=None, columns=PATHS) == CLAIMS
    assert normalise(lines, format="ndjson", rows=None, columns=PATHS) == CLAIMS


def test_csv_columns_are_found_by_their_heads() -> None:
    """A byte order mark, quotes and columns that nobody asked for do no harm; an empty field says nothing."""
    data = '\ufeffuser,yuan,packet,note,request\r\n"a,b",0.29,p1,x,r1\r\nc,10,p1,,\r\n'.encode()
    assert normalise(data, format="csv", rows=None, columns=HEADS) == [
        ForeignClaim(PacketId("p1"), ViewerId("a,b"), 29, None, None, RequestId("r1")),
        ForeignClaim(PacketId("p1"), ViewerId("c"), 1000, None, None, None),
    ]


@pytest.mark.parametrize(
    ("written", "fen"), [("0.29", 29), ("1.10", 110), ('"4.35"', 435), ("1e2", 10_000), ("7", 700)]
)
def test_yuan_become_fen_exactly(written: str, fen: int) -> None:
    """Decimal amounts are read exactly, as number or as text."""
    data = b'[{"p": "p1", "who": "v", "yuan": %s}]' % written.encode()
    columns = {"packet_id": "p", "viewer_id": "who", "amount_yuan": "yuan"}
    (claim,) = normalise(data, format="json", rows=None, columns=columns)
    assert claim.amount_fen == fen


def test_what_stands_there_twice_stays() -> None:
    """A share that was given twice is what the audit looks for."""
    assert len(normalise(orjson.dumps(ROWS * 2), format="json", rows=None, columns=PATHS)) == 2 * len(ROWS)


@pytest.mark.parametrize(
    ("format", "data", "columns", "told"),
    [
        ("json", b'{"p": 1}', PATHS, "the document must be the list of claims"),
        ("json", b'[{"p": "p1"', PATHS, "not JSON"),
        ("json", b'[{"p": "p1"}]', PATHS, "row 1: viewer_id: is missing"),
        ("json", b'[{"p": "p1", "who": {"id": 1}, "cents": 1.5}]', PATHS, "row 1: amount_fen: must be a whole number"),
        ("json", b'[{"p": "p1", "who": {"id": 1}, "cents": true}]', PATHS, "row 1: amount_fen: must be a number"),
        ("json", b'[{"p": "p1", "who": {"id": [1]}}]', PATHS, "row 1: viewer_id: must be text or a whole number"),
        ("json", b"[]", {**PATHS, "index": "n["}, "columns: index: 'n\\[' is not a JMESPath"),
        ("json", b'[{"p": "p1"}]', {**PATHS, "viewer_id": "abs(p)"}, "row 1: viewer_id: .* cannot be applied"),
        ("json", b"[]", {**PATHS, "colour": "c"}, "columns: there is no colour; there are packet_id"),
        ("json", b"[]", {"packet_id": "p"}, "columns: viewer_id must be named"),
        ("json", b"[]", {**PATHS, "amount_yuan": "y"}, "not both"),
        ("ndjson", b'{"p": "p1", "who": {"id": 1}}\n{"p"', PATHS, "line 2: is not JSON"),
        ("csv", b"packet,user,request\n", HEADS, "line 1: amount_yuan: the CSV has no column 'yuan'"),
        ("csv", b"packet,user,yuan,request,yuan\n", HEADS, "2 columns 'yuan'"),
        ("csv", b"packet,user,yuan,request\np,v,1.001,r\n", HEADS, "line 2: amount_yuan: must be yuan with at"),
        ("csv", b"packet,user,yuan,request\np,v,NaN,r\n", HEADS, "line 2: amount_yuan: must be a number"),
        ("csv", b"packet,user,yuan,request\np,v\n", HEADS, "line 2: does not have the 4 columns"),
        ("csv", b"packet,user,yuan,request\n\xff,v,1,r\n", HEADS, "not UTF-8"),
    ],
)  # fmt: skip
def test_an_error_names_row_and_column(format: BooksFormat, data: bytes, columns: dict[str, str], told: str) -> None:  # noqa: A002
    """Books that cannot be read are refused where they cannot."""
    with pytest.raises(BadRecord, match=told):
        normalise(data, format=format, rows=None, columns=columns)


def test_the_file_keeps_what_was_read(tmp_path: Path) -> None:
    """Written and read again, also if nothing was claimed."""
    path = tmp_path / "claims.jsonl"
    for claims in ([], CLAIMS):
        write_foreign_books(path, claims)
        assert read_foreign_books(path) == claims


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: lines[:-1], "cut off"),
        (lambda lines: lines[1:], "promises 2 claims, but 1 stand in it"),
        (lambda lines: [*lines, lines[0]], "comes after the end"),
        (lambda lines: [lines[0].replace(b'"viewer_id":"7"', b'"viewer_id":7'), *lines[1:]], "viewer_id must be str"),
        (lambda lines: [lines[0].replace(b"claim", b"share", 1), *lines[1:]], "no such kind"),
    ],
)
def test_a_broken_file_is_refused(change, told: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A file that was cut off or tampered with is no book."""
    path = tmp_path / "claims.jsonl"
    write_foreign_books(path, CLAIMS)
    path.write_bytes(b"\n".join(change(path.read_bytes().splitlines())) + b"\n")
    with pytest.raises(BadRecord, match=told):
        read_foreign_books(path)
