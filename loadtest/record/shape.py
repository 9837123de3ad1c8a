"""A record: one JSON line of a file, checked once where it enters and typed from then on."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import partial
from operator import itemgetter
from pathlib import Path
from reprlib import Repr
from types import NoneType, UnionType
from typing import Any, Generic, NamedTuple, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

from loadtest.record.given_file import BROKEN, Allowance, NotTaken
from server.core.ids import PacketId

Line = dict[str, Any]
R = TypeVar("R", bound=NamedTuple)
SHOWN_MAX = 60
_BRIEF = Repr()
_BRIEF.maxlevel = 3  # a value may lie deeper than Python can show
_BRIEF.maxstring = _BRIEF.maxother = SHOWN_MAX


class BadRecord(Exception):  # noqa: N818 - a bad record
    """A line does not have the format of its file. The text names the file, the line and the problem."""


def shown(value: object) -> str:
    """Return a value as a message shows it: its first characters only."""
    text = _BRIEF.repr(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."


class BadField(Exception):  # noqa: N818 - becomes a BadRecord where file and line are known
    """A field that is missing or has the wrong type."""


class Shape(Generic[R]):
    """
    The shape of one kind of line, taken from the type hints of its NamedTuple; a field may hold records in its turn.

    A field that may be null may also be left out; fields that the record does not know are ignored. Types are
    compared as whole rows, and a row of types seen before is not looked at again: that keeps a check per line cheap.
    """

    def __init__(self, make: type[R]) -> None:
        hints = get_type_hints(make)
        self._make = make
        self._fields = tuple(hints)
        self._take = itemgetter(*self._fields)
        self._allowed = tuple(_json_types(hint) for hint in hints.values())
        parts = ((at, _part_of(field, hint)) for at, (field, hint) in enumerate(hints.items()))
        self._parts = tuple((at, part) for at, part in parts if part is not None)
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
        if self._parts:
            row = list(row)
            for at, part in self._parts:
                if row[at] is not None:
                    row[at] = part(row[at])
        return self._make._make(row)

    def read_within(self, name: str, given: object) -> R:
        """Return one of the records in the field *name*: an object, or a list of its values. Raises BadField."""
        if isinstance(given, dict):
            return self.read(given)
        if not isinstance(given, list | tuple) or len(given) != len(self._fields):
            raise BadField(f"{name} must hold lists of {', '.join(self._fields)}, but hold {shown(given)}")
        return self.read(dict(zip(self._fields, given, strict=True)))

    def _check(self, line: Line, types: tuple[type, ...]) -> None:
        for field, found, allowed in zip(self._fields, types, self._allowed, strict=True):
            if found in allowed:
                continue
            if field not in line:
                raise BadField(f"{field} is missing")
            names = " or ".join(sorted({_NAMES.get(one, one.__name__) for one in allowed}))
            raise BadField(f"{field} must be {names}, but is {shown(line[field])}")


_NAMES = {NoneType: "null", dict: "an object", list: "a list", tuple: "a list"}
_PLURALS = {int: "whole numbers", str: "texts", PacketId: "packet ids"}
_Part = Callable[[Any], Any]


def _part_of(field: str, hint: Any) -> _Part | None:
    """Return the function that reads a value of this hint; None if it is taken as it is."""
    if _is_union(hint):
        parts = (_part_of(field, each) for each in get_args(hint))
        return next((part for part in parts if part is not None), None)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return partial(_enum, field, hint)
    if _is_record(hint):
        return Shape(hint).read
    if get_origin(hint) is dict:
        return partial(_amounts, field)
    return partial(_rows, _element_of(field, get_args(hint)[0])) if get_origin(hint) is tuple else None


def _element_of(field: str, hint: Any) -> _Part:
    """Return the function that reads one element of a list: a record, a row of values of these types, or a value."""
    if _is_record(hint):
        return partial(Shape(hint).read_within, field)
    if row := list(get_args(hint)):
        return partial(_row, f"{field} must be lists of {', '.join(each.__name__ for each in row)}", row)
    return partial(_value, f"{field} must be a list of {_PLURALS[hint]}", _json_types(hint))


def _enum(field: str, enum: type[StrEnum], given: str) -> StrEnum:
    try:
        return enum(given)
    except ValueError:
        raise BadField(f"{field} must be one of {', '.join(enum)}, but is {shown(given)}") from None


def _amounts(field: str, given: dict[str, Any]) -> dict[str, int]:
    if not all(type(amount) is int for amount in given.values()):
        raise BadField(f"{field} must be an object of whole numbers")
    return given


def _rows(element: _Part, given: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(map(element, given))


def _row(rule: str, types: list[type], given: Any) -> tuple[Any, ...]:
    if not isinstance(given, list | tuple) or list(map(type, given)) != types:
        raise BadField(f"{rule}, but has {shown(given)}")
    return tuple(given)


def _value(rule: str, types: frozenset[type], given: Any) -> Any:
    if type(given) not in types:
        raise BadField(rule)
    return given


def _is_union(hint: Any) -> bool:
    return isinstance(hint, UnionType) or get_origin(hint) is Union


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields")


def _json_types(hint: Any) -> frozenset[type]:
    """Return the Python types that a value of this hint has when it comes from JSON."""
    if isinstance(hint, NewType):
        return _json_types(hint.__supertype__)
    if _is_union(hint):
        return frozenset().union(*(_json_types(part) for part in get_args(hint)))
    if _is_record(hint):
        return frozenset({dict})
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return frozenset({str})
    return frozenset({list, tuple} if get_origin(hint) is tuple else {get_origin(hint) or hint})


def evidence_of(kind: str, record: NamedTuple) -> Line:
    """Return *record* as the line it came from, for reports and JSON."""
    return {"kind": kind, **{name: _plain(value) for name, value in record._asdict().items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        if (fields := getattr(value, "_asdict", None)) is not None:
            return {name: _plain(each) for name, each in fields().items()}
        return [[*map(_plain, one)] if isinstance(one, tuple) else one for one in value]
    return value


def lines_of(path: Path, allowance: Allowance | None = None) -> Iterator[tuple[int, Line]]:
    """
    Yield each line of a file with its number; ``.gz`` is unpacked.

    The *allowance* is that of the run, by default one for this file alone. Raises BadRecord.
    """
    number = 0
    try:
        for number, raw in enumerate((allowance or Allowance()).lines(path), start=1):
            line = orjson.loads(raw)
            if not isinstance(line, dict) or not isinstance(line.get("kind"), str):
                raise BadRecord(f"{path}:{number}: is not an object with a kind")
            yield number, line
    except orjson.JSONDecodeError as error:
        raise BadRecord(f"{path}:{number}: is not JSON ({error})") from None
    except BROKEN as error:
        where = f"{path}:{number}" if number else path
        raise BadRecord(f"{where}: the archive is broken after this line ({error})") from None
    except NotTaken as error:
        raise BadRecord(str(error)) from None
    except OSError as error:
        raise BadRecord(f"{path}: cannot be read: {error.strerror}") from None


def read_all(lines: Iterable[tuple[int, Line]], name: str, take: Callable[[Line], None]) -> None:
    """
    Pass every line of the file *name* to *take*, which raises BadField for a malformed one.

    Raises BadRecord with its place, and unless a line of the kind ``end`` is the last.
    """
    ended = False
    for number, line in lines:
        if ended:
            raise BadRecord(f"{name}:{number}: comes after the end")
        try:
            take(line)
        except BadField as error:
            raise BadRecord(f"{name}:{number}: {line['kind']}: {error}") from None
        ended = line["kind"] == "end"
    if not ended:
        raise BadRecord(f"{name}: has no end line: it is cut off")
