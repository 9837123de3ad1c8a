"""A record: one JSON line of a file, checked once where it enters and typed from then on."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from operator import itemgetter
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Generic, NamedTuple, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

Line = dict[str, Any]
R = TypeVar("R", bound=NamedTuple)


class BadRecord(Exception):  # noqa: N818 - a bad record
    """A line does not have the format of its file. The text names the file, the line and the problem."""


class BadField(Exception):  # noqa: N818 - becomes a BadRecord where file and line are known
    """A field that is missing or has the wrong type."""


class Shape(Generic[R]):
    """
    The shape of one kind of line, taken from the type hints of its NamedTuple.

    A field that may be null may also be left out; fields that the record does not know are ignored. Types are
    compared as whole rows, and a row of types seen before is not looked at again: that keeps a check per line cheap.
    """

    def __init__(self, make: type[R]) -> None:
        hints = get_type_hints(make)
        self._make = make
        self._fields = tuple(hints)
        self._take = itemgetter(*self._fields)
        self._allowed = tuple(_json_types(hint) for hint in hints.values())
        self._enums = tuple((at, hint) for at, hint in enumerate(hints.values()) if _is_enum(hint))
        self._known: set[tuple[type, ...]] = set()

    def read(self, line: Line) -> R:
        """Return the record of *line*. Raises BadField."""
        try:
            row = self._take(line)
        except KeyError:
            row = tuple(line.get(field) for field in self._fields)
        types = tuple(map(type, row))
        if types not in self._known:
            self._check(line, types)
            self._known.add(types)
        if self._enums:
            row = self._with_enums(row)
        return self._make._make(row)

    def read_row(self, name: str, given: object) -> R:
        """Return the record of a list of its values, one of those in the field *name*. Raises BadField."""
        if not isinstance(given, list | tuple) or len(given) != len(self._fields):
            raise BadField(f"{name} must hold lists of {', '.join(self._fields)}, but hold {given!r}")
        return self.read(dict(zip(self._fields, given, strict=True)))

    def _check(self, line: Line, types: tuple[type, ...]) -> None:
        for field, found, allowed in zip(self._fields, types, self._allowed, strict=True):
            if found in allowed:
                continue
            if field not in line:
                raise BadField(f"{field} is missing")
            names = " or ".join(sorted("null" if one is NoneType else one.__name__ for one in allowed))
            raise BadField(f"{field} must be {names}, but is {line[field]!r}")

    def _with_enums(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for at, enum in self._enums:
            try:
                values[at] = enum(values[at])
            except ValueError:
                raise BadField(f"{self._fields[at]} must be one of {', '.join(enum)}, but is {values[at]!r}") from None
        return tuple(values)


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, StrEnum)


def _json_types(hint: Any) -> frozenset[type]:
    """Return the Python types that a value of this hint has when it comes from JSON."""
    if isinstance(hint, NewType):
        return _json_types(hint.__supertype__)
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        return frozenset().union(*(_json_types(part) for part in get_args(hint)))
    if _is_enum(hint):
        return frozenset({str})
    return frozenset({get_origin(hint) or hint})


def evidence_of(kind: str, record: NamedTuple) -> Line:
    """Return *record* as the line it came from, for reports and JSON."""
    return {"kind": kind, **{name: _plain(value) for name, value in record._asdict().items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        fields = getattr(value, "_asdict", None)
        return fields() if fields is not None else [list(one) if isinstance(one, tuple) else one for one in value]
    return value


def lines_of(path: Path) -> Iterator[tuple[str, Line]]:
    """Yield each line of a file with its place (file and line number); ``.gz`` is unpacked. Raises BadRecord."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        where = f"{path}"
        try:
            for number, raw in enumerate(file, start=1):
                where = f"{path}:{number}"
                line = orjson.loads(raw)
                if not isinstance(line, dict) or not isinstance(line.get("kind"), str):
                    raise BadRecord(f"{where}: is not an object with a kind")
                yield where, line
        except orjson.JSONDecodeError as error:
            raise BadRecord(f"{where}: is not JSON ({error})") from None
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadRecord(f"{where}: the archive is broken after this line ({error})") from None


def numbered(lines: Iterable[Line], name: str) -> Iterator[tuple[str, Line]]:
    """Yield lines in memory as ``lines_of`` yields those of a file."""
    for number, line in enumerate(lines, start=1):
        yield f"{name}:{number}", line
