"""Foreign books: the claims that a foreign service lists after a run, normalised and kept as one file."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jmespath
import orjson
from jmespath.exceptions import JMESPathError

from loadtest.record.given_file import Allowance
from loadtest.record.shape import BadField, BadRecord, Line, Shape, evidence_of, lines_of, read_all, shown
from server.core.ids import PacketId, RequestId, ViewerId

BooksFormat = Literal["json", "ndjson", "csv"]
REQUIRED = ("packet_id", "viewer_id")
COLUMNS = (*REQUIRED, "amount_fen", "amount_yuan", "index", "claim_id", "request_id")
"""Our names of a row's columns; at most one of the two amounts, which becomes ``amount_fen``."""

FEN_PER_YUAN = 100


class ForeignClaim(NamedTuple):
    """One share that a viewer holds by the service's own books; None for columns that they do not have."""

    packet_id: PacketId
    viewer_id: ViewerId
    amount_fen: int | None
    index: int | None  # type: ignore[assignment]  # a field here, not the tuple's method
    claim_id: str | None
    request_id: RequestId | None


def normalise(
    data: bytes,
    *,
    format: BooksFormat,  # noqa: A002 - the scenario's word
    rows: str | None,
    columns: Mapping[str, str],
) -> list[ForeignClaim]:
    """
    Return the claims that *data* lists, in its order; duplicates stay, for the audit to see.

    *rows* is the JMESPath of the list in a JSON document (None: the document is the list); *columns* has for our names
    (of ``COLUMNS``) the JMESPath within a row, or the name of the CSV column. Raises BadRecord, which names the row
    and the column.
    """
    _check_columns(columns)
    reader = {"json": _json_rows, "ndjson": _ndjson_rows, "csv": _csv_rows}[format]
    take = {name: _taking(name, path, csv_column=format == "csv") for name, path in columns.items()}
    return [_claim(where, row, take) for where, row in reader(data, rows, columns)]


def write_foreign_books(path: Path, claims: Iterable[ForeignClaim]) -> None:
    """Write ``claims.jsonl``."""
    count = 0
    with path.open("wb") as file:
        for claim in claims:
            file.write(orjson.dumps(evidence_of("claim", claim)) + b"\n")
            count += 1
        file.write(orjson.dumps({"kind": "end", "claims": count}) + b"\n")


def read_foreign_books(path: Path, allowance: Allowance | None = None) -> list[ForeignClaim]:
    """Read ``claims.jsonl``. Raises BadRecord if it is cut off or has a malformed line."""
    claims: list[ForeignClaim] = []
    shape, promised = Shape(ForeignClaim), None

    def take(line: Line) -> None:
        nonlocal promised
        match line["kind"]:
            case "claim":
                claims.append(shape.read(line))
            case "end":
                promised = line.get("claims")
            case _:
                raise BadField("no such kind of line")

    read_all(lines_of(path, allowance), str(path), take)
    if promised != len(claims):
        raise BadRecord(f"{path}: its end promises {promised} claims, but {len(claims)} stand in it")
    return claims


Row = tuple[str, Any]
"""A row's place in the file, and the row."""

Taken = Callable[[Any], Any]


def _check_columns(columns: Mapping[str, str]) -> None:
    unknown = sorted(columns.keys() - set(COLUMNS))
    if unknown:
        raise BadRecord(f"columns: there is no {', '.join(unknown)}; there are {', '.join(COLUMNS)}")
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise BadRecord(f"columns: {', '.join(missing)} must be named")
    if {"amount_fen", "amount_yuan"} <= columns.keys():
        raise BadRecord("columns: name amount_fen or amount_yuan, not both")


def _json_rows(data: bytes, rows: str | None, _: Mapping[str, str]) -> Iterator[Row]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadRecord(f"the books are not JSON ({error})") from None
    found = document if rows is None else _compiled("rows", rows)(document)
    if not isinstance(found, list):
        place = "the document" if rows is None else f"rows: {rows!r}"
        raise BadRecord(f"{place} must be the list of claims, but is {shown(found)}")
    yield from ((f"row {number}", row) for number, row in enumerate(found, start=1))


def _ndjson_rows(data: bytes, _: str | None, __: Mapping[str, str]) -> Iterator[Row]:
    for number, raw in enumerate(data.splitlines(), start=1):
        if not raw.strip():
            continue
        try:
            yield f"line {number}", orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise BadRecord(f"line {number}: is not JSON ({error})") from None


def _csv_rows(data: bytes, _: str | None, columns: Mapping[str, str]) -> Iterator[Row]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        head = Counter(reader.fieldnames or ())
        for name, column in columns.items():
            if head[column] != 1:
                fault = "no column" if not head[column] else f"{head[column]} columns"
                raise BadRecord(
                    f"line 1: {name}: the CSV has {fault} {column!r}; it has {', '.join(head) or 'no head'}"
                )
        for row in reader:
            if None in row or None in row.values():
                raise BadRecord(f"line {reader.line_num}: does not have the {len(head)} columns of the first line")
            yield f"line {reader.line_num}", row
    except UnicodeDecodeError as error:
        raise BadRecord(f"the CSV is not UTF-8 ({error})") from None
    except csv.Error as error:
        raise BadRecord(f"line {reader.line_num}: is not CSV ({error})") from None


def _taking(name: str, path: str, *, csv_column: bool) -> Taken:
    """Return a function that finds a column's value in a row; an empty CSV field is None."""
    if csv_column:
        return lambda row: row[path] or None
    return _compiled(f"columns: {name}", path)


def _compiled(what: str, path: str) -> Taken:
    try:
        expression = jmespath.compile(path)
    except JMESPathError as error:
        raise BadRecord(f"{what}: {path!r} is not a JMESPath ({error})") from None

    def search(document: Any) -> Any:
        try:
            return expression.search(document)
        except JMESPathError as error:
            raise BadRecord(f"{what}: {path!r} cannot be applied ({error})") from None

    return search


def _claim(where: str, row: Any, take: Mapping[str, Taken]) -> ForeignClaim:
    values: dict[str, Any] = {}
    for name, taken in take.items():
        try:
            value = taken(row)
            values[name] = None if value is None else _READ[name](value)
        except (BadField, BadRecord) as error:
            raise BadRecord(f"{where}: {name}: {error}") from None
        if value is None and name in REQUIRED:
            raise BadRecord(f"{where}: {name}: is missing")
    return ForeignClaim(
        packet_id=values["packet_id"],
        viewer_id=values["viewer_id"],
        amount_fen=values.get("amount_fen", values.get("amount_yuan")),
        index=values.get("index"),
        claim_id=values.get("claim_id"),
        request_id=values.get("request_id"),
    )


def _text(value: Any) -> str:
    """Return an id as text; services use numbers or strings."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    raise BadField(f"must be text or a whole number, but is {shown(value)}")


def _whole(value: Any) -> int:
    number = _decimal(value)
    if number != number.to_integral_value():
        raise BadField(f"must be a whole number, but is {shown(value)}")
    return int(number)


def _fen_of_yuan(value: Any) -> int:
    fen = _decimal(value) * FEN_PER_YUAN
    if fen != fen.to_integral_value():
        raise BadField(f"must be yuan with at most two decimals, but is {shown(value)}")
    return int(fen)


def _decimal(value: Any) -> Decimal:
    """Return a number exactly as it was written; a JSON float by its shortest text, as the service wrote it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadField(f"must be a number, but is {shown(value)}")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise BadField(f"must be a number, but is {shown(value)}") from None
    if not number.is_finite() or not -(1 << 62) < number < 1 << 62:
        raise BadField(f"must be a number below 2^62, but is {shown(value)}")
    return number


_READ: dict[str, Callable[[Any], Any]] = {
    "packet_id": _text,
    "viewer_id": _text,
    "amount_fen": _whole,
    "amount_yuan": _fen_of_yuan,
    "index": _whole,
    "claim_id": _text,
    "request_id": _text,
}
